//! `mountfs:fs/grants` on the host's preopens, so that a composed app runs under a host without any code of ours, such
//! as plain `wasmtime run --dir HOST::/local`.
//!
//! Whoever starts the app grants by preopening: the preopen named like the mount point is the grant, and nobody is
//! asked. The guest sees a preopen only while it is mounted. Two things are weaker than under a host of ours: a
//! read-only mount of a writable preopen is refused writes by the mountfs component, not by the host; and a revoke lasts
//! as long as the process, because nothing is kept.
#![cfg(target_family = "wasm")]

mod bindings;
mod durable;

use bindings::exports::mountfs::fs::grants::{self, Access, Error, GuestGrant, Key, StartIn, SyncReport, Unsynced};
use bindings::wasi::filesystem::preopens;
use bindings::wasi::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};
use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    /// What was revoked in this process: a preopen cannot be closed, so it is not given out again.
    static REVOKED: RefCell<BTreeSet<(String, String)>> = RefCell::default();
}

/// A preopen in use.
pub struct Grant {
    key: (String, String),
    preopen: Descriptor,
    access: Access,
}

impl grants::Guest for bindings::Component {
    type Grant = Grant;

    fn acquire(key: Key, access: Access, _: Option<StartIn>) -> Result<grants::Grant, Error> {
        let Key { path, id } = key;
        let revoked = REVOKED.with_borrow(|revoked| revoked.contains(&(path.clone(), id.clone())));
        let named = preopens::get_directories().into_iter().find(|(_, name)| *name == path);
        match named {
            Some((preopen, _)) if !revoked => Ok(grants::Grant::new(Grant { key: (path, id), preopen, access })),
            _ => Err(Error::Denied),
        }
    }

    fn revoke(key: Key) -> Result<bool, Error> {
        let named = preopens::get_directories().into_iter().any(|(_, name)| name == key.path);
        Ok(named && REVOKED.with_borrow_mut(|revoked| revoked.insert((key.path, key.id))))
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
        opened.map_err(|code| Error::Other(format!("cannot open the preopen {}: {}", self.key.0, code.message())))
    }

    fn label(&self) -> String {
        let path = &self.key.0;
        path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(path).to_owned()
    }

    fn sync(&self) -> Result<SyncReport, Error> {
        self.check()?;
        Ok(durable::sync(&self.preopen))
    }

    /// Writes go to the host directly, so nothing here can count them.
    fn unsynced(&self) -> Option<Unsynced> {
        None
    }
}

impl Grant {
    fn check(&self) -> Result<(), Error> {
        match REVOKED.with_borrow(|revoked| revoked.contains(&self.key)) {
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
