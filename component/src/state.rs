//! The one table of this instance.
//!
//! A call to the host may suspend this call and let another one run. So no borrow is held across one: a reader gets the
//! table as it is now and keeps it; a writer copies it if, and only if, somebody is reading.

use crate::bindings::host::preopens;
use crate::bindings::host::types::{Descriptor, ErrorCode};
use crate::mount::Mount;
use crate::path::MountPoint;
use crate::single::Single;
use crate::table::Table;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{LazyCell, RefCell};

/// The mount table of this instance.
pub(crate) type Mounts = Table<Rc<Mount>>;

#[derive(Default)]
struct State {
    table: Rc<Mounts>,
    preopens: Vec<Preopen>,
    /// Mount points with a mount, unmount or revoke under way.
    pending: Vec<MountPoint>,
    started: bool,
    /// How many [`Counted`] there are.
    open: usize,
}

/// A preopen the guest gets next to the root: the name the host gave it, and what it is.
#[derive(Clone)]
pub(crate) struct Preopen {
    pub(crate) name: String,
    pub(crate) target: Target,
}

#[derive(Clone)]
pub(crate) enum Target {
    /// In the guest's tree, so mounts over it and below it are seen.
    Place(MountPoint),
    /// A name that leads above the root: outside the tree.
    Outside(Rc<Mount>),
}

static STATE: Single<LazyCell<RefCell<State>>> = Single(LazyCell::new(RefCell::default));

/// The table as it is now.
pub(crate) fn table() -> Rc<Mounts> {
    start();
    STATE.borrow().table.clone()
}

/// Changes the table.
pub(crate) fn change<R>(change: impl FnOnce(&mut Mounts) -> R) -> R {
    start();
    change(Rc::make_mut(&mut STATE.borrow_mut().table))
}

/// The preopens of the host that are not the guest's root itself.
pub(crate) fn preopens() -> Vec<Preopen> {
    start();
    STATE.borrow().preopens.clone()
}

/// Takes in the host's preopens, once, before the first use.
fn start() {
    if STATE.borrow().started {
        return;
    }
    let directories = preopens::get_directories();
    // Dropping a descriptor calls the host: what is not needed is dropped when nothing is borrowed.
    let unneeded = STATE.borrow_mut().take_in(directories);
    drop(unneeded);
}

impl State {
    /// Answers what it has no use for.
    fn take_in(&mut self, directories: Vec<(Descriptor, String)>) -> (Vec<Rc<Mount>>, Vec<(Descriptor, String)>) {
        if core::mem::replace(&mut self.started, true) {
            return (Vec::new(), directories);
        }
        let table = Rc::make_mut(&mut self.table);
        let mut replaced = Vec::new();
        for (root, name) in directories {
            let mount = Rc::new(Mount::of_preopen(name.clone(), root));
            let target = match MountPoint::of_preopen(&name) {
                Some(point) => {
                    replaced.extend(table.insert_preopen(&point, mount));
                    // A libc takes `.` for everything; given out under its own name it would hide the root, and every
                    // mount with it.
                    if point.parts().is_empty() {
                        continue;
                    }
                    Target::Place(point)
                }
                None => Target::Outside(mount),
            };
            self.preopens.push(Preopen { name, target });
        }
        (replaced, Vec::new())
    }
}

/// How much of what only this component knows a guest may have open. Its host bounds the rest.
const MOST_OPEN: usize = 1 << 16;

/// One open directory or listing that the host may not know of.
pub(crate) struct Counted(());

impl Counted {
    /// One more, or `insufficient-memory`.
    pub(crate) fn new() -> Result<Self, ErrorCode> {
        let mut state = STATE.borrow_mut();
        if state.open == MOST_OPEN {
            return Err(ErrorCode::InsufficientMemory);
        }
        state.open += 1;
        Ok(Self(()))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        STATE.borrow_mut().open -= 1;
    }
}

/// A mount point that nobody else may mount, unmount or revoke until this is dropped.
pub(crate) struct Claim(MountPoint);

impl Claim {
    /// `None` when somebody else has it.
    pub(crate) fn take(point: &MountPoint) -> Option<Self> {
        let pending = &mut STATE.borrow_mut().pending;
        let free = !pending.contains(point);
        free.then(|| {
            pending.push(point.clone());
            Self(point.clone())
        })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        STATE.borrow_mut().pending.retain(|point| *point != self.0);
    }
}
