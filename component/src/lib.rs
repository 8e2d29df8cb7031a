//! The mountfs component: it exports the `wasi:filesystem` it imports, with the mounts of a mount table in it.
//!
//! [`path`], [`table`] and [`walk`] hold the meaning, know nothing of WebAssembly, and are tested natively.
//! `bindings` generates from `wit/`; `exports` converts and delegates; `mount` and `state` hold what is attached; `heap`
//! allocates.

pub mod path;
pub mod table;
pub mod walk;

#[cfg(target_family = "wasm")]
mod bindings;
#[cfg(target_family = "wasm")]
mod exports;
#[cfg(target_family = "wasm")]
mod heap;
#[cfg(target_family = "wasm")]
mod mount;
#[cfg(target_family = "wasm")]
mod state;
