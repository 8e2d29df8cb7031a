//! Checks that `wit/` parses, and that every item of ours is documented.

use crate::run::root;
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeSet;
use wit_parser::{Resolve, TypeDefKind, WorldKey};

pub(crate) fn parse() -> Result<(Resolve, wit_parser::PackageId)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).context("wit/ does not parse")?;
    Ok((resolve, package))
}

/// Whether some WIT parses beside `wit/`.
pub(crate) fn parse_with(text: &str) -> Result<()> {
    parse()?.0.push_str("block.wit", text).map(drop)
}

/// The names of the interfaces that a world imports, those included that others use.
pub(crate) fn imports_of(world: &str) -> Result<BTreeSet<String>> {
    let (resolve, package) = parse()?;
    let world = resolve.select_world(&[package], Some(world))?;
    let imports = resolve.worlds[world].imports.keys();
    Ok(imports.map(|key: &WorldKey| resolve.name_world_key(key)).collect())
}

/// Fails with the items that have no documentation.
pub(crate) fn check() -> Result<()> {
    let (resolve, package) = parse()?;
    let mut bare = Vec::new();
    let mut note = |docs: &wit_parser::Docs, name: String| {
        if docs.contents.as_ref().is_none_or(|text| text.trim().is_empty()) {
            bare.push(name);
        }
    };
    let package = &resolve.packages[package];
    for (name, id) in &package.worlds {
        note(&resolve.worlds[*id].docs, format!("world {name}"));
    }
    for (interface, id) in &package.interfaces {
        let body = &resolve.interfaces[*id];
        note(&body.docs, format!("interface {interface}"));
        for (name, function) in &body.functions {
            note(&function.docs, format!("{interface}.{name}"));
        }
        for (name, id) in &body.types {
            let item = &resolve.types[*id];
            let part = |part: &str| format!("{interface}.{name}.{part}");
            match &item.kind {
                // `use` brings a type with the documentation it has where it is defined.
                TypeDefKind::Type(_) => continue,
                // What an enum's case means is often in its name.
                TypeDefKind::Record(record) => record.fields.iter().for_each(|f| note(&f.docs, part(&f.name))),
                TypeDefKind::Variant(variant) => variant.cases.iter().for_each(|c| note(&c.docs, part(&c.name))),
                _ => {}
            }
            note(&item.docs, format!("{interface}.{name}"));
        }
    }
    ensure!(bare.is_empty(), "not documented in wit/: {}", bare.join(", "));
    Ok(())
}
