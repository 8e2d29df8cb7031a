//! `cargo xtask bench native`: what a composed guest costs, measured beside the same guest on a preopen, in one run.

mod host;
mod native;
mod python;
mod side_by_side;

use anyhow::Result;
use clap::Parser;
use std::path::PathBuf;

/// Measures, and writes the results as JSON.
#[derive(Parser)]
struct Cli {
    /// Where the guests are.
    #[arg(long)]
    guests: PathBuf,
    /// Where the results go.
    #[arg(long)]
    results: PathBuf,
    /// Turns of each measurement.
    #[arg(long, default_value_t = 21)]
    turns: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let Cli { guests, results, turns } = Cli::parse();
    let measured = native::measure(&guests, turns).await?;
    std::fs::write(&results, serde_json::to_string_pretty(&measured)?)?;
    Ok(())
}
