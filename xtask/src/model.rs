//! `cargo xtask model`: the random plans of the suites, as many as one likes.

use crate::run::{root, run, say};
use crate::{browser, test};
use anyhow::Result;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub(crate) enum Host {
    Native,
    Browser,
}

pub(crate) fn model(ops: u64, seed: Option<u64>, host: Option<Host>) -> Result<()> {
    test::build_for_suites()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (ops, seed) = (ops.to_string(), seed.unwrap_or(now).to_string());
    say(&format!("about {ops} operations from seed {seed}"));
    if host != Some(Host::Browser) {
        let mut command = Command::new(root().join("target/debug/model"));
        // Every plan syncs, and there that costs nothing.
        if Path::new("/dev/shm").is_dir() {
            command.env("TMPDIR", "/dev/shm");
        }
        run(command.args(["run", "--ops", &ops, "--seed", &seed]))?;
    }
    if host != Some(Host::Native) {
        browser::model(&ops, &seed)?;
    }
    Ok(())
}
