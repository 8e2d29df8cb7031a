//! `cargo xtask demo`: the main job on real input.

use crate::run::{cargo_build, mountfs, root, say};
use crate::{components, guests, tools};
use anyhow::{Context as _, Result, ensure};
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

/// What the tour leaves in the folder.
const RESULT: &str = "lines.csv";

pub(crate) fn demo() -> Result<()> {
    components::build()?;
    cargo_build()?;
    run(&guests::python()?, &tools::wasmtime()?)
}

/// The demo itself, once everything is there.
pub(crate) fn run(python: &Path, wasmtime: &Path) -> Result<()> {
    say("making a folder with this repository's own sources: target/demo/sources");
    let demo = root().join("target/demo");
    let folder = demo.join("sources");
    let _ = fs::remove_dir_all(&demo);
    for part in ["README.md", "wit", "component", "host-native", "guests", "examples"] {
        copy(&root().join(part), &folder.join(part))?;
    }

    title("CPython 3.14 in a folder, under mountfs");
    tour(Command::new(mountfs()).args(["run", "--no-prompt", "--grant"]).arg(grant(&folder)).arg(python).arg("-"))?;
    show(&folder)?;

    title("The same under plain wasmtime, with no host code of ours");
    let anywhere = demo.join("python-anywhere.wasm");
    let mut compose = Command::new(mountfs());
    succeed(compose.arg("compose").arg(python).arg("-o").arg(&anywhere).arg("--preopen-grants"))?;
    let preopen = format!("{}::/local", relative(&folder));
    let mut plain = Command::new(wasmtime);
    // An interpreter needs a deeper stack than wasmtime's default.
    plain.args(["run", "-W", "max-wasm-stack=8388608", "--dir", &preopen]).arg(&anywhere).arg("-");
    tour(&mut plain)?;
    show(&folder)?;
    Ok(())
}

fn grant(folder: &Path) -> String {
    format!("pyscript={}", relative(folder))
}

fn tour(command: &mut Command) -> Result<()> {
    command.stdin(File::open(root().join("examples/tour.py"))?);
    print_command(command, " < examples/tour.py");
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "the tour failed ({status})");
    Ok(())
}

fn succeed(command: &mut Command) -> Result<()> {
    print_command(command, "");
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} failed ({status})");
    Ok(())
}

/// The file on disk, as any other program sees it; gone afterwards, so that the next tour writes its own.
fn show(folder: &Path) -> Result<()> {
    let result = folder.join(RESULT);
    let text = fs::read_to_string(&result).with_context(|| format!("{} is not on disk", result.display()))?;
    println!("\n-- on disk, read without mountfs: {}", relative(&result));
    text.lines().take(5).for_each(|line| println!("   {line}"));
    fs::remove_file(result)?;
    Ok(())
}

fn title(text: &str) {
    println!("\n=== {text} ===");
}

/// As one would type it.
fn print_command(command: &Command, rest: &str) {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> =
        words.map(|word| word.to_string_lossy().replace(&format!("{}/", root().display()), "")).collect();
    println!("$ {}{rest}", words.join(" ").replace("target/debug/mountfs", "mountfs"));
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// What was installed or built is not for the tour.
const NO_SOURCES: [&str; 6] = ["__pycache__", "artifact", "dist", "node_modules", "public", "target"];

/// Sources only.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            if NO_SOURCES.iter().all(|no| name != *no) {
                copy(&from.join(&name), &to.join(&name))?;
            }
        }
    } else {
        fs::create_dir_all(to.parent().expect("it is in a folder"))?;
        fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}
