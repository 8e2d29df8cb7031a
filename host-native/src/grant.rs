//! A grant in use: a directory, the access to it, and whether it still may be used.

use crate::bindings::mountfs::fs::types::SyncReport;
use crate::dirty::Dirty;
use crate::{Access, GrantKey, GrantStore, Kept};
use cap_fs_ext::DirExt as _;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use wasmtime_wasi::filesystem::{self, FsPerms, OpenMode};

/// A directory of the host, held open: whatever happens to its path, this is what was granted.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    directory: Arc<Dir>,
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
        Ok(Self { directory: Arc::new(directory), path: path.to_owned() })
    }
}

pub(crate) struct Grant {
    pub(crate) key: GrantKey,
    pub(crate) access: Access,
    pub(crate) dirty: Dirty,
    folder: Folder,
    /// Where it is kept, if it is: it ends when it is not any more.
    keeper: Option<Keeper>,
    ended: AtomicBool,
    /// Whether the store could not tell when it was asked last.
    in_doubt: AtomicBool,
}

pub(crate) struct Keeper {
    pub(crate) store: Arc<dyn GrantStore>,
    pub(crate) kept: Kept,
}

impl Grant {
    /// A grant in use. `held` counts what all grants of the guest hold open.
    pub(crate) fn new(
        folder: Folder,
        key: GrantKey,
        access: Access,
        keeper: Option<Keeper>,
        held: Arc<AtomicUsize>,
    ) -> Arc<Self> {
        Arc::new(Self {
            key,
            access,
            dirty: Dirty::new(held),
            folder,
            keeper,
            ended: AtomicBool::new(false),
            in_doubt: AtomicBool::new(false),
        })
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

    /// Makes what was changed durable, and tells what that did. Blocks.
    pub(crate) fn sync(&self) -> SyncReport {
        self.dirty.sync(|path| self.open_directory(path))
    }

    /// Makes room in what the guest holds open: lets go of what was removed, and when that is little, makes the rest durable,
    /// for a later report. Blocks.
    pub(crate) fn relieve(&self) {
        self.dirty.forget_removed();
        if !self.dirty.has_room() {
            self.dirty.settle(|path| self.open_directory(path));
        }
    }

    fn open_directory(&self, path: &str) -> io::Result<File> {
        Ok(self.folder.directory.open(path)?.into_std())
    }

    /// Ends its use: each call and each stream that came from it fails from now on. Whether it was in use.
    pub(crate) fn end(&self) -> bool {
        !self.ended.swap(true, Ordering::AcqRel)
    }

    /// Whether it was ended in this process.
    pub(crate) fn check_here(&self) -> Result<(), Refused> {
        if self.ended.load(Ordering::Acquire) { Err(Refused::Ended) } else { Ok(()) }
    }

    /// Whether it may be used: once for each call of the guest, since the store is asked too.
    pub(crate) fn check(&self) -> Result<(), Refused> {
        self.check_here()?;
        let Some(Keeper { store, kept }) = &self.keeper else {
            return Ok(());
        };
        match store.is_kept(kept) {
            Ok(true) => {
                self.in_doubt.store(false, Ordering::Relaxed);
                Ok(())
            }
            Ok(false) => {
                if self.end() {
                    tracing::warn!(key = %self.key, "cut off: the grant was revoked, and is not kept any more");
                }
                Err(Refused::Ended)
            }
            Err(error) => {
                if !self.in_doubt.swap(true, Ordering::Relaxed) {
                    let error = error.report();
                    tracing::error!(key = %self.key, error, "nothing passes until it is known whether it was revoked");
                }
                Err(Refused::InDoubt)
            }
        }
    }
}

/// Why a grant may not be used.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// It was revoked, or its mount is gone.
    #[error("the folder was unmounted or revoked")]
    Ended,
    /// It may have been revoked: its store cannot be read. An error that passes when that does.
    #[error("the host cannot read its kept grants; its log says why")]
    InDoubt,
}
