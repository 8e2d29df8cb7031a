//! `cargo xtask test`: named steps, each of which runs alone too, and one line that counts what they ran.

use crate::run::{PACKAGES, root, say};
use crate::{audit, browser, compatibility, components, demo, docs, guarantees, guests, packages, run, tools, wit};
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a step ran.
#[derive(Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

type Step = (&'static str, &'static str, fn() -> Result<Count>);

/// In the order of what they need. Building comes first, because clippy and the suites need the components.
const STEPS: [Step; 16] = [
    ("fmt", "formatting", || one(cargo(&["fmt", "--all", "--check"]))),
    ("wit", "the WIT parses, and documents every item", || one(wit::check())),
    ("build", "the components, with their imports and size; the crates; the guests", || one(build_for_suites())),
    ("clippy", "lints, as errors", || one(clippy())),
    ("docs", "the documentation of the crates and the package builds without a warning", || one(docs::api())),
    ("reference", "docs/reference.md says what wit/ does", || one(docs::reference())),
    ("unit", "path walk and mount table", || suites(Command::new("cargo").args(["test", "-p", "mountfs-component"]))),
    ("python", "the Python module", python),
    ("native", "the host, the command, and interpreters under wasmtime, on real folders", native),
    ("browser", "the browser host, in a real Chromium on real folders", browser::test),
    ("compatibility", "what was run in which host, and what not; docs/compatibility.md says so", || {
        one(compatibility::check())
    }),
    ("guarantees", "the tests that docs/guarantees.md names are there", || one(guarantees::check())),
    ("blocks", "the code blocks of README and documentation are run, type-checked or parsed", docs::blocks),
    ("licences", "what is shipped has licences that let it be", || one(audit::licences())),
    (
        "packages",
        "what a release makes; crates and wheel, each installed into an empty project and used there",
        packages::test,
    ),
    ("demo", "the demo", || one(run_demo())),
];

pub(crate) fn test(only: &[String]) -> Result<()> {
    if only.iter().any(|name| name == "list") {
        STEPS.iter().for_each(|(name, what, _)| println!("{name:13} {what}"));
        return Ok(());
    }
    if let Some(unknown) = only.iter().find(|name| STEPS.iter().all(|(step, ..)| step != name)) {
        bail!("there is no step {unknown:?}: `cargo xtask test list` shows those there are");
    }
    let mut total = Count::default();
    let mut failed = Vec::new();
    for (name, what, step) in STEPS.iter().filter(|(name, ..)| only.is_empty() || only.iter().any(|only| only == name))
    {
        println!("\n=== {name}: {what}");
        let started = Instant::now();
        let count = step().unwrap_or_else(|error| {
            println!("{error:#}");
            Count { passed: 0, failed: 1 }
        });
        println!("=== {name}: {} passed, {} failed in {:.0?}", count.passed, count.failed, started.elapsed());
        total.passed += count.passed;
        total.failed += count.failed;
        if count.failed > 0 {
            failed.push(*name);
        }
    }
    if !failed.is_empty() {
        println!("\nfailed: {}; `cargo xtask test {}` runs only that", failed.join(", "), failed.join(" "));
    }
    println!("\n{} passed, {} failed", total.passed, total.failed);
    ensure!(total.failed == 0, "not everything passed");
    Ok(())
}

/// A step that is one test.
fn one(result: Result<()>) -> Result<Count> {
    result.map(|()| Count { passed: 1, failed: 0 })
}

fn cargo(arguments: &[&str]) -> Result<()> {
    run::run(Command::new("cargo").args(arguments))
}

/// The components, the command and the Python app.
pub(crate) fn build() -> Result<()> {
    components::build()?;
    run::cargo_build()?;
    guests::python().map(drop)
}

/// Everything that the suites need besides what the browser does.
pub(crate) fn build_for_suites() -> Result<()> {
    build()?;
    components::case_guests()?;
    components::bench_guest()?;
    guests::foreign()?;
    guests::cpython_suite()?;
    tools::wasmtime().map(drop)
}

fn clippy() -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(["clippy", "--quiet", "--all-targets", "-p", "xtask", "-p", "mountfs-component"]).args(PACKAGES);
    run::run(command.args(["--", "-D", "warnings"]))?;
    // Debian's toolchain for wasm has no clippy.
    if tools::has_wasm_target()? {
        let packages = ["mountfs-component", "preopen-grants", "case-guest", "bench-guest"].map(|name| ["-p", name]);
        let target = ["--target", tools::WASM, "--target-dir", "target/wasm"];
        run::run(
            Command::new("cargo")
                .args(["clippy", "--quiet"])
                .args(packages.as_flattened())
                .args(target)
                .args(["--", "-D", "warnings"]),
        )?;
    }
    Ok(())
}

fn native() -> Result<Count> {
    // Of the command itself, `cargo test` builds only its unit tests.
    run::cargo_build()?;
    suites(Command::new("cargo").arg("test").args(PACKAGES).arg("--no-fail-fast"))
}

fn run_demo() -> Result<()> {
    demo::run(&guests::python()?, &tools::wasmtime()?)
}

/// Runs cargo's test suites, and counts what they say.
fn suites(command: &mut Command) -> Result<Count> {
    say(&format!("{command:?}"));
    let mut count = Count::default();
    let success = lines(command.stdin(Stdio::null()), |line| {
        // `test result: ok. 7 passed; 0 failed; …`
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let number = |word: &str| {
            let before = result.split(word).next().unwrap_or_default();
            before.split_whitespace().next_back().and_then(|number| number.parse::<usize>().ok()).unwrap_or(0)
        };
        count.passed += number(" passed");
        count.failed += number(" failed");
    })?;
    if !success && count.failed == 0 {
        bail!("{command:?} failed before its tests could");
    }
    ensure!(count.passed + count.failed > 0, "{command:?} ran no test");
    Ok(count)
}

/// Runs a command, shows its output, hands each line of it on; whether it succeeded.
pub(crate) fn lines(command: &mut Command, mut each: impl FnMut(&str)) -> Result<bool> {
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {command:?}"))?;
    let output = child.stdout.take().expect("it is piped");
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        each(&line);
    }
    Ok(child.wait()?.success())
}

/// Python's own runner prints to standard error: `Ran 15 tests in 0.01s`, then `OK` or `FAILED (failures=1, errors=1)`.
fn python() -> Result<Count> {
    let arguments = ["-m", "unittest", "discover", "-s", "guests/python/tests"];
    let output = Command::new("python3")
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(root())
        .output()
        .context("cannot start python3")?;
    let text = String::from_utf8_lossy(&output.stderr);
    print!("{text}");
    let number = |after: &str| {
        let rest = text.rsplit_once(after)?.1;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<usize>().ok()
    };
    let ran = number("Ran ").filter(|ran| *ran > 0).ok_or_else(|| anyhow!("no Python test ran"))?;
    let failed = number("failures=").unwrap_or(0) + number("errors=").unwrap_or(0);
    ensure!(output.status.success() || failed > 0, "the Python tests failed");
    Ok(Count { passed: ran - failed, failed })
}
