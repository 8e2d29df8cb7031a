//! `cargo xtask soak`: the tests that try to break a promise, for as long as it takes to be fairly sure.

use crate::browser;
use crate::model::{self, Host};
use crate::run::{PACKAGES, run, say};
use crate::test::build_for_suites;
use anyhow::{Result, bail};
use std::process::Command;

/// One long test: what it tries, where, and the variables that make it long.
struct Soak {
    name: &'static str,
    what: &'static str,
    suite: Suite,
    long: &'static [(&'static str, &'static str)],
}

enum Suite {
    /// Tests of the native suite whose names begin so.
    Native(&'static str),
    /// A file of the browser's suites.
    Browser(&'static str),
    /// Random plans, in one host.
    Model(Host),
}

const SOAKS: [Soak; 12] = [
    Soak {
        name: "faults",
        what: "each call to the system fails in each way",
        suite: Suite::Native("faults"),
        long: &[("FAULTS", "all")],
    },
    Soak {
        name: "races",
        what: "others edit and remove while the guest syncs, a thousand times",
        suite: Suite::Native("races"),
        long: &[("RACE_ROUNDS", "1000")],
    },
    Soak {
        name: "killed",
        what: "the command is killed, a thousand times",
        suite: Suite::Native("killed"),
        long: &[("KILL_ROUNDS", "1000")],
    },
    Soak {
        name: "hostile",
        what: "a million calls with hostile paths and sizes, composed and not",
        suite: Suite::Native("hostile"),
        long: &[("FUZZ_OPS", "1000000")],
    },
    Soak {
        name: "memory",
        what: "what a hostile guest makes the host hold, fifty times as long",
        suite: Suite::Native("memory"),
        long: &[("HOSTILE_TIMES", "50")],
    },
    Soak { name: "model", what: "a million random operations", suite: Suite::Model(Host::Native), long: &[] },
    Soak {
        name: "page-faults",
        what: "each call to the browser fails in each way",
        suite: Suite::Browser("test/cases/faults.test.ts"),
        long: &[("FAULTS", "all")],
    },
    Soak {
        name: "page-races",
        what: "others edit and remove while the page syncs, a thousand times",
        suite: Suite::Browser("test/cases/races.test.ts"),
        long: &[("RACE_ROUNDS", "1000")],
    },
    Soak {
        name: "page-killed",
        what: "the browser is killed, a thousand times",
        suite: Suite::Browser("test/e2e/killed.test.ts"),
        long: &[("KILL_ROUNDS", "1000")],
    },
    Soak {
        name: "page-hostile",
        what: "a hundred thousand calls with hostile paths and sizes",
        suite: Suite::Browser("test/cases/hostile.test.ts"),
        long: &[("FUZZ_OPS", "100000")],
    },
    Soak {
        name: "page-journal",
        what: "ten thousand files of a tab that died",
        suite: Suite::Browser("test/e2e/journal.test.ts"),
        long: &[("JOURNAL_FILES", "10000")],
    },
    Soak { name: "page-model", what: "a million random operations", suite: Suite::Model(Host::Browser), long: &[] },
];

/// Runs those with these names, or all; goes on when one fails.
pub(crate) fn soak(only: &[String]) -> Result<()> {
    if only.iter().any(|name| name == "list") {
        SOAKS.iter().for_each(|soak| println!("{:13} {}", soak.name, soak.what));
        return Ok(());
    }
    if let Some(unknown) = only.iter().find(|name| SOAKS.iter().all(|soak| soak.name != **name)) {
        bail!("there is no {unknown:?} to soak: `cargo xtask soak list` shows those there are");
    }
    build_for_suites()?;
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
            Suite::Model(host) => return model::model(1_000_000, None, Some(host)),
            Suite::Native(filter) => {
                let mut command = Command::new("cargo");
                command.arg("test").args(PACKAGES).args(["--test", "native", "--"]);
                command.args([&format!("{filter}::"), "--nocapture"]);
                command
            }
            Suite::Browser(file) => browser::suite(file)?,
        };
        run(command.envs(self.long.iter().copied()))
    }
}
