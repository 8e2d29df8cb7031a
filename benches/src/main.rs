//! What a composed guest costs, measured beside the same guest on a preopen, in one run. `cargo xtask bench` calls this.

mod host;
mod native;
mod python;
mod report;
mod side_by_side;

use anyhow::Result;
use clap::Parser;
use std::path::PathBuf;

/// Measurements, side by side.
#[derive(Parser)]
enum Cli {
    /// Measure, and write the results as JSON.
    Native {
        /// Where the guests are.
        #[arg(long)]
        guests: PathBuf,
        /// Where the results go.
        #[arg(long)]
        results: PathBuf,
        /// Turns of each measurement.
        #[arg(long, default_value_t = 101)]
        turns: usize,
    },
    /// Make `performance.md` and its pictures from the results.
    Report {
        /// The folder of the documentation.
        #[arg(long)]
        docs: PathBuf,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    match Cli::parse() {
        Cli::Native { guests, results, turns } => {
            let measured = native::measure(&guests, turns).await?;
            std::fs::write(&results, serde_json::to_string_pretty(&measured)? + "\n")?;
            Ok(())
        }
        Cli::Report { docs } => report::write(&docs),
    }
}
