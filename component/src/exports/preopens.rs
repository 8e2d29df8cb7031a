//! `wasi:filesystem/preopens`: the virtual root first, then what the host preopened.

use super::opened::Opened;
use crate::bindings::Component;
use crate::bindings::exported::{preopens, types::Descriptor};
use crate::state::{self, Target};

impl preopens::Guest for Component {
    /// A libc reads these once, when it starts: through a root that is always there, it sees each later mount.
    fn get_directories() -> Vec<(Descriptor, String)> {
        let root = (Descriptor::new(Opened::ByPath(Vec::new())), "/".to_owned());
        let others = state::preopens().into_iter().map(|preopen| {
            let opened = match preopen.target {
                Target::Place(point) => Opened::ByPath(point.parts().to_vec()),
                Target::Outside(mount) => Opened::Outside { mount, descriptor: None },
            };
            (Descriptor::new(opened), preopen.name)
        });
        std::iter::once(root).chain(others).collect()
    }
}
