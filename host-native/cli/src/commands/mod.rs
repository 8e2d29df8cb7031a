//! The verbs.

mod completions;
mod compose;
mod doctor;
mod grants;
mod man;
pub(crate) mod run;

use crate::Cli;
use crate::nearest::nearest;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Subcommand};
use std::path::Path;
use std::process::ExitCode;

#[derive(Subcommand)]
pub(crate) enum Command {
    Run(run::Run),
    Compose(compose::Compose),
    Grants(grants::Grants),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    pub(crate) fn call(self) -> Result<ExitCode, Failed> {
        match self {
            Self::Run(run) => run.call(),
            Self::Compose(compose) => Ok(compose.call()?),
            Self::Grants(grants) => Ok(grants.call()?),
            Self::Doctor(doctor) => Ok(doctor.call()?),
            Self::Completions(completions) => Ok(completions.call()),
            Self::Man(man) => Ok(man.call()?),
        }
    }
}

/// The error, with what may have been meant by a verb that there is not, where clap sees nothing like it.
pub(crate) fn meant(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand).cloned() else { return error };
    if error.kind() != ErrorKind::InvalidSubcommand || error.get(ContextKind::SuggestedSubcommand).is_some() {
        return error;
    }
    let tip = match word.as_str() {
        // The npm package has a command of this name too.
        "build" => Some("it is in the npm package: npx mountfs build".to_owned()),
        _ if Path::new(&word).is_file() => Some(format!("to run an app: mountfs run {word}")),
        _ => None,
    };
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    } else if let Some(verb) = nearest(&word, Cli::command().get_subcommands().map(|verb| verb.get_name().to_owned())) {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![verb]));
    }
    error
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
