//! Generated from `wit/`: what the host provides, and the `mounts` a composed component exports.
#![allow(missing_docs, unsafe_code, clippy::all)]

wasmtime::component::bindgen!({
    path: "wit",
    inline: "
        package mountfs:host@0.1.0;

        world composed {
            import mountfs:fs/grants@0.1.0;
            export mountfs:fs/mounts@0.1.0;
        }
    ",
    imports: { default: async | trappable },
    exports: { default: async },
    with: {
        "wasi": wasmtime_wasi::p2::bindings,
        "mountfs:fs/grants.grant": crate::host::grants::Held,
    },
    require_store_data_send: true,
});
