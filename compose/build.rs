//! Says what to do when the components that this crate embeds have not been built yet.

use std::path::Path;

fn main() {
    for name in ["mountfs", "preopen_grants"] {
        let artifact = format!("artifact/{name}.wasm");
        println!("cargo::rerun-if-changed={artifact}");
        assert!(
            Path::new(&artifact).exists(),
            "{artifact} is missing: `cargo xtask build` builds the components that this crate embeds"
        );
    }
}
