//! `cargo xtask release`: makes and checks all that is published, and prints how. It uploads nothing.

use crate::run::{root, run_quiet};
use crate::{browser, packages, wit};
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Deserialize)]
struct Named {
    version: String,
}

#[derive(Deserialize)]
struct Python {
    project: Named,
}

/// The files that would go to the registries.
pub(crate) struct Made {
    pub(crate) crates: Vec<PathBuf>,
    pub(crate) npm: PathBuf,
    pub(crate) wheel: PathBuf,
}

/// `dry_run` checks what can be known before the day: not that the changelog has the date, and that all is committed.
pub(crate) fn release(dry_run: bool) -> Result<Made> {
    one_version()?;
    if !dry_run {
        ready()?;
    }
    let made = Made { crates: packages::packed_crates()?, npm: browser::packed()?, wheel: packages::packed_wheel()? };
    println!("\nmade of {}:", run_quiet(Command::new("git").args(["describe", "--always", "--dirty"]))?.trim());
    for file in made.crates.iter().chain([&made.npm, &made.wheel]) {
        let bytes = fs::read(file)?;
        println!("  {:x}  {:>9}  {}", Sha256::digest(&bytes), bytes.len(), relative(file));
    }
    println!("\nto publish them, in this order:");
    println!("  cargo publish {}", packages::CRATES.map(|name| format!("-p {name}")).join(" "));
    println!("  npm publish {}{}", relative(&made.npm), of_another().unwrap_or_default());
    println!("  python3 -m twine upload {}", relative(&made.wheel));
    println!("  git tag v{VERSION} && git push origin v{VERSION}");
    Ok(made)
}

/// A word of warning, when npm has another project's package by this name.
fn of_another() -> Option<String> {
    let known = run_quiet(Command::new("npm").args(["view", "mountfs", "repository.url"])).ok()?;
    let is_another = !known.trim().is_empty() && !known.contains(env!("CARGO_PKG_REPOSITORY"));
    is_another.then(|| format!("  # the name is that of {}: ask for it, or take another", known.trim()))
}

fn relative(path: &Path) -> std::path::Display<'_> {
    path.strip_prefix(root()).unwrap_or(path).display()
}

/// Crates, npm package, wheel and interfaces are released together.
fn one_version() -> Result<()> {
    let read = |path: &str| fs::read_to_string(root().join(path)).with_context(|| format!("cannot read {path}"));
    let npm: Named = serde_json::from_str(&read("host-browser/package.json")?)?;
    let python: Python = toml::from_str(&read("guests/python/pyproject.toml")?)?;
    let (resolve, package) = wit::parse()?;
    let wit = resolve.packages[package].name.version.as_ref().context("wit/ has a version")?.to_string();
    for (what, version) in [
        ("host-browser/package.json", npm.version),
        ("guests/python/pyproject.toml", python.project.version),
        ("wit/", wit),
    ] {
        ensure!(version == VERSION, "{what} has the version {version}, and Cargo.toml {VERSION}");
    }
    let changelog = read("CHANGELOG.md")?;
    ensure!(changelog.contains(VERSION), "CHANGELOG.md says nothing of {VERSION}");
    Ok(())
}

fn ready() -> Result<()> {
    let changed = run_quiet(Command::new("git").args(["status", "--porcelain"]))?;
    ensure!(changed.is_empty(), "not everything is committed:\n{changed}");
    let changelog = fs::read_to_string(root().join("CHANGELOG.md"))?;
    let section = format!("## {VERSION} (");
    ensure!(changelog.contains(&section), "CHANGELOG.md has no section `{section}YYYY-MM-DD)`");
    Ok(())
}
