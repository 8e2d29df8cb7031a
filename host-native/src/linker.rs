//! Everything a composed app imports.

use crate::bindings::mountfs::fs::{grants, types};
use crate::view::{Mountfs, MountfsView};
use wasmtime::component::Linker;
use wasmtime_wasi::p2::bindings::filesystem;

/// Adds all of WASI 0.2 and `mountfs:fs/grants` to a linker; the counterpart of
/// [`wasmtime_wasi::p2::add_to_linker_async`], to be called in its place. The embedder's own preopens
/// ([`WasiCtxBuilder::preopened_dir`](wasmtime_wasi::WasiCtxBuilder::preopened_dir)) work as there.
///
/// # Errors
///
/// When the linker already has one of these interfaces.
pub fn add_to_linker<T: MountfsView + 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    // All of WASI, then our file system over theirs: wasmtime-wasi has no call that leaves one interface out.
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    let shadowed = filesystem::types::add_to_linker::<T, Mountfs>(linker, T::mountfs)
        .and_then(|()| filesystem::preopens::add_to_linker::<T, Mountfs>(linker, T::mountfs));
    linker.allow_shadowing(false);
    shadowed?;
    types::add_to_linker::<T, Mountfs>(linker, T::mountfs)?;
    grants::add_to_linker::<T, Mountfs>(linker, T::mountfs)
}
