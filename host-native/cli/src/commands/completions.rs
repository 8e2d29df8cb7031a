//! `mountfs completions`.

use crate::Cli;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::process::ExitCode;

/// Print a script that completes this command's line in a shell.
///
/// For bash: mountfs completions bash > ~/.local/share/bash-completion/completions/mountfs
#[derive(Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn call(self) -> ExitCode {
        clap_complete::generate(self.shell, &mut Cli::command(), "mountfs", &mut std::io::stdout());
        ExitCode::SUCCESS
    }
}
