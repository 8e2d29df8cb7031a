//! `docs/guarantees.md` names tests: they have to be there.

use crate::run::root;
use anyhow::{Context as _, Result, bail, ensure};
use std::fs;

/// In each item of a list and each row of a table, a code span that is a file, and then others that stand in it.
pub(crate) fn check() -> Result<()> {
    let page = fs::read_to_string(root().join("docs/guarantees.md"))?;
    let (mut file, mut named, mut missing) = (None, 0, Vec::new());
    for line in page.lines() {
        let is_item = line.starts_with("- `") || line.starts_with("| ");
        if is_item || !line.starts_with("  ") {
            file = None;
        }
        if !is_item && !line.starts_with("  ") {
            continue;
        }
        for span in line.split('`').skip(1).step_by(2) {
            if [".rs", ".ts", ".toml"].iter().any(|end| span.ends_with(end)) {
                file =
                    Some((span, fs::read_to_string(root().join(span)).with_context(|| format!("there is no {span}"))?));
            } else if let Some((path, text)) = &file {
                named += 1;
                if !text.contains(span) {
                    missing.push(format!("{path}: {span}"));
                }
            }
        }
    }
    ensure!(named > 0, "docs/guarantees.md names no test");
    if !missing.is_empty() {
        bail!("docs/guarantees.md names tests that are not there:\n{}", missing.join("\n"));
    }
    Ok(())
}
