//! `cargo xtask soak`: the tests that try to break a promise, for as long as it takes to be fairly sure.

use crate::model::{self, Host};
use crate::run::{PACKAGES, run, say};
use crate::{browser, test};
use anyhow::{Result, bail};
use std::process::Command;

/// A test of the suites that is short there: what it tries, where it is, and the variables that make it long.
struct Soak {
    name: &'static str,
    what: &'static str,
    suite: Suite,
    long: &'static [(&'static str, &'static str)],
}

enum Suite {
    /// A module of the native suite.
    Native(&'static str),
    /// A file of the browser's suites.
    Browser(&'static str),
    /// Random plans in one host.
    Model(Host),
}

use Suite::{Browser, Model, Native};

const fn soak(
    name: &'static str,
    what: &'static str,
    suite: Suite,
    long: &'static [(&'static str, &'static str)],
) -> Soak {
    Soak { name, what, suite, long }
}

const SOAKS: [Soak; 14] = [
    soak("faults", "each call of the system fails, in each way", Native("faults"), &[("FAULTS", "all")]),
    soak("races", "others edit and remove while the guest syncs", Native("races"), &[("RACE_ROUNDS", "1000")]),
    soak("killed", "the command is killed", Native("killed"), &[("KILL_ROUNDS", "1000")]),
    soak("hostile", "calls with hostile paths and sizes", Native("hostile"), &[("FUZZ_OPS", "1000000")]),
    soak("memory", "what a hostile guest makes the host hold", Native("memory"), &[("HOSTILE_TIMES", "50")]),
    soak("model", "a million random operations", Model(Host::Native), &[]),
    soak(
        "page-faults",
        "each call of the browser fails, in each way",
        Browser("test/cases/faults.test.ts"),
        &[("FAULTS", "all"), ("FAULTS_LOCAL", "all")],
    ),
    soak(
        "page-races",
        "others edit and remove while the page syncs",
        Browser("test/e2e/races.test.ts"),
        &[("RACE_ROUNDS", "1000")],
    ),
    soak("page-killed", "the browser is killed", Browser("test/e2e/killed.test.ts"), &[("KILL_ROUNDS", "1000")]),
    soak("page-swaps", "what a killed browser leaves", Browser("test/e2e/swaps.test.ts"), &[("SWAP_ROUNDS", "50")]),
    soak(
        "page-hostile",
        "calls with hostile paths and sizes",
        Browser("test/cases/fuzz.test.ts"),
        &[("FUZZ_OPS", "100000")],
    ),
    soak(
        "page-memory",
        "what a hostile app makes the page hold",
        Browser("test/files/memory.browser.test.ts"),
        &[("STORM", "100")],
    ),
    soak(
        "page-journal",
        "what the journal costs, and ten thousand files of a tab that died",
        Browser("test/e2e/journal-cost.test.ts"),
        &[("JOURNAL_ROUNDS", "21"), ("JOURNAL_FILES", "10000")],
    ),
    soak("page-model", "a million random operations", Model(Host::Browser), &[]),
];

/// Runs those with these names, or all; goes on when one fails.
pub(crate) fn run_all(only: &[String]) -> Result<()> {
    if only.iter().any(|name| name == "list") {
        SOAKS.iter().for_each(|soak| println!("{:13} {}", soak.name, soak.what));
        return Ok(());
    }
    if let Some(unknown) = only.iter().find(|name| SOAKS.iter().all(|soak| soak.name != **name)) {
        bail!("there is no {unknown:?} to soak: `cargo xtask soak list` shows those there are");
    }
    test::build_for_suites()?;
    browser::build_notebook()?;
    let mut failed = Vec::new();
    for soak in SOAKS.iter().filter(|soak| only.is_empty() || only.iter().any(|name| name == soak.name)) {
        say(&format!("{}: {}", soak.name, soak.what));
        if let Err(error) = soak.run() {
            say(&format!("{} failed: {error:#}", soak.name));
            failed.push(soak.name);
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("failed: {}", failed.join(", ")) }
}

impl Soak {
    fn run(&self) -> Result<()> {
        let mut command = match self.suite {
            Model(host) => return model::model(1_000_000, None, Some(host)),
            Native(module) => {
                let mut command = Command::new("cargo");
                command.arg("test").args(PACKAGES).args(["--test", "native", "--", "--nocapture"]);
                command.arg(format!("{module}::"));
                command
            }
            Browser(file) => {
                let mut command = browser::vitest()?;
                command.arg(file);
                command
            }
        };
        run(command.envs(self.long.iter().copied()))
    }
}
