//! A grant in use: a directory, the access to it, and whether it still may be used.

use crate::dirty::Dirty;
use crate::{Access, GrantKey};
use cap_fs_ext::DirExt as _;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use wasmtime_wasi::filesystem::{self, FsPerms, OpenMode};

/// A directory of the host, held open: whatever happens to its path, this is what was granted.
#[derive(Debug)]
pub(crate) struct Folder {
    directory: Dir,
    pub(crate) path: PathBuf,
}

impl Folder {
    /// Opens a folder as a user names it; links in its path count.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::open_kept(&path.canonicalize()?)
    }

    /// Opens the folder of a path that has no links. A guest may have put a link there since, in another folder of its
    /// own, to be given what the link leads to: that is refused.
    pub(crate) fn open_kept(path: &Path) -> io::Result<Self> {
        let parts = path.components();
        let (top, below): (Vec<_>, Vec<_>) =
            parts.partition(|part| matches!(part, Component::Prefix(_) | Component::RootDir));
        let top: PathBuf = top.into_iter().collect();
        let mut directory = Dir::open_ambient_dir(&top, ambient_authority())?;
        for part in below {
            directory = directory.open_dir_nofollow(part)?;
        }
        Ok(Self { directory, path: path.to_owned() })
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { directory: self.directory.try_clone()?, path: self.path.clone() })
    }
}

#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) key: GrantKey,
    pub(crate) access: Access,
    pub(crate) dirty: Dirty,
    folder: Folder,
    ended: AtomicBool,
}

impl Grant {
    /// A grant in use. `held` counts what all grants of the guest hold open.
    pub(crate) fn new(folder: Folder, key: GrantKey, access: Access, held: Arc<AtomicUsize>) -> Arc<Self> {
        Arc::new(Self { key, access, dirty: Dirty::new(held), folder, ended: AtomicBool::new(false) })
    }

    /// The folder's own name.
    pub(crate) fn label(&self) -> String {
        self.folder.path.file_name().map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// The directory as wasmtime-wasi knows directories, which confines paths to it and refuses what the access does
    /// not cover.
    pub(crate) fn root(&self, allow_blocking_current_thread: bool) -> io::Result<filesystem::Dir> {
        let (perms, mode) = match self.access {
            Access::Read => (FsPerms::ReadOnly, OpenMode::READ),
            Access::ReadWrite => (FsPerms::ReadWrite, OpenMode::READ | OpenMode::WRITE),
        };
        let directory = self.folder.directory.try_clone()?.into_std_file();
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
