//! `cargo xtask test docs`: the documentation says what is so.

mod blocks;
mod reference;
mod types;

use crate::run::run;
use crate::test::Count;
use anyhow::Result;
use std::process::Command;

/// That rustdoc and TypeDoc have nothing to warn of.
pub(crate) fn api() -> Result<()> {
    let packages = ["mountfs-component", "mountfs-compose", "mountfs-host"].map(|name| ["-p", name]);
    let mut rustdoc = Command::new("cargo");
    rustdoc.args(["doc", "--quiet", "--no-deps"]).args(packages.as_flattened());
    run(rustdoc.env("RUSTDOCFLAGS", "-D warnings"))?;
    crate::browser::typedoc()
}

/// That the page of the interfaces is as `wit/` has them.
pub(crate) fn reference() -> Result<()> {
    reference::check()
}

/// That what is shown in code blocks works.
pub(crate) fn blocks() -> Result<Count> {
    blocks::check()
}
