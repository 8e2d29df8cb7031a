//! `docs/performance.md` and its pictures, from the results of the runs.

mod browser;
mod fates;
mod native;

use crate::native::Measured;
use anyhow::Result;
use serde::de::DeserializeOwned;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

const HEAD: &str = "# Performance

Made by `cargo xtask bench native` and `cargo xtask bench browser`, which measure and write this page; the figures are in
[performance/](performance/). Nothing here is a promise about another machine: what is compared was measured turn by turn, in one
run, and the ratio is what counts. What was tried for speed, and what it gave: [performance/tried.md](performance/tried.md).

";

/// Writes the page and the pictures into the folder of the documentation, from the results that are there.
pub(crate) fn write(docs: &Path) -> Result<()> {
    let folder = docs.join("performance");
    let mut page = HEAD.to_owned();
    if let Some(results) = read::<Measured>(&folder.join("native.json"))? {
        fs::write(folder.join("native.svg"), native::picture(&results.blocking))?;
        page += &native::page(&results)?;
    }
    if let Some(results) = read::<browser::Results>(&folder.join("browser.json"))? {
        fs::write(folder.join("browser.svg"), browser::picture(&results))?;
        page += &browser::page(&results)?;
    }
    if let Some(results) = read::<Vec<fates::Fate>>(&folder.join("fates.json"))? {
        page += &fates::page(&results)?;
    }
    fs::write(docs.join("performance.md"), page)?;
    Ok(())
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match fs::read(path) {
        Ok(results) => Ok(Some(serde_json::from_slice(&results)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
