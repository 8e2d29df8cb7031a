//! Generated from `wit/`: the only place of this crate that generates, and, besides `heap` and `single`, the only one with unsafe code.
#![allow(missing_docs, unsafe_code, unreachable_pub, clippy::all)]

wit_bindgen::generate!({
    path: "../wit",
    world: "component",
    generate_all,
    // The file system is imported and exported: one Rust type for both makes passing a value on no conversion at all.
    merge_structurally_equal_types: true,
});

pub use exports::mountfs::fs::mounts;
pub use exports::wasi::filesystem as exported;
pub use mountfs::fs::grants;
pub use wasi::filesystem as host;

export!(Component);

/// What `exports/` implements the world on.
pub struct Component;
