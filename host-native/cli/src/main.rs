//! The command `mountfs`: parse, call, print, exit code. One file a verb.

/// Tells the user something. That nobody can read it is no reason to end otherwise than the app did.
macro_rules! tell {
    ($($said:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(anstream::stderr(), $($said)*);
    }};
}

mod app;
mod checks;
mod commands;
mod engine;
mod folder;
mod hint;
mod limit;
mod nearest;
mod progress;
mod prompt;

use anstream::{AutoStream, ColorChoice};
use clap::builder::Styles;
use clap::{ArgAction, Parser};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Where more is said of each verb.
const MORE: &str = "`mountfs VERB --help` says more of a verb, and `mountfs man FOLDER` writes a manual page for each.";

/// Run an interpreter that is a WebAssembly component in folders you choose, and nowhere else.
#[derive(Parser)]
#[command(name = "mountfs", version, max_term_width = 100, after_help = MORE)]
struct Cli {
    /// Say more: once what is decided, twice each step. RUST_LOG, where it is set, says it finer.
    #[arg(short, long, action = ArgAction::Count, global = true)]
    verbose: u8,

    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| commands::meant(error).exit());
    let level = ["warn", "mountfs=info,mountfs_host=info,warn", "debug"][usize::from(cli.verbose.min(2))];
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level)))
        .with_writer(std::io::stderr)
        .with_ansi(has_colours(&std::io::stderr()))
        .log_internal_errors(false)
        .without_time()
        .with_target(false)
        .init();
    match cli.command.call() {
        Ok(code) => code,
        // As in `mountfs grants | head -1`: nobody reads on.
        Err(failed) if is_broken_pipe(&failed.error) => failed.code,
        Err(failed) => {
            let style = *Styles::styled().get_error();
            tell!("{style}mountfs:{style:#} {:#}", failed.error);
            failed.code
        }
    }
}

/// Whether colours are shown there: on a terminal that has them, unless NO_COLOR is set.
fn has_colours(stream: &impl anstream::stream::RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(|error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
