//! The two ways to run a guest: composed and mounted under our host, and as it is on a preopen under wasmtime-wasi.

use anyhow::{Context as _, Result};
use mountfs_host::{Access, Limits, MountOptions, MountfsCtx, MountfsCtxView, MountfsView, Mounts};
use std::path::Path;
use wasmtime::component::{Component, Instance, Linker, ResourceTable};
use wasmtime::{Engine, ResourceLimiter, Store};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// What a store holds, in both ways.
pub(crate) struct Guest {
    wasi: WasiCtx,
    mountfs: MountfsCtx,
    table: ResourceTable,
    /// Bytes of linear memory.
    pub(crate) memory: usize,
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

impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.memory += desired - current;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

/// One of the two ways, for one guest.
pub(crate) struct Way {
    engine: Engine,
    component: Component,
    linker: Linker<Guest>,
    is_ours: bool,
    /// As the command `mountfs` does it; otherwise as the libraries do by default.
    blocking: bool,
}

impl Way {
    /// `app` as its bytes are, composed if it is ours.
    pub(crate) fn new(engine: &Engine, app: &[u8], is_ours: bool, blocking: bool) -> Result<Self> {
        let composed = if is_ours { mountfs_host::compose(app, mountfs_host::Grants::Host)? } else { app.to_vec() };
        let component = Component::new(engine, composed)?;
        let mut linker = Linker::new(engine);
        if is_ours {
            mountfs_host::add_to_linker(&mut linker)?;
        } else {
            wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        }
        Ok(Self { engine: engine.clone(), component, linker, is_ours, blocking })
    }

    /// An instance with this folder at `/local`, and `more` mounts of it elsewhere.
    pub(crate) async fn start(
        &self,
        folder: &Path,
        more: usize,
        wasi: impl FnOnce(&mut WasiCtxBuilder),
    ) -> Result<(Store<Guest>, Instance)> {
        let mut context = WasiCtx::builder();
        context.allow_blocking_current_thread(self.blocking);
        wasi(&mut context);
        let mut mountfs = MountfsCtx::builder();
        mountfs.allow_blocking_current_thread(self.blocking);
        mountfs.limits(Limits { descriptors: 4 * more + 1000, mounts: more + 1 });
        if self.is_ours {
            mountfs.grant_id("mountfs", folder, Access::ReadWrite)?;
        } else {
            context.preopened_dir(folder, "/local", FsPerms::ReadWrite)?;
        }
        let guest = Guest { wasi: context.build(), mountfs: mountfs.build(), table: ResourceTable::new(), memory: 0 };
        let mut store = Store::new(&self.engine, guest);
        store.limiter(|guest| guest);
        let instance = self.linker.instantiate_async(&mut store, &self.component).await?;
        if self.is_ours {
            let mounts = Mounts::new(&mut store, &instance)?;
            let elsewhere = (0..more).map(|number| format!("/mounts/{}/{number}", number % 100));
            for path in elsewhere.chain(["/local".to_owned()]) {
                let mounted = mounts.mount(&mut store, &path, &MountOptions::default()).await?;
                mounted.with_context(|| format!("cannot mount {path}"))?;
            }
        }
        Ok((store, instance))
    }
}
