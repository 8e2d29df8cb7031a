//! A grant in use: a directory, the access to it, and whether it still may be used.

use crate::dirty::Dirty;
use crate::{Access, GrantKey};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use wasmtime_wasi::filesystem::{self, FsPerms, OpenMode};

#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) key: GrantKey,
    pub(crate) access: Access,
    pub(crate) label: String,
    pub(crate) dirty: Dirty,
    directory: Dir,
    ended: AtomicBool,
}

impl Grant {
    /// Opens the folder. From here on it is a directory that is held, not a path: whatever happens to the path, this is
    /// what was granted.
    pub(crate) fn open(folder: &Path, key: GrantKey, access: Access) -> io::Result<Self> {
        let directory = Dir::open_ambient_dir(folder, ambient_authority())?;
        let label = folder.file_name().map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned());
        Ok(Self { key, access, label, dirty: Dirty::default(), directory, ended: AtomicBool::new(false) })
    }

    /// The directory as wasmtime-wasi knows directories, which confines paths to it and refuses what the access does
    /// not cover.
    pub(crate) fn root(&self, allow_blocking_current_thread: bool) -> io::Result<filesystem::Dir> {
        let (perms, mode) = match self.access {
            Access::Read => (FsPerms::ReadOnly, OpenMode::READ),
            Access::ReadWrite => (FsPerms::ReadWrite, OpenMode::READ | OpenMode::WRITE),
        };
        let directory = self.directory.try_clone()?.into_std_file();
        Ok(filesystem::Dir::new(directory, perms, mode, allow_blocking_current_thread))
    }

    /// Ends its use: each call and each stream that came from it fails from now on.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    pub(crate) fn check(&self) -> Result<(), Ended> {
        if self.ended.load(Ordering::Acquire) { Err(Ended) } else { Ok(()) }
    }
}

/// The grant was revoked, or its mount is gone.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the folder was unmounted or revoked")]
pub(crate) struct Ended;
