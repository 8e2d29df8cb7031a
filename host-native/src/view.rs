//! How the host functions reach this crate's state in an embedder's store.

use crate::MountfsCtx;
use wasmtime::component::{HasData, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// What a store's data has to give, so that [`add_to_linker`](crate::add_to_linker) can serve its guest. The counterpart
/// of [`WasiView`], which it extends.
pub trait MountfsView: WasiView {
    /// The parts, borrowed at once.
    fn mountfs(&mut self) -> MountfsCtxView<'_>;
}

/// What [`MountfsView::mountfs`] gives.
pub struct MountfsCtxView<'a> {
    /// Grants, picker and store of the guest.
    pub ctx: &'a mut MountfsCtx,
    /// The rest of WASI; its preopens are the guest's next to its mounts.
    pub wasi: &'a mut WasiCtx,
    /// The guest's resources; the same table that [`WasiView::ctx`] gives.
    pub table: &'a mut ResourceTable,
}

/// So that wasmtime-wasi's own file system can be asked on the same parts.
impl WasiView for MountfsCtxView<'_> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: self.wasi, table: self.table }
    }
}

/// Names the host functions' data in a [`Linker`](wasmtime::component::Linker).
pub(crate) struct Mountfs;

impl HasData for Mountfs {
    type Data<'a> = MountfsCtxView<'a>;
}
