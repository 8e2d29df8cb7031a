//! What becomes of a folder's files, as `benches/browser/fates.ts` saw it on disk.

use super::browser::CONTENDERS;
use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What happened, and what came of it, by contender.
#[derive(Deserialize)]
pub(super) struct Fate {
    what: String,
    results: BTreeMap<String, String>,
}

pub(super) fn page(fates: &[Fate]) -> Result<String> {
    let mut page = String::from(
        "\n## What becomes of data\n\n\
         The guest and another program work in one folder; then the bytes are looked for on disk, or the guest reads them.\n\n|",
    );
    let first = fates.first().context("there is no result")?;
    let names: Vec<_> = CONTENDERS.iter().filter(|(name, ..)| first.results.contains_key(*name)).collect();
    names.iter().for_each(|(_, name, _)| page += &format!(" | {name}"));
    page += &format!(" |\n| ---{} |\n", " | ---".repeat(names.len()));
    for Fate { what, results } in fates {
        write!(page, "| {what}")?;
        for (name, ..) in &names {
            write!(page, " | {}", results.get(*name).context("each contender has a result")?)?;
        }
        page += " |\n";
    }
    Ok(page)
}
