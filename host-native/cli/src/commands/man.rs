//! `mountfs man`.

use crate::Cli;
use anyhow::{Context as _, Result};
use clap::{Args, CommandFactory as _};
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// Print this command's manual page, or write one for each verb.
///
/// To read it: mountfs man | man -l - ; to have those of the verbs too: mountfs man ~/.local/share/man/man1, and then
/// man mountfs-run
#[derive(Args)]
pub(crate) struct Man {
    /// The folder to write the pages to, of the command and of each verb, which is made if it is not there; without it, only
    /// the command's own is printed.
    folder: Option<PathBuf>,
}

impl Man {
    pub(crate) fn call(self) -> Result<ExitCode> {
        match &self.folder {
            None => clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout().lock())?,
            Some(folder) => fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
                .with_context(|| format!("cannot write manual pages to {}", folder.display()))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
