//! Builds the two components that `mountfs-compose` embeds, the one that carries it, and the guest of the cases.

use crate::run::{root, run, say};
use crate::{tools, wit};
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use wasmparser::BinaryReader;
use wit_component::{ComponentEncoder, DecodedWasm};

/// World, library, where the component goes, and bytes it may have at most.
const COMPONENTS: [(&str, &str, &str, usize); 2] = [
    ("component", "mountfs_component", "compose/artifact/mountfs.wasm", 120 << 10),
    ("preopen-grants", "preopen_grants", "compose/artifact/preopen_grants.wasm", 60 << 10),
];

/// Builds both, and checks what they import and their size.
pub(crate) fn build() -> Result<()> {
    say("building the components");
    compile(&["-p", "mountfs-component", "-p", "preopen-grants"])?;
    for (world, library, artifact, most) in COMPONENTS {
        let component = encode(library)?;
        ensure!(component.len() <= most, "{world} has {} bytes, more than {most}", component.len());
        check_imports(world, &component)?;
        keep(artifact, &component)?;
    }
    Ok(())
}

/// Builds the composer that the npm package carries, with those components in it.
pub(crate) fn composer() -> Result<()> {
    say("building the composer");
    compile(&["-p", "mountfs-composer"])?;
    keep("host-browser/artifact/composer.wasm", &encode("mountfs_composer")?)
}

/// Builds the guest of the cases: the one that is composed, and the one that goes past the component.
pub(crate) fn case_guests() -> Result<()> {
    compile(&["-p", "case-guest"])?;
    keep("target/guests/case.wasm", &encode("case_guest")?)?;
    compile(&["-p", "case-guest", "--features", "direct"])?;
    keep("target/guests/direct.wasm", &encode("case_guest")?)
}

/// Builds the guest of the measurements.
pub(crate) fn bench_guest() -> Result<()> {
    compile(&["-p", "bench-guest"])?;
    keep("target/guests/bench.wasm", &encode("bench_guest")?)
}

/// Where cargo puts what is built for [`tools::WASM`].
fn target() -> PathBuf {
    root().join("target/wasm")
}

fn compile(packages: &[&str]) -> Result<()> {
    let mut cargo = tools::wasm_cargo()?;
    cargo.args(["build", "--quiet", "--profile", "component", "--target", tools::WASM, "--target-dir"]).arg(target());
    run(cargo.args(packages))
}

/// A library, as a component.
fn encode(library: &str) -> Result<Vec<u8>> {
    let module = target().join(tools::WASM).join("component").join(library).with_extension("wasm");
    let module = fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
    let component = ComponentEncoder::default().validate(true).module(&module)?.encode()?;
    without_names(&component)
}

/// A component without the names that wit-component gives its parts for debuggers: a twelfth of it.
fn without_names(component: &[u8]) -> Result<Vec<u8>> {
    let (preamble, mut rest) = component.split_at_checked(8).context("a component has a preamble")?;
    let mut kept = preamble.to_vec();
    // Each section is its number, its length and its contents (component model, `Binary.md`).
    while !rest.is_empty() {
        let mut reader = BinaryReader::new(rest, 0);
        let (number, length) = (reader.read_u8()?, reader.read_var_u32()? as usize);
        let contents = reader.original_position();
        let (section, after) = rest.split_at_checked(contents + length).context("a section is cut off")?;
        let is_names = number == 0 && BinaryReader::new(&section[contents..], 0).read_string()? == "component-name";
        if !is_names {
            kept.extend(section);
        }
        rest = after;
    }
    Ok(kept)
}

fn keep(artifact: &str, component: &[u8]) -> Result<()> {
    let path = root().join(artifact);
    fs::create_dir_all(path.parent().expect("it is in a folder"))?;
    // Unchanged bytes keep their time, so that nothing that embeds them is built again.
    if fs::read(&path).ok().as_deref() != Some(component) {
        fs::write(&path, component)?;
    }
    say(&format!("{artifact}: {} bytes", component.len()));
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
