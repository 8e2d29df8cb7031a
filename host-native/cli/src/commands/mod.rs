//! The verbs.

mod completions;
mod compose;
mod grants;
mod run;

use clap::Subcommand;
use std::process::ExitCode;

#[derive(Subcommand)]
pub(crate) enum Command {
    Run(run::Run),
    Compose(compose::Compose),
    Grants(grants::Grants),
    Completions(completions::Completions),
}

impl Command {
    pub(crate) fn call(self) -> Result<ExitCode, Failed> {
        match self {
            Self::Run(run) => run.call(),
            Self::Compose(compose) => Ok(compose.call()?),
            Self::Grants(grants) => Ok(grants.call()?),
            Self::Completions(completions) => Ok(completions.call()),
        }
    }
}

/// An error, and what the process ends with.
pub(crate) struct Failed {
    pub(crate) error: anyhow::Error,
    pub(crate) code: ExitCode,
}

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self { error: error.into(), code: ExitCode::FAILURE }
    }
}
