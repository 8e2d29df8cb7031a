//! `cargo xtask test packages`: the packages as their users get them, each installed into an empty project and used there. (The
//! one of npm has a suite of its own: `host-browser/test/e2e/package.test.ts`.)

use crate::run::{cargo_build, root, run, run_quiet, say};
use crate::test::Count;
use crate::tools;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Those that go to crates.io, each after what it depends on.
pub(crate) const CRATES: [&str; 3] = ["mountfs-compose", "mountfs-host", "mountfs"];

/// What a script leaves in the folder that it was given.
const SCRIPT: &str = "open('/work/hello.txt', 'w').write('hello')";

/// All of them.
pub(crate) fn test() -> Result<Count> {
    let python = crate::guests::python()?;
    let crates = unpacked(&packed_crates()?)?;
    let mut count = Count::default();
    let mut tried = |what: &str, result: Result<()>| match result {
        Ok(()) => count.passed += 1,
        Err(error) => {
            println!("{what}: {error:#}");
            count.failed += 1;
        }
    };
    tried("the command", command(&crates, &python));
    tried("the library", library(&crates, &python));
    tried("the wheel", wheel());
    // What was built for them took the place of our own.
    cargo_build()?;
    Ok(count)
}

fn folder() -> PathBuf {
    root().join("target/package")
}

/// The files that would go to crates.io.
pub(crate) fn packed_crates() -> Result<Vec<PathBuf>> {
    say("packing the crates");
    let mut cargo = Command::new("cargo");
    // That they build is seen where they are used.
    cargo.args(["package", "--quiet", "--no-verify", "--allow-dirty"]);
    run(cargo.args(CRATES.map(|name| ["-p", name]).as_flattened()))?;
    CRATES
        .into_iter()
        .map(|name| {
            let packed = folder().join(format!("{name}-{}.crate", env!("CARGO_PKG_VERSION")));
            let size = fs::metadata(&packed).with_context(|| format!("{} is not there", packed.display()))?.len();
            // What crates.io takes.
            ensure!(size <= 10 << 20, "{} has {size} bytes", packed.display());
            println!("{name}: {} KiB", size >> 10);
            Ok(packed)
        })
        .collect()
}

/// Unpacks them into an empty folder.
fn unpacked(packed: &[PathBuf]) -> Result<PathBuf> {
    let crates = folder().join("crates");
    let _ = fs::remove_dir_all(&crates);
    fs::create_dir_all(&crates)?;
    for packed in packed {
        run_quiet(Command::new("tar").arg("-xzf").arg(packed).arg("-C").arg(&crates))?;
    }
    Ok(crates)
}

/// A cargo that finds our crates where crates.io will have them, and builds what it has built already no second time.
fn cargo(crates: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.env("CARGO_TARGET_DIR", root().join("target")).env_remove("CARGO_MANIFEST_DIR");
    for name in CRATES {
        let path = crates.join(format!("{name}-{}", env!("CARGO_PKG_VERSION")));
        cargo.arg("--config").arg(format!("patch.crates-io.{name}.path='{}'", path.display()));
    }
    for setting in ["debug='line-tables-only'", "package.'*'.opt-level=2", "package.'*'.debug=false"] {
        cargo.arg("--config").arg(format!("profile.dev.{setting}"));
    }
    cargo
}

/// `cargo install mountfs`, with nothing for WebAssembly on the machine.
fn command(crates: &Path, python: &Path) -> Result<()> {
    let installed = folder().join("installed");
    let _ = fs::remove_dir_all(&installed);
    let mut install = cargo(crates);
    install.args(["install", "--quiet", "--debug", "--locked", "--path"]);
    install.arg(crates.join(format!("mountfs-{}", env!("CARGO_PKG_VERSION"))));
    run(install.arg("--root").arg(&installed).current_dir(crates))?;
    works(|work| {
        let mut command = Command::new(installed.join("bin/mountfs"));
        command.args(["run", "--no-prompt", "--mount"]).arg(format!("/work={}", work.display()));
        command.arg(python).args(["-c", SCRIPT]);
        command
    })
}

/// `examples/embed`, which becomes a project that depends on the packed crates.
fn library(crates: &Path, python: &Path) -> Result<()> {
    let project = folder().join("embed");
    let _ = fs::remove_dir_all(&project);
    fs::create_dir_all(project.join("src"))?;
    let example = root().join("examples/embed");
    fs::copy(example.join("src/main.rs"), project.join("src/main.rs"))?;
    let manifest = fs::read_to_string(example.join("Cargo.toml"))?;
    let path = r#", path = "../../host-native""#;
    ensure!(manifest.contains(path), "examples/embed depends on mountfs-host by its path");
    fs::write(project.join("Cargo.toml"), manifest.replace(path, ""))?;
    // The same versions as everything else.
    fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock"))?;
    works(|work| {
        let mut run = cargo(crates);
        run.args(["run", "--quiet", "--"]).arg(python).arg(work).arg(SCRIPT).current_dir(&project);
        run
    })
}

/// The Python module, of which `componentize-py` makes an app in an environment that has nothing else.
fn wheel() -> Result<()> {
    let packed = packed_wheel()?;
    let project = folder().join("python");
    let _ = fs::remove_dir_all(&project);
    fs::create_dir_all(&project)?;
    let environment = project.join("environment");
    run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let mut pip = Command::new(environment.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", tools::COMPONENTIZE]).arg(&packed);
    run(&mut pip)?;
    let mut componentize = Command::new(environment.join("bin/componentize-py"));
    componentize.args(["-q", "-w", "mountfs:python/app", "componentize", "mountfs_app", "-o", "app.wasm"]);
    run(componentize.env("VIRTUAL_ENV", &environment).current_dir(&project))?;
    works(|work| {
        let mut command = Command::new(crate::run::mountfs());
        command.args(["run", "--no-prompt", "--grant"]).arg(format!("pyscript={}", work.display()));
        let mounts = "from mountfs import fs; await fs.mount('/work')";
        command.arg(project.join("app.wasm")).args(["-c", &format!("{mounts}; {SCRIPT}; await fs.sync('/work')")]);
        command
    })
}

/// The file that would go to PyPI.
pub(crate) fn packed_wheel() -> Result<PathBuf> {
    say("packing the wheel");
    let options = ["-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--wheel-dir"];
    run(Command::new("python3").args(options).arg(folder()).arg(root().join("guests/python")))?;
    let wheel = folder().join(format!("mountfs-{}-py3-none-any.whl", env!("CARGO_PKG_VERSION")));
    ensure!(wheel.exists(), "{} is not there", wheel.display());
    Ok(wheel)
}

/// Runs a command that runs the script, and looks for what it wrote.
fn works(command: impl FnOnce(&Path) -> Command) -> Result<()> {
    let work = tempfile::tempdir_in(folder())?;
    run_quiet(&mut command(work.path()))?;
    let text = fs::read_to_string(work.path().join("hello.txt")).context("it wrote nothing")?;
    ensure!(text == "hello", "it wrote {text:?}");
    Ok(())
}
