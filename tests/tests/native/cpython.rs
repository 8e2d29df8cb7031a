//! CPython's own tests of files, in a preopened directory of plain wasmtime and in a mount: no test that passes there may
//! fail here. `tests/scripts/cpython_tests.py` runs them, in an interpreter that knows of no mounts.

use mountfs_tests::{Folder, guest, root};
use std::collections::BTreeMap;
use std::process::Command as Process;
use std::sync::LazyLock;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::p2::bindings::Command;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

const INTERPRETER: &str = "python-3.12";
/// Debian's package of the tests of 3.11, the nearest version that there is one of.
const SUITE: &str = "target/tools/libpython3.11/usr/lib/python3.11";

struct Plain {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Plain {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

static PLAIN: LazyLock<(Engine, Component)> = LazyLock::new(|| {
    let mut config = Config::new();
    config.max_wasm_stack(16 << 20).async_stack_size(18 << 20);
    let engine = Engine::new(&config).expect("the settings fit");
    let app = std::fs::read(guest(INTERPRETER)).expect("the interpreter is readable");
    let app = mountfs_host::to_component(&app).expect("it is a command");
    let component = Component::new(&engine, app).expect("it compiles");
    (engine, component)
});

fn arguments(module: &str) -> [&str; 5] {
    ["python", "/scripts/cpython_tests.py", "/local", "/suite", module]
}

async fn preopened(module: &str) -> String {
    let (engine, component) = &*PLAIN;
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
    let (folder, out) = (Folder::new(), MemoryOutputPipe::new(16 << 20));
    let wasi = WasiCtx::builder()
        .args(&arguments(module))
        .stdout(out.clone())
        .preopened_dir(folder.path(), "/local", FsPerms::ReadWrite)
        .and_then(|wasi| wasi.preopened_dir(root().join(SUITE), "/suite", FsPerms::ReadOnly))
        .and_then(|wasi| wasi.preopened_dir(root().join("tests/scripts"), "/scripts", FsPerms::ReadOnly))
        .unwrap()
        .build();
    let mut store = Store::new(engine, Plain { wasi, table: ResourceTable::new() });
    let command = Command::instantiate_async(&mut store, component, &linker).await.unwrap();
    // How it ends says nothing that its lines do not.
    let _ = command.wasi_cli_run().call_run(&mut store).await;
    String::from_utf8_lossy(&out.contents()).into_owned()
}

fn mounted(module: &str) -> String {
    let (folder, state) = (Folder::new(), tempfile::tempdir().unwrap());
    let run = Process::new(root().join("target/debug/mountfs"))
        .env("XDG_CACHE_HOME", root().join("target/cache"))
        .env("XDG_STATE_HOME", state.path())
        .args(["run", "--no-prompt", "--mount", &format!("/local={}", folder.path().display())])
        .args(["--mount", &format!("/suite={}:ro", root().join(SUITE).display())])
        .args(["--mount", &format!("/scripts={}:ro", root().join("tests/scripts").display())])
        .arg(guest(INTERPRETER))
        .args(&arguments(module)[1..])
        .output()
        .unwrap();
    String::from_utf8_lossy(&run.stdout).into_owned()
}

/// By test, whether it passed; a test can fail in several of its parts.
fn outcomes(lines: &str) -> BTreeMap<&str, bool> {
    let mut outcomes = BTreeMap::new();
    for (outcome, test) in lines.lines().filter_map(|line| line.split_once(' ')) {
        // Tests print lines of their own.
        if matches!(outcome, "ok" | "failed" | "skipped") {
            *outcomes.entry(test).or_insert(true) &= outcome == "ok";
        }
    }
    outcomes
}

async fn no_worse(module: &str) {
    let (preopened, mounted) = (preopened(module).await, mounted(module));
    let (preopened, mounted) = (outcomes(&preopened), outcomes(&mounted));
    let passed = preopened.iter().filter(|(_, passed)| **passed).count();
    println!("{module}: {passed} of {} pass in a preopened directory", preopened.len());
    assert!(passed > 0, "no test of {module} passed in a preopened directory: {preopened:?}");
    let worse: Vec<_> =
        preopened.iter().filter(|(test, passed)| **passed && mounted.get(*test) != Some(&true)).collect();
    assert!(worse.is_empty(), "in a mount these do not pass: {worse:?}");
}

macro_rules! modules {
    ($($module:ident)*) => {$(
        #[tokio::test]
        async fn $module() {
            no_worse(stringify!($module)).await;
        }
    )*};
}

modules! {
    test_dbm_dumb test_file test_filecmp test_fileinput test_fileio test_genericpath test_glob test_gzip test_import test_io
    test_largefile test_os test_posix test_posixpath test_py_compile test_shelve test_shutil test_tarfile test_tempfile
    test_unicode_file_functions test_univnewlines test_zipapp test_zipimport
}
