//! What an app is, and whether it would run here.

use super::{Check, size};
use crate::app::{self, MOUNTS, Surface, Unusable};
use crate::commands::run;
use crate::engine;
use anyhow::{Result, bail};
use serde_json::json;
use std::path::Path;
use wasmtime::Engine;
use wasmtime::component::Component;
use wit_component::{ComponentEncoder, DecodedWasm, StringEncoding};
use wit_parser::{LiftLowerAbi, ManglingAndAbi};

const GRANTS: &str = "mountfs:fs/grants@";

pub(crate) fn all(path: &Path) -> Vec<Check> {
    look(path).unwrap_or_else(|error| {
        let (says, instead) = match error.downcast::<Unusable>() {
            Ok(Unusable { why, instead }) => (why, instead),
            Err(error) => (format!("{error:#}"), None),
        };
        let todo = instead.unwrap_or_else(|| "name an app that is there and is WebAssembly".to_owned());
        vec![Check::problem("app", says, todo, json!({ "path": path }))]
    })
}

fn look(path: &Path) -> Result<Vec<Check>> {
    let bytes = app::read(path)?;
    let surface = Surface::of(&bytes)?;
    let engine = engine::engine()?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    Ok(vec![
        what_it_is(path, &bytes, &surface),
        what_it_imports(&surface),
        how_it_mounts(&surface),
        whether_it_runs(&engine, &name, &bytes),
        whether_it_is_compiled(&engine, &bytes),
    ])
}

fn what_it_is(path: &Path, bytes: &[u8], surface: &Surface) -> Check {
    let kind = match (surface.is_component, surface.exports(MOUNTS)) {
        (false, _) if surface.is_no_command().is_some() => "core module",
        (false, _) => "preview 1 command",
        (true, false) => "component",
        (true, true) => "composed component",
    };
    let facts = json!({ "path": path, "kind": kind, "bytes": bytes.len() });
    Check::ok("app", format!("{}: a {kind} of {}", path.display(), size(bytes.len() as u64)), facts)
}

fn what_it_imports(surface: &Surface) -> Check {
    let mut versions: Vec<_> = surface.imports.iter().filter_map(|import| wasi_version(import)).collect();
    // 0.2.9 is before 0.2.12.
    versions.sort_by_key(|version| version.split('.').map(|part| part.parse::<u32>().ok()).collect::<Vec<_>>());
    versions.dedup();
    let facts = json!({ "wasi": versions, "imports": surface.imports });
    match versions.is_empty() {
        true => Check::ok("imports", "nothing of WASI", facts),
        false => Check::ok("imports", format!("WASI {}", versions.join(", ")), facts),
    }
}

/// `wasi:io/streams@0.2.3` is of 0.2.3.
fn wasi_version(import: &str) -> Option<&str> {
    match import.strip_prefix("wasi:") {
        Some(interface) => Some(interface.split_once('@')?.1),
        None => (import == "wasi_snapshot_preview1").then_some("preview 1"),
    }
}

fn how_it_mounts(surface: &Surface) -> Check {
    let imports = surface.imports(MOUNTS);
    let composed = surface.exports(MOUNTS);
    let on_preopens = composed && !surface.imports(GRANTS);
    let facts = json!({ "imports_mounts": imports, "on_preopens": on_preopens });
    match (composed, on_preopens, imports) {
        (true, true, _) => {
            let todo = "give them with --dir HOST::/local, or compose it without --preopen-grants";
            Check::note("mounts", "its grants come from preopens, not from --mount and --grant", todo, facts)
        }
        (true, false, _) => Check::ok("mounts", "as it was composed: what is inside may mount folders", facts),
        (false, _, true) => Check::ok("mounts", "it can ask for folders itself", facts),
        (false, _, false) => {
            let todo = "mount them before it starts, with --mount";
            Check::note("mounts", "it cannot ask for folders itself: it does not import mountfs:fs/mounts", todo, facts)
        }
    }
}

fn whether_it_runs(engine: &Engine, name: &str, bytes: &[u8]) -> Check {
    match engine::prepare(bytes).and_then(|app| stand_in(&app)).and_then(|app| {
        let component = Component::new(engine, app)?;
        run::link(engine, name, &component).map(drop)
    }) {
        Ok(()) => Check::ok("runs", "it composes, and all that it imports is there", json!({ "runs": true })),
        Err(error) => {
            let todo =
                "make it a command of WASI 0.2 (wasm32-wasip2) or preview 1 (wasm32-wasip1), which imports no more";
            Check::problem("runs", format!("{error:#}"), todo, json!({ "runs": false }))
        }
    }
}

/// What has the imports and exports of a component and none of its code, so that whether they fit is known at once: an
/// interpreter takes up to a minute to compile.
fn stand_in(component: &[u8]) -> Result<Vec<u8>> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
        bail!("it is the text of an interface, and not an app");
    };
    let mut module = wit_component::dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default().module(&module)?.encode()
}

fn whether_it_is_compiled(engine: &Engine, bytes: &[u8]) -> Check {
    let kept = engine::kept(engine, bytes).filter(|kept| kept.exists());
    let facts = json!({ "kept": kept });
    match kept {
        Some(_) => Check::ok("starts", "at once: it is compiled and kept", facts),
        None => Check::ok("starts", "after it is compiled, once: an interpreter takes up to a minute", facts),
    }
}
