//! `mountfs doctor`.

use crate::checks::{self, Check, Status};
use anyhow::Result;
use clap::Args;
use clap::builder::Styles;
use serde_json::json;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Tell what is there, what is missing, and what to do about it.
///
/// It changes nothing. Ends with 0 when there is no problem, with 1 otherwise.
#[derive(Args)]
pub(crate) struct Doctor {
    /// Look at this app too: what it is, and whether it would run.
    app: Option<PathBuf>,

    /// As JSON: {problems, checks}, a list of {about, status, says, todo, facts}.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(crate) fn call(self) -> Result<ExitCode> {
        let mut checks = checks::machine::all();
        checks.extend(self.app.iter().flat_map(|app| checks::app::all(app)));
        let problems = checks.iter().filter(|check| check.status == Status::Problem).count();
        if self.json {
            let all = json!({ "problems": problems, "checks": checks });
            writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&all)?)?;
        } else {
            print(&checks)?;
        }
        Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn print(checks: &[Check]) -> Result<()> {
    let styles = Styles::styled();
    let mut out = anstream::stdout().lock();
    for Check { about, status, says, todo, .. } in checks {
        let style = match status {
            Status::Ok => styles.get_valid(),
            Status::Note => styles.get_invalid(),
            Status::Problem => styles.get_error(),
        };
        writeln!(out, "{style}{status:7}{style:#}  {about:11}  {says}")?;
        if let Some(todo) = todo {
            writeln!(out, "{:22}{todo}", "")?;
        }
    }
    Ok(())
}
