//! The browser host: its packages, its build, and its suites in a real Chromium.

use crate::run::{root, run, run_quiet, say};
use crate::tools;
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The npm package.
pub(crate) fn folder() -> PathBuf {
    root().join("host-browser")
}

/// Node 26, an npm package of the project's own: older ones have no JSPI.
pub(crate) fn node() -> PathBuf {
    folder().join("node_modules/node/bin/node")
}

/// Installs the npm packages of a folder, where its lock file is newer than what is there.
pub(crate) fn install(folder: &Path) -> Result<()> {
    let changed = |path: &str| fs::metadata(folder.join(path)).and_then(|file| file.modified());
    let locked = changed("package-lock.json").context("the folder has a package-lock.json")?;
    if changed("node_modules/.package-lock.json").is_ok_and(|installed| installed >= locked) {
        return Ok(());
    }
    say(&format!("installing the npm packages of {}", folder.strip_prefix(root()).unwrap_or(folder).display()));
    let arguments = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    run(Command::new("npm").args(arguments).current_dir(folder)).context("Node 20 or later with npm is needed")
}

/// The package, built; and everything its suites need.
pub(crate) fn build() -> Result<()> {
    install(&folder())?;
    tools::chromium()?;
    say("building host-browser");
    run_quiet(Command::new(node()).arg("scripts/build.mjs").current_dir(folder())).map(drop)
}
