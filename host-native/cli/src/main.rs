//! The command `mountfs`: parse, call, print, exit code. One file a verb.

mod commands;
mod engine;
mod folder;
mod limit;
mod prompt;

use clap::{ArgAction, Parser};
use std::io::IsTerminal as _;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Run an interpreter that is a WebAssembly component in folders you choose, and nowhere else.
#[derive(Parser)]
#[command(name = "mountfs", version, max_term_width = 100)]
struct Cli {
    /// Say more: once what is decided, twice each step. RUST_LOG, where it is set, says it finer.
    #[arg(short, long, action = ArgAction::Count, global = true)]
    verbose: u8,

    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let level = ["warn", "mountfs=info,mountfs_host=info,warn", "debug"][usize::from(cli.verbose.min(2))];
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level)))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .init();
    match cli.command.call() {
        Ok(code) => code,
        Err(failed) => {
            eprintln!("mountfs: {:#}", failed.error);
            failed.code
        }
    }
}
