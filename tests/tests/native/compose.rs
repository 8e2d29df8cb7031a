//! Composition: what is taken, and what is refused with a reason.

use mountfs_host::{ComposeError, Grants, compose};
use mountfs_tests::guest;
use wasmtime::component::Component;
use wasmtime::{Engine, Result};

/// What a component imports and exports, by name.
fn names(component: &[u8]) -> Result<(Vec<String>, Vec<String>)> {
    let engine = Engine::default();
    let component = Component::new(&engine, component)?;
    let ty = component.component_type();
    let imports = ty.imports(&engine).map(|(name, _)| name.to_owned()).collect();
    let exports = ty.exports(&engine).map(|(name, _)| name.to_owned()).collect();
    Ok((imports, exports))
}

/// A component that imports one function and exports nothing.
fn importing(import: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (import \"{import}\" (instance (export \"f\" (func)))))")).unwrap()
}

#[test]
fn a_preview_1_command_is_made_a_component() {
    let app = wat::parse_str(super::cli::WRITES_A_FILE).unwrap();
    let composed = compose(&app, Grants::Host).unwrap();
    let (imports, exports) = names(&composed).unwrap();
    assert!(imports.iter().any(|name| name.starts_with("mountfs:fs/grants@")), "{imports:?}");
    assert!(!imports.iter().any(|name| name.starts_with("mountfs:fs/mounts@")), "{imports:?}");
    assert!(exports.iter().any(|name| name.starts_with("wasi:cli/run@")), "{exports:?}");
    assert!(exports.iter().any(|name| name == "mountfs:fs/mounts@0.1.0"), "{exports:?}");
}

#[test]
fn on_preopens_nothing_of_ours_is_left_to_import_but_types() {
    let app = wat::parse_str(super::cli::WRITES_A_FILE).unwrap();
    let composed = compose(&app, Grants::Preopens).unwrap();
    let (imports, _) = names(&composed).unwrap();
    let ours: Vec<_> = imports.iter().filter(|name| name.starts_with("mountfs:")).collect();
    assert_eq!(ours, ["mountfs:fs/types@0.1.0"]);
}

#[test]
fn the_python_app_connects_completely() {
    let app = std::fs::read(guest("python")).unwrap();
    let composed = compose(&app, Grants::Host).unwrap();
    assert!(matches!(compose(&composed, Grants::Host), Err(ComposeError::AlreadyComposed)));
}

#[test]
fn interpreters_compose_whatever_wasi_0_2_they_were_built_for() {
    for (interpreter, version) in [("quickjs", "0.2.3"), ("python", "0.2.9"), ("ruby", "0.2.12")] {
        let app = std::fs::read(guest(interpreter)).unwrap();
        let app = mountfs_host::to_component(&app).unwrap();
        let import = format!("wasi:filesystem/types@{version}");
        let is_there = app.windows(import.len()).any(|bytes| bytes == import.as_bytes());
        assert!(is_there, "{interpreter} does not import {import}");
        compose(&app, Grants::Host).unwrap();
    }
}

#[test]
fn an_import_of_another_version_is_not_left_to_the_host_in_silence() {
    for import in ["mountfs:fs/mounts@0.2.0", "wasi:filesystem/types@0.3.0"] {
        let error = compose(&importing(import), Grants::Host).unwrap_err();
        assert!(matches!(error, ComposeError::OtherVersion { .. }), "{error}");
        assert!(error.to_string().contains(import), "{error}");
    }
}

#[test]
fn what_is_not_webassembly_is_refused() {
    for bytes in [&b""[..], b"#!/usr/bin/python", b"\0asm", b"\0asm\x07\0\x05\0", b"\0asm\x0d\0\x01\0broken"] {
        assert!(matches!(compose(bytes, Grants::Host), Err(ComposeError::NotWasm(_))), "{bytes:?}");
    }
}

#[test]
fn a_core_module_that_is_no_command_is_refused() {
    let app = wat::parse_str("(module (import \"env\" \"f\" (func)) (func (export \"_start\")))").unwrap();
    let Err(ComposeError::NotAdaptable(why)) = compose(&app, Grants::Host) else { panic!("adapted") };
    assert!(why.contains("env"), "{why}");
}

#[test]
fn an_app_without_files_has_nothing_to_connect() {
    let module = wat::parse_str("(module (memory (export \"memory\") 1) (func (export \"_start\")))").unwrap();
    for app in [importing("a:b/c"), module] {
        assert!(matches!(compose(&app, Grants::Host), Err(ComposeError::NothingToConnect)));
    }
}

#[test]
fn an_import_that_does_not_fit_is_an_error_that_names_it() {
    for import in ["mountfs:fs/mounts@0.1.0", "wasi:filesystem/types@0.2.3"] {
        let Err(error) = compose(&importing(import), Grants::Host) else { panic!("composed {import}") };
        assert!(matches!(error, ComposeError::DoesNotFit { .. }), "{error}");
        assert!(error.to_string().contains(import), "{error}");
    }
}
