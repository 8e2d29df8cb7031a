//! `mountfs:fs/grants` on the host's preopens, so that a composed app runs under a host without any code of ours, such
//! as plain `wasmtime run --dir HOST::/local`.
//!
//! Whoever starts the app grants by preopening: the preopen named like the mount point is the grant, and nobody is
//! asked. The guest sees a preopen only while it is mounted. Three things are weaker than under a host of ours: a
//! read-only mount of a writable preopen is refused writes by the mountfs component, not by the host; a stream that was
//! opened before a revoke goes on; and a revoke lasts as long as the process, because nothing is kept.
#![cfg(target_family = "wasm")]

mod bindings;
mod durable;

use bindings::exports::mountfs::fs::grants::{self, Access, Error, GuestGrant, Key, StartIn, SyncReport, Unsynced};
use bindings::wasi::filesystem::preopens;
use bindings::wasi::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};
use std::cell::RefCell;
use std::collections::BTreeMap;

thread_local! {
    /// The id that each preopen was first mounted with, and whether that was revoked: one preopen is one grant.
    static GIVEN: RefCell<BTreeMap<String, Given>> = RefCell::default();
}

struct Given {
    id: String,
    revoked: bool,
}

/// A preopen in use.
pub struct Grant {
    path: String,
    preopen: Descriptor,
    access: Access,
}

impl grants::Guest for bindings::Component {
    type Grant = Grant;

    fn acquire(key: Key, access: Access, _: Option<StartIn>) -> Result<grants::Grant, Error> {
        let Key { path, id } = key;
        let named = preopens::get_directories().into_iter().find(|(_, name)| *name == path);
        let (preopen, _) = named.ok_or(Error::Denied)?;
        let allowed = GIVEN.with_borrow_mut(|given| {
            let given = given.entry(path.clone()).or_insert_with(|| Given { id: id.clone(), revoked: false });
            given.id == id && !given.revoked
        });
        if !allowed {
            return Err(Error::Denied);
        }
        Ok(grants::Grant::new(Grant { path, preopen, access }))
    }

    /// A preopen cannot be closed, so it is not given out again.
    fn revoke(key: Key) -> Result<bool, Error> {
        Ok(GIVEN.with_borrow_mut(|given| match given.get_mut(&key.path) {
            Some(given) if given.id == key.id => !std::mem::replace(&mut given.revoked, true),
            _ => false,
        }))
    }
}

impl GuestGrant for Grant {
    fn root(&self) -> Result<Descriptor, Error> {
        self.check()?;
        let flags = match self.access {
            Access::Read => DescriptorFlags::READ,
            Access::ReadWrite => DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY,
        };
        let opened = self.preopen.open_at(PathFlags::empty(), ".", OpenFlags::DIRECTORY, flags);
        opened.map_err(|code| Error::Other(format!("cannot open the preopen {}: {}", self.path, code.message())))
    }

    fn label(&self) -> String {
        let path = &self.path;
        path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(path).to_owned()
    }

    fn sync(&self) -> Result<SyncReport, Error> {
        self.check()?;
        Ok(match self.access {
            Access::Read => durable::nothing(),
            Access::ReadWrite => durable::sync(&self.preopen),
        })
    }

    /// Writes go to the host directly, so nothing here can count them.
    fn unsynced(&self) -> Option<Unsynced> {
        None
    }
}

impl Grant {
    fn check(&self) -> Result<(), Error> {
        match GIVEN.with_borrow(|given| given.get(&self.path).is_some_and(|given| given.revoked)) {
            true => Err(Error::Denied),
            false => Ok(()),
        }
    }
}

impl bindings::exports::wasi::filesystem::preopens::Guest for bindings::Component {
    /// None: a preopen is a grant, and is seen where it is mounted.
    fn get_directories() -> Vec<(Descriptor, String)> {
        Vec::new()
    }
}
