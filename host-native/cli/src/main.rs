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
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

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
    let log = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(has_colours(&std::io::stderr()))
        .log_internal_errors(false)
        .without_time()
        .with_target(false);
    tracing_subscriber::registry().with(log).with(told(cli.verbose)).init();
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

/// What is told of what goes on.
fn told(verbose: u8) -> Targets {
    let said = std::env::var("RUST_LOG").ok().and_then(|said| said.parse().ok());
    said.unwrap_or_else(|| match verbose {
        0 => Targets::new().with_default(Level::WARN),
        // Those whose names begin so.
        1 => Targets::new().with_default(Level::WARN).with_target("mountfs", Level::INFO),
        _ => Targets::new().with_default(Level::DEBUG),
    })
}

/// Whether colours are shown there: on a terminal that has them, unless NO_COLOR is set.
fn has_colours(stream: &impl anstream::stream::RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(|error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
