//! The exports of the component that are WASI's.
#![allow(missing_docs, clippy::all)]

wasmtime::component::bindgen!({
    path: "../wit",
    inline: "
        package mountfs:tests@0.1.0;

        world file-system {
            export wasi:filesystem/types@0.2.12;
            export wasi:filesystem/preopens@0.2.12;
        }
    ",
    imports: { default: async | trappable },
    exports: { default: async },
    with: { "wasi": wasmtime_wasi::p2::bindings },
    require_store_data_send: true,
});
