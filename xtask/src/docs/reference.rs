//! `docs/reference.md`: the interfaces of `wit/`, as wit-bindgen renders them. The page is kept in the repository, and the
//! step fails when `wit/` says otherwise.

use crate::run::root;
use crate::wit;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use wit_bindgen_core::Files;

const PAGE: &str = "docs/reference.md";

/// What the page shows: ours, and through them what they use of WASI.
const WORLD: &str = "
    package mountfs:docs;

    world reference {
        import mountfs:fs/types@0.1.0;
        import mountfs:fs/mounts@0.1.0;
        import mountfs:fs/grants@0.1.0;
    }
";

const HEAD: &str = "\
# The interfaces

`mountfs:fs`, rendered from [wit/](../wit/) by `cargo xtask test docs`. A guest, or an embedder through a composed app, calls
`mounts`; a host provides `grants`.
";

const FILESYSTEM: &str = "https://github.com/WebAssembly/WASI/tree/main/proposals/filesystem";

/// Compares the page with `wit/`, and writes it anew where it differs.
pub(super) fn check() -> Result<()> {
    let page = page()?;
    let path = root().join(PAGE);
    let is_same = fs::read_to_string(&path).is_ok_and(|kept| kept == page);
    if !is_same {
        fs::write(&path, page)?;
    }
    ensure!(is_same, "{PAGE} said something else than wit/: it is written anew, look at what changed");
    Ok(())
}

fn page() -> Result<String> {
    let (mut resolve, _) = wit::parse()?;
    let package = resolve.push_str("reference.wit", WORLD)?;
    let world = resolve.select_world(&[package], Some("reference"))?;
    let mut files = Files::default();
    wit_bindgen_markdown::Opts::default().build().generate(&mut resolve, world, &mut files)?;
    let (_, text) = files.iter().find(|(name, _)| name.ends_with(".md")).context("wit-bindgen made no Markdown")?;
    let text = str::from_utf8(text)?;
    // WASI has a reference of its own.
    let ours: Vec<_> = text.split("\n## ").filter(|section| section.contains("Import interface mountfs:")).collect();
    ensure!(ours.len() == 3, "wit-bindgen's Markdown has changed: it has {} sections of ours", ours.len());
    let page = format!("{HEAD}\n## {}", ours.join("\n## "));
    let page = page.replace("](#descriptor)", &format!("]({FILESYSTEM})")).replace("Import interface ", "");
    let lines: Vec<_> = page.lines().map(str::trim_end).collect();
    Ok(lines.join("\n").trim_end().to_owned() + "\n")
}
