//! `cargo xtask bench`: measures, and writes `docs/performance.md`.

use crate::run::{self, root, run, say};
use crate::{components, guests};
use anyhow::Result;
use std::fs;
use std::process::Command;

/// Measures natively, and writes the page.
pub(crate) fn bench(turns: Option<u32>) -> Result<()> {
    components::build()?;
    run::cargo_build()?;
    components::bench_guest()?;
    guests::python_312()?;
    let docs = root().join("docs");
    fs::create_dir_all(docs.join("performance"))?;
    let benches = || Command::new(root().join("target/debug/mountfs-benches"));
    say("measuring: leave the machine alone, it takes some minutes");
    let mut native = benches();
    native.arg("native").arg("--guests").arg(root().join("target/guests"));
    native.arg("--results").arg(docs.join("performance/native.json"));
    if let Some(turns) = turns {
        native.args(["--turns", &turns.to_string()]);
    }
    run(&mut native)?;
    run(benches().arg("report").arg("--docs").arg(&docs))
}
