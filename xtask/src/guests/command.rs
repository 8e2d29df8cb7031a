//! A WASI preview 1 command made of an interpreter that is a library, or that wants more of its host than WASI.

use crate::run::{root, run_quiet, say};
use crate::tools;
use anyhow::{Context as _, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A module of `guests/NAME/` that the interpreter imports from, or that starts it.
pub(super) struct Link {
    /// What the others import it as.
    pub(super) import: &'static str,
    pub(super) module: &'static str,
}

/// What a command exports; all else goes, and with it what only that needed.
const EXPORTS: &str = r#"[
    {"name": "command", "root": true, "reaches": ["start", "memory"]},
    {"name": "start", "export": "_start"},
    {"name": "memory", "export": "memory"}
]"#;

/// Links an interpreter, which the modules of `guests/NAME/` import as `name`, with them.
pub(super) fn link(name: &str, interpreter: &Path, links: &[Link]) -> Result<Vec<u8>> {
    say(&format!("linking {name}"));
    let file = |extension| root().join("target/guests").join(name).with_extension(extension);
    let (linked, exports, command) = (file("linked"), file("exports"), file("command"));

    let mut merge = binaryen("wasm-merge")?;
    merge.arg(interpreter).arg(name);
    for Link { import, module } in links {
        merge.arg(root().join("guests").join(name).join(module)).arg(import);
    }
    // A module that is there under two names exports all twice.
    run_quiet(merge.args(["--rename-export-conflicts", "--enable-bulk-memory", "-o"]).arg(&linked))?;

    fs::write(&exports, EXPORTS)?;
    run_quiet(binaryen("wasm-metadce")?.arg(&linked).arg("--graph-file").arg(&exports).arg("-o").arg(&command))?;
    let bytes = fs::read(&command).with_context(|| format!("cannot read {}", command.display()))?;
    for file in [linked, exports, command] {
        fs::remove_file(file)?;
    }
    Ok(bytes)
}

fn binaryen(program: &str) -> Result<Command> {
    let mut command = Command::new("node");
    command.arg(tools::npm_file("binaryen@132.0.0", &format!("bin/{program}"))?);
    Ok(command)
}
