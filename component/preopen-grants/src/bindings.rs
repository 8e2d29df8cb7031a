//! Generated from `wit/`: the only place of this crate that generates, and with it the only one with unsafe code.
#![allow(missing_docs, unsafe_code, unreachable_pub, clippy::all)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "preopen-grants",
    generate_all,
    merge_structurally_equal_types: true,
});

export!(Component);

/// What the world is implemented on.
pub struct Component;
