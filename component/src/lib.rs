//! The mountfs component: it exports the `wasi:filesystem` it imports, with the mounts of a mount table in it.
//!
//! [`path`], [`table`] and [`walk`] hold the meaning, know nothing of WebAssembly, and are tested natively.
//! `bindings` generates from `wit/`; `exports` converts and delegates; `mount` and `state` hold what is attached; `heap`
//! allocates; `single` makes a static of what one thread has. There is no `std`, and no `format!`: most of what
//! both bring is for messages that nobody sees.

#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

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
mod single;
#[cfg(target_family = "wasm")]
mod state;

/// A panic traps and says nothing. A component has nowhere to say it, and to format all that could be said would be a tenth
/// of this one.
#[cfg(target_family = "wasm")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
