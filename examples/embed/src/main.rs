//! Runs Python's `code` in a folder: `embed PYTHON.wasm FOLDER CODE`. The script sees the folder at /project, and nothing else.

use mountfs_host::{Access, GrantKey, Grants, MountOptions, MountfsCtx, MountfsCtxView, MountfsView, Mounts};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Result, Store, format_err};
use wasmtime_wasi::p2::bindings::Command;
use wasmtime_wasi::{I32Exit, WasiCtx, WasiCtxView, WasiView};

struct Guest {
    wasi: WasiCtx,
    mountfs: MountfsCtx,
    table: ResourceTable,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl MountfsView for Guest {
    fn mountfs(&mut self) -> MountfsCtxView<'_> {
        MountfsCtxView { ctx: &mut self.mountfs, wasi: &mut self.wasi, table: &mut self.table }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [python, folder, code] = &arguments[..] else {
        return Err(format_err!("usage: embed PYTHON.wasm FOLDER CODE"));
    };
    // Interpreters recurse: the default stack of 512 KiB is for small guests.
    let mut config = Config::new();
    config.max_wasm_stack(16 << 20).async_stack_size(18 << 20);
    let engine = Engine::new(&config)?;
    let app = Component::new(&engine, mountfs_host::compose(&std::fs::read(python)?, Grants::Host)?)?;
    let mut linker = Linker::new(&engine);
    mountfs_host::add_to_linker(&mut linker)?;

    let mut mountfs = MountfsCtx::builder();
    mountfs.grant(GrantKey::new("/project", "mountfs"), folder, Access::ReadWrite)?;
    let wasi = WasiCtx::builder().inherit_stdio().args(&["python", "-c", code]).build();
    let guest = Guest { wasi, mountfs: mountfs.build(), table: ResourceTable::new() };
    let mut store = Store::new(&engine, guest);
    let app = linker.instantiate_async(&mut store, &app).await?;
    let mounts = Mounts::new(&mut store, &app)?;
    mounts.mount(&mut store, "/project", &MountOptions::default()).await??;
    let ended = Command::new(&mut store, &app)?.wasi_cli_run().call_run(&mut store).await;
    // Also after a trap or an exit, which are errors here.
    for (key, report) in store.data_mut().mountfs().sync().await {
        println!("{key}: {report}");
    }
    match ended {
        // `exit(0)`, which is an error here, too; other codes are an `I32Exit` as well, and all else is a trap.
        Err(error) if matches!(error.downcast_ref(), Some(I32Exit(0))) => Ok(()),
        ended => ended?.map_err(|()| format_err!("the script failed")),
    }
}
