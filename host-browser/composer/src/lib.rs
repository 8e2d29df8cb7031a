//! `mountfs-compose` as a component.
#![cfg(target_family = "wasm")]

mod bindings {
    #![allow(missing_docs, unsafe_code, reason = "generated")]
    wit_bindgen::generate!({ path: "wit", world: "composer" });
    export!(Composer with_types_in self);
    use super::Composer;
}

use mountfs_compose::{ComposeError, Grants};

struct Composer;

impl bindings::Guest for Composer {
    fn compose(app: Vec<u8>) -> Result<Vec<u8>, String> {
        match mountfs_compose::compose(&app, Grants::Host) {
            Err(ComposeError::AlreadyComposed) => Ok(app),
            composed => composed.map_err(|error| error.to_string()),
        }
    }
}
