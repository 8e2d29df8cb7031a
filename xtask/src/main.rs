//! `cargo xtask`: the only build driver. It installs what is missing, builds, demonstrates and tests.

mod audit;
mod bench;
mod browser;
mod compatibility;
mod components;
mod demo;
mod docs;
mod guarantees;
mod guests;
mod model;
mod packages;
mod release;
mod run;
mod soak;
mod test;
mod tools;
mod wit;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Builds, demonstrates and tests mountfs. What is missing on the machine is installed first, and said.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything and show it: CPython works in a real folder, under our host and under plain wasmtime.
    Demo {
        /// The same in a page: CPython in headless Chromium, on a real folder, with a screenshot.
        #[arg(long)]
        browser: bool,
    },
    /// Check and test everything. The last line counts it: `N passed, N failed`.
    Test {
        /// Only the steps with these names; all of them otherwise. `list` prints the names.
        steps: Vec<String>,
    },
    /// The tests that try to break a promise, long enough to be fairly sure. Hours, for all.
    Soak {
        /// Only those with these names; all of them otherwise. `list` prints the names.
        names: Vec<String>,
    },
    /// Look for published holes in what we depend on: `cargo deny` and `npm audit`. Needs the network.
    Audit,
    /// Measure side by side, and write docs/performance.md.
    Bench {
        /// Only under wasmtime, or only in the page.
        host: Option<model::Host>,
        /// How often each is measured: natively 101 times by default, in the page 3. Fewer are quicker and say less.
        #[arg(long)]
        rounds: Option<u32>,
    },
    /// Random operations against a plain model, until they differ or all are done. Prints what it takes to run them again.
    Model {
        /// About how many, in each host.
        #[arg(long, default_value_t = 1_000_000)]
        ops: u64,
        /// Which ones. Otherwise others each time.
        #[arg(long)]
        seed: Option<u64>,
        /// Only under wasmtime, or only in the page.
        #[arg(long)]
        host: Option<model::Host>,
    },
    /// Make and check all that is published, and print how to publish it. Uploads nothing.
    Release {
        /// Before the day of the release: also with changes that are not committed, and without a date in the changelog.
        #[arg(long)]
        dry_run: bool,
    },
    /// Build the components, the command `mountfs` and the Python app.
    Build {
        /// Only the components, which the Rust crates embed.
        #[arg(long)]
        components: bool,
    },
}

fn main() -> ExitCode {
    let result = std::env::set_current_dir(run::root()).map_err(Into::into).and_then(|()| Cli::parse().task.run());
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Task {
    fn run(self) -> Result<()> {
        match self {
            Self::Demo { browser: false } => demo::demo(),
            Self::Demo { browser: true } => {
                components::build()?;
                run::cargo_build()?;
                browser::demo()
            }
            Self::Soak { names } => soak::run_all(&names),
            Self::Audit => audit::audit(),
            Self::Bench { host, rounds } => bench::bench(host, rounds),
            Self::Model { ops, seed, host } => model::model(ops, seed, host),
            Self::Release { dry_run } => release::release(dry_run).map(drop),
            Self::Test { steps } => test::test(&steps),
            Self::Build { components: true } => components::build(),
            Self::Build { components: false } => test::build(),
        }
    }
}
