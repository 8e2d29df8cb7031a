//! `cargo xtask test packages`: what a release makes, each installed into an empty project and used there. (The package of npm
//! has a suite of its own for that: `host-browser/test/e2e/package.test.ts`.)

use crate::release::release;
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
const SCRIPT: &str = "open('/project/hello.txt', 'w').write('hello')";

/// All of them.
pub(crate) fn test() -> Result<Count> {
    let python = crate::guests::python()?;
    let made = release(true)?;
    built(&unpacked(&made.crates)?)?;
    // The release itself is one.
    let mut count = Count { passed: 1, failed: 0 };
    let mut tried = |what: &str, result: Result<()>| match result {
        Ok(()) => count.passed += 1,
        Err(error) => {
            println!("{what}: {error:#}");
            count.failed += 1;
        }
    };
    tried("the command", command(&python));
    tried("the library", library(&python));
    tried("the wheel", wheel(&made.wheel));
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

/// Builds the packed crates, and `examples/embed` as a project that depends on them, with nothing for WebAssembly: so does
/// `cargo install mountfs`. All at once and as the checkout does it, so that what they depend on is built no second time.
fn built(crates: &Path) -> Result<()> {
    let example = root().join("examples/embed");
    let embed = crates.join("embed");
    fs::create_dir_all(embed.join("src"))?;
    fs::copy(example.join("src/main.rs"), embed.join("src/main.rs"))?;
    let manifest: toml::Table = toml::from_str(&fs::read_to_string(example.join("Cargo.toml"))?)?;
    fs::write(embed.join("Cargo.toml"), toml::to_string(&depending_on_packed(manifest)?)?)?;

    let ours: toml::Table = toml::from_str(&fs::read_to_string(root().join("Cargo.toml"))?)?;
    let packed = |name: &str| format!("{name}-{}", env!("CARGO_PKG_VERSION"));
    let patches = CRATES.map(|name| format!("{name} = {{ path = \"{}\" }}\n", packed(name))).concat();
    let mut project: toml::Table = toml::from_str(&format!("[patch.crates-io]\n{patches}"))?;
    let members = CRATES.map(packed).into_iter().chain(["embed".to_owned()]).collect::<Vec<_>>();
    let workspace = [("members".to_owned(), members.into()), ("resolver".to_owned(), "3".into())];
    project.insert("workspace".into(), toml::Table::from_iter(workspace).into());
    project.insert("profile".into(), ours["profile"].clone());
    fs::write(crates.join("Cargo.toml"), toml::to_string(&project)?)?;
    // The same versions as everything else.
    fs::copy(root().join("Cargo.lock"), crates.join("Cargo.lock"))?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--bins"]).current_dir(crates);
    run(cargo.env("CARGO_TARGET_DIR", root().join("target")))
}

/// The example's manifest, as it is outside of this repository.
fn depending_on_packed(mut manifest: toml::Table) -> Result<toml::Table> {
    manifest.retain(|key, _| key != "workspace" && key != "profile");
    let host = manifest.get_mut("dependencies").and_then(|all| all.get_mut("mountfs-host")?.as_table_mut());
    host.and_then(|host| host.remove("path")).context("examples/embed depends on mountfs-host by its path")?;
    Ok(manifest)
}

fn binary(name: &str) -> PathBuf {
    root().join("target/debug").join(name).with_extension(std::env::consts::EXE_EXTENSION)
}

fn command(python: &Path) -> Result<()> {
    works(|work| {
        let mut command = Command::new(binary("mountfs"));
        command.args(["run", "--no-prompt", "--mount"]).arg(format!("/project={}", work.display()));
        command.arg(python).args(["-c", SCRIPT]);
        command
    })
}

fn library(python: &Path) -> Result<()> {
    works(|work| {
        let mut command = Command::new(binary("embed"));
        command.arg(python).arg(work).arg(SCRIPT);
        command
    })
}

/// The Python module, of which `componentize-py` makes an app in an environment that has nothing else.
fn wheel(packed: &Path) -> Result<()> {
    let project = folder().join("python");
    let _ = fs::remove_dir_all(&project);
    fs::create_dir_all(&project)?;
    let environment = project.join("environment");
    run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let mut pip = Command::new(environment.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", tools::COMPONENTIZE]).arg(packed);
    run(&mut pip)?;
    let mut componentize = Command::new(environment.join("bin/componentize-py"));
    componentize.args(["-q", "-w", "mountfs:python/app", "componentize", "mountfs_app", "-o", "app.wasm"]);
    run(componentize.env("VIRTUAL_ENV", &environment).current_dir(&project))?;
    works(|work| {
        let mut command = Command::new(crate::run::mountfs());
        command.args(["run", "--no-prompt", "--grant"]).arg(format!("pyscript={}", work.display()));
        let mounts = "from mountfs import fs; await fs.mount('/project')";
        command.arg(project.join("app.wasm")).args(["-c", &format!("{mounts}; {SCRIPT}; await fs.sync('/project')")]);
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
