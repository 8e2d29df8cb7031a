//! Random plans against a model. `cargo xtask model` calls this.

use anyhow::Result;
use clap::Parser;
use mountfs_tests::model::{expected, generate, run};
use std::io::{self, BufRead as _};

/// Random plans of steps against a plain model and against `std::fs`.
#[derive(Parser)]
enum Model {
    /// Run them under wasmtime. A plan that fails is shortened, and printed with its seed.
    Run(Plans),
    /// Print them, as JSON, with what the model says of each step, for another host to run.
    Print(Plans),
    /// Read a plan's lines, and print it in the same way.
    Expect,
}

#[derive(clap::Args)]
struct Plans {
    /// About so many operations in all.
    #[arg(long, default_value_t = 10_000)]
    ops: u64,
    /// The same plans for the same seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    match Model::parse() {
        Model::Run(Plans { ops, seed }) => {
            println!("{} operations from seed {seed}: no difference", run(ops, seed)?);
        }
        Model::Print(Plans { ops, seed }) => {
            let all = generate(ops, seed)?.map(|plan| expected(&plan?)).collect::<Result<Vec<_>>>()?;
            println!("{}", serde_json::to_string(&all)?);
        }
        Model::Expect => {
            let lines = io::stdin().lock().lines().collect::<Result<Vec<_>, _>>()?;
            println!("{}", serde_json::to_string(&expected(&lines)?)?);
        }
    }
    Ok(())
}
