//! The browser host: its packages, its build, and its suites in a real Chromium.

use crate::run::{self, root, run_quiet, say};
use crate::test::{Count, lines};
use crate::{components, guests, tools};
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The npm package.
fn folder() -> PathBuf {
    root().join("host-browser")
}

/// Node 26, an npm package of the project's own: older ones have no JSPI.
pub(crate) fn node() -> PathBuf {
    folder().join("node_modules/node/bin/node")
}

/// Installs the npm packages of a folder, where its lock file is newer than what is there.
fn install(folder: &Path) -> Result<()> {
    let changed = |path: &str| fs::metadata(folder.join(path)).and_then(|file| file.modified());
    let locked = changed("package-lock.json").context("the folder has a package-lock.json")?;
    if changed("node_modules/.package-lock.json").is_ok_and(|installed| installed >= locked) {
        return Ok(());
    }
    say(&format!("installing the npm packages of {}", folder.strip_prefix(root()).unwrap_or(folder).display()));
    // What the lock file says, as `npm ci` does; which fails, because a package of jco's names optional packages for
    // other platforms that were never published.
    let arguments = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
    run::run(Command::new("npm").args(arguments).current_dir(folder)).context("Node 20 or later with npm is needed")
}

/// The package, built; and everything its suites need.
fn build() -> Result<()> {
    install(&folder())?;
    tools::chromium()?;
    components::composer()?;
    say("building host-browser");
    run_quiet(Command::new(node()).arg("scripts/build.mjs").current_dir(folder())).map(drop)
}

/// The example page, with Python in it.
fn notebook() -> PathBuf {
    root().join("examples/notebook")
}

/// Builds the notebook: Python composed and transpiled, and the page around it.
pub(crate) fn build_notebook() -> Result<()> {
    build()?;
    let notebook = notebook();
    install(&notebook)?;
    let python = guests::python()?;
    let transpiled = notebook.join("public/python/app.js");
    let time = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let sources = [&python, &folder().join("dist/build.js"), &folder().join("artifact/composer.wasm")];
    if sources.iter().any(|source| time(source) > time(&transpiled)) {
        say("transpiling Python for the page");
        let mut command = Command::new(node());
        command.arg(folder().join("bin/mountfs.js")).arg("build").arg(&python).arg("-o").arg("public/python");
        run_quiet(command.current_dir(&notebook))?;
    }
    say("building examples/notebook");
    run_quiet(Command::new(node()).args(["node_modules/vite/bin/vite.js", "build"]).current_dir(&notebook)).map(drop)
}

/// Type-checks, then runs vitest over what needs no browser and what needs a real one.
pub(crate) fn test() -> Result<Count> {
    build_notebook()?;
    tools::desktop()?;
    run::run(tsc().arg("--noEmit").current_dir(folder()))?;
    let mut command = vitest()?;
    let mut count = Count::default();
    let success = lines(command.stdin(Stdio::null()), |line| {
        // `      Tests  1 failed | 164 passed (165)`
        let Some(result) = line.trim().strip_prefix("Tests ") else { return };
        let number = |word: &str| {
            let before = result.split(word).next().filter(|before| before.len() < result.len()).unwrap_or_default();
            before.split([' ', '|']).rfind(|part| !part.is_empty()).and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        count.passed += number(" passed");
        count.failed += number(" failed");
    })?;
    if !success {
        // A file that could not begin has tests that were skipped, and none that failed.
        count.failed = count.failed.max(1);
    }
    ensure!(count.passed + count.failed > 0, "vitest ran no test");
    Ok(count)
}

/// The compiler of TypeScript.
pub(crate) fn tsc() -> Command {
    let mut command = Command::new(node());
    command.arg(folder().join("node_modules/typescript/bin/tsc"));
    command
}

/// The package as its users get it: the file that npm packs.
pub(crate) fn packed() -> Result<PathBuf> {
    build()?;
    let target = root().join("target/package");
    fs::create_dir_all(&target)?;
    let arguments = ["pack", "--silent", "--pack-destination"];
    let name = run_quiet(Command::new("npm").args(arguments).arg(&target).current_dir(folder()))?;
    Ok(target.join(name.trim()))
}

/// That TypeDoc has nothing to warn of.
pub(crate) fn typedoc() -> Result<()> {
    install(&folder())?;
    // It reads with the compiler's own library, which TypeScript 7 does not have yet.
    let typedoc = tools::npm_project("typedoc", &["typedoc@0.28.20", "typescript@6.0.3"])?.join("typedoc/bin/typedoc");
    let mut command = Command::new(node());
    command.arg(typedoc).args(["--treatWarningsAsErrors", "--out"]).arg(root().join("target/doc/typescript"));
    run::run(command.current_dir(folder()))
}

/// The runner of the suites, to be given a file or nothing.
pub(crate) fn vitest() -> Result<Command> {
    let mut command = Command::new(node());
    command.args(["node_modules/vitest/vitest.mjs", "run"]).current_dir(folder());
    command.env("NO_COLOR", "1").env("CHROMIUM", tools::chromium()?);
    Ok(command)
}

/// A script that measures in the page, to be told where the results go.
pub(crate) fn bench(script: &str) -> Result<Command> {
    build_notebook()?;
    let benches = root().join("benches/browser");
    install(&benches)?;
    let mut command = Command::new(node());
    command.arg(script).current_dir(benches).env("CHROMIUM", tools::chromium()?);
    Ok(command)
}

/// Random plans in the page.
pub(crate) fn model(ops: &str, seed: &str) -> Result<()> {
    build()?;
    let mut command = vitest()?;
    command.args(["--project", "cases", "test/cases/model.test.ts"]);
    run::run(command.env("MODEL_OPS", ops).env("MODEL_SEED", seed))
}

/// `cargo xtask demo --browser`: the notebook on a real folder, and what reached the disk.
pub(crate) fn demo() -> Result<()> {
    build_notebook()?;
    let demo = root().join("target/demo/browser");
    let _ = fs::remove_dir_all(&demo);
    let project = demo.join("project");
    fs::create_dir_all(&project)?;
    fs::write(project.join("notes.txt"), "made by another program\n")?;
    let mut command = Command::new(node());
    command.arg("scripts/demo.ts").arg(&project).arg(demo.join("notebook.png")).current_dir(folder());
    run::run(command.env("CHROMIUM", tools::chromium()?))
}
