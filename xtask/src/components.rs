//! Builds the two components that `mountfs-host` embeds.

use crate::run::{root, run, say};
use crate::{tools, wit};
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use wit_component::{ComponentEncoder, DecodedWasm};

/// Library, world, and bytes it may have at most.
const COMPONENTS: [(&str, &str, usize); 2] =
    [("mountfs_component", "component", 150 << 10), ("preopen_grants", "preopen-grants", 60 << 10)];

/// Where a component goes: beside the crate that embeds it.
pub(crate) fn artifact(world: &str) -> PathBuf {
    let name = if world == "component" { "mountfs" } else { "preopen_grants" };
    root().join("host-native/artifact").join(name).with_extension("wasm")
}

/// Builds both, and checks what they import and their size.
pub(crate) fn build() -> Result<()> {
    say("building the components");
    let target = root().join("target/wasm");
    let mut cargo = tools::wasm_cargo()?;
    cargo.args(["build", "--quiet", "--profile", "component", "--target", tools::WASM, "--target-dir"]).arg(&target);
    run(cargo.args(["-p", "mountfs-component", "-p", "preopen-grants"]))?;

    for (library, world, most) in COMPONENTS {
        let module = target.join(tools::WASM).join("component").join(library).with_extension("wasm");
        let module = fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
        let component = ComponentEncoder::default().validate(true).module(&module)?.encode()?;
        ensure!(component.len() <= most, "{world} has {} bytes, more than {most}", component.len());
        check_imports(world, &component)?;
        let artifact = artifact(world);
        fs::create_dir_all(artifact.parent().expect("it is in a folder"))?;
        // Unchanged bytes keep their time, so that nothing that embeds them is built again.
        if fs::read(&artifact).ok().as_deref() != Some(&component) {
            fs::write(&artifact, &component)?;
        }
        say(&format!("{}: {} bytes", artifact.strip_prefix(root())?.display(), component.len()));
    }
    Ok(())
}

/// A component may import less than its world, never more.
fn check_imports(world: &str, component: &[u8]) -> Result<()> {
    let DecodedWasm::Component(resolve, id) = wit_component::decode(component)? else {
        anyhow::bail!("{world} is not a component");
    };
    let imports: BTreeSet<_> = resolve.worlds[id].imports.keys().map(|key| resolve.name_world_key(key)).collect();
    let named = wit::imports_of(world)?;
    let stray: Vec<_> = imports.difference(&named).collect();
    ensure!(stray.is_empty(), "{world} imports what its world does not name: {stray:?}");
    Ok(())
}
