//! `wasi:filesystem/preopens`: the virtual root first, then what the host preopened.

use super::opened::Opened;
use crate::bindings::Component;
use crate::bindings::exported::{preopens, types::Descriptor};
use crate::path::MountPoint;
use crate::state::{self, Counted, Preopen, Target};
use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

impl preopens::Guest for Component {
    /// A libc reads these once, when it starts: through a root that is always there, it sees each later mount.
    fn get_directories() -> Vec<(Descriptor, String)> {
        let root = Preopen { name: "/".to_owned(), target: Target::Place(MountPoint::default()) };
        let all = core::iter::once(root).chain(state::preopens());
        // Who has too much open gets none: this call has no error.
        let opened = all.map_while(|Preopen { name, target }| {
            let _counted = Some(Counted::new().ok()?);
            let opened = match target {
                Target::Place(point) => Opened::ByPath { path: point.parts().to_vec(), _counted },
                Target::Outside(mount) => Opened::Outside { mount, descriptor: None },
            };
            Some((Descriptor::new(opened), name))
        });
        opened.collect()
    }
}
