//! `cargo xtask bench`: measures, and writes `docs/performance.md`.

use crate::model::Host;
use crate::run::{self, root, run, say};
use crate::{browser, components, guests};
use anyhow::Result;
use std::fs;
use std::process::Command;

/// Measures in one host, or in both, and writes the page.
pub(crate) fn bench(host: Option<Host>, rounds: Option<u32>) -> Result<()> {
    components::build()?;
    run::cargo_build()?;
    let docs = root().join("docs");
    let results = docs.join("performance");
    fs::create_dir_all(&results)?;
    let benches = || Command::new(root().join("target/debug/mountfs-benches"));
    say("measuring: leave the machine alone");
    if host != Some(Host::Browser) {
        components::bench_guest()?;
        guests::python_312()?;
        let mut native = benches();
        native.arg("native").arg("--guests").arg(root().join("target/guests"));
        native.arg("--results").arg(results.join("native.json"));
        if let Some(rounds) = rounds {
            native.args(["--turns", &rounds.to_string()]);
        }
        run(&mut native)?;
    }
    if host != Some(Host::Native) {
        run(browser::bench("fates.ts")?.arg("--results").arg(results.join("fates.json")))?;
        let mut browser = browser::bench("bench.ts")?;
        browser.arg("--results").arg(results.join("browser.json"));
        if let Some(rounds) = rounds {
            browser.args(["--rounds", &rounds.to_string()]);
        }
        run(&mut browser)?;
    }
    run(benches().arg("report").arg("--docs").arg(&docs))
}
