//! Whether what is shipped may be, and whether anybody knows a hole in it.

use crate::run::{root, run, run_quiet, say};
use anyhow::{Result, ensure};
use serde::Deserialize;
use spdx::{Expression, Licensee, ParseMode};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

/// `deny.toml`, as far as it is read here too.
#[derive(Deserialize)]
struct Deny {
    licenses: Allowed,
}

#[derive(Deserialize)]
struct Allowed {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    license: Option<String>,
}

#[derive(Deserialize)]
struct Lock {
    packages: BTreeMap<String, Package>,
}

#[derive(Deserialize)]
struct Package {
    license: Option<String>,
    #[serde(default)]
    dev: bool,
}

/// That every crate, and every npm package that ours brings along, has a licence of `deny.toml`'s list.
pub(crate) fn licences() -> Result<()> {
    let deny: Deny = toml::from_str(&fs::read_to_string(root().join("deny.toml"))?)?;
    let allowed: Vec<_> = deny.licenses.allow.iter().map(|name| Licensee::parse(name)).collect::<Result<_, _>>()?;
    let metadata = run_quiet(Command::new("cargo").args(["metadata", "--format-version", "1", "--locked"]))?;
    let crates: Metadata = serde_json::from_str(&metadata)?;
    let lock: Lock = serde_json::from_str(&fs::read_to_string(root().join("host-browser/package-lock.json"))?)?;
    let crates = crates.packages.into_iter().map(|krate| (format!("{} {}", krate.name, krate.version), krate.license));
    // The first is the package itself.
    let packages = lock.packages.into_iter().filter(|(name, package)| !name.is_empty() && !package.dev);
    let packages = packages.map(|(name, package)| (name.replace("node_modules/", "npm "), package.license));
    let mut counts = BTreeMap::<_, usize>::new();
    let mut refused = BTreeSet::new();
    for (name, licence) in crates.chain(packages) {
        let licence = licence.unwrap_or_else(|| "none".to_owned());
        let fits = Expression::parse_mode(&licence, ParseMode::LAX)
            .is_ok_and(|parsed| parsed.evaluate(|wanted| allowed.iter().any(|allowed| allowed.satisfies(wanted))));
        if !fits {
            refused.insert(format!("{name}: {licence}"));
        }
        *counts.entry(licence).or_default() += 1;
    }
    ensure!(refused.is_empty(), "licences that deny.toml does not allow:\n{}", Vec::from_iter(refused).join("\n"));
    counts.iter().for_each(|(licence, count)| println!("{count:4} {licence}"));
    Ok(())
}

/// That nobody has published a hole in what we depend on. What it says changes from day to day, so that it is no test of a
/// commit.
pub(crate) fn audit() -> Result<()> {
    licences()?;
    if run_quiet(&mut cargo_deny(&["--version"])).is_err() {
        say("installing cargo-deny: cargo install cargo-deny --locked");
        run(Command::new("cargo").args(["install", "--quiet", "--locked", "cargo-deny@0.20.2"]))?;
    }
    let (mut findings, mut unknown) = (Vec::new(), Vec::new());
    println!("\n=== cargo deny: licences, versions and sources");
    if run(&mut cargo_deny(&["check", "licenses", "bans", "sources"])).is_err() {
        findings.push("cargo deny".to_owned());
    }
    println!("\n=== cargo deny: advisories");
    if run(&mut cargo_deny(&["fetch", "db"])).is_err() {
        unknown.push("cargo deny".to_owned());
    } else if run(&mut cargo_deny(&["--offline", "check", "advisories"])).is_err() {
        findings.push("cargo deny: advisories".to_owned());
    }
    for folder in ["host-browser", "examples/notebook", "benches/browser"] {
        let what = format!("npm audit: {folder}");
        println!("\n=== {what}");
        // What is only used to build and test is not shipped.
        let mut npm = Command::new("npm");
        match run_quiet(npm.args(["audit", "--omit=dev", "--json"]).current_dir(root().join(folder))) {
            Ok(_) => println!("none"),
            Err(error) => {
                println!("{error:#}");
                // Without a report the registry was not asked, or did not answer.
                if error.to_string().contains("auditReportVersion") { &mut findings } else { &mut unknown }.push(what);
            }
        }
    }
    ensure!(findings.is_empty(), "found something: {}", findings.join(", "));
    ensure!(unknown.is_empty(), "nothing found, but these could not ask for advisories: {}", unknown.join(", "));
    Ok(())
}

fn cargo_deny(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.arg("deny").args(arguments).current_dir(root());
    command
}
