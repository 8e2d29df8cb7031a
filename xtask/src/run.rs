//! Running other programs.

use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The project's root folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in a folder of the project")
}

/// What the crates and suites are built with. Always the same packages, because cargo builds a dependency anew for each
/// set of packages that wants other features of it.
pub(crate) const PACKAGES: [&str; 8] =
    ["-p", "mountfs", "-p", "mountfs-host", "-p", "mountfs-tests", "-p", "mountfs-benches"];

/// The command `mountfs`, once built.
pub(crate) fn mountfs() -> PathBuf {
    root().join("target/debug/mountfs").with_extension(std::env::consts::EXE_EXTENSION)
}

/// Builds the crates, and with them the command `mountfs` and the test suites.
pub(crate) fn cargo_build() -> Result<()> {
    say("building mountfs");
    run(Command::new("cargo").arg("build").args(["--tests", "--bins"]).args(PACKAGES))
}

/// Tells what is about to happen.
pub(crate) fn say(what: &str) {
    eprintln!("xtask: {what}");
}

/// Runs a command, with its output shown; fails when it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed ({status})");
    }
    Ok(())
}

/// Runs a command in silence; fails with its output when it does.
pub(crate) fn run_quiet(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {command:?}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("{command:?} failed ({})\n{stdout}{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(stdout.into_owned())
}
