//! The embedder's side of `mountfs:fs/mounts`.

use crate::bindings::Composed;
use std::fmt;
use wasmtime::component::Instance;
use wasmtime::{AsContextMut, Result};

pub use crate::bindings::exports::mountfs::fs::mounts::{MountInfo, MountOptions};
pub use crate::bindings::mountfs::fs::types::{Conflict, Error as MountError, Failure, SyncReport, Unsynced};

/// Calls `mounts` of a composed app from outside. In each result, the outer error is a trap or a bug, the inner one is
/// what `wit/mounts.wit` says.
pub struct Mounts(Composed);

impl Default for MountOptions {
    /// Read-write, id `mountfs`, and wherever a picker starts.
    fn default() -> Self {
        Self { access: None, id: None, start_in: None }
    }
}

impl Mounts {
    /// The `mounts` of an instance.
    ///
    /// # Errors
    ///
    /// When it does not export them, because it was not composed.
    pub fn new(store: impl AsContextMut, instance: &Instance) -> Result<Self> {
        Composed::new(store, instance).map(Self)
    }

    /// Attaches a granted folder at a mount point. See `mount` in `wit/mounts.wit`.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn mount(
        &self,
        store: impl AsContextMut<Data: Send>,
        path: &str,
        options: &MountOptions,
    ) -> Result<Result<MountInfo, MountError>> {
        self.0.mountfs_fs_mounts().call_mount(store, path, options).await
    }

    /// Makes what the guest wrote below a mount point durable. See `sync` in `wit/mounts.wit`.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn sync(
        &self,
        store: impl AsContextMut<Data: Send>,
        path: &str,
    ) -> Result<Result<SyncReport, MountError>> {
        self.0.mountfs_fs_mounts().call_sync(store, path).await
    }

    /// Syncs and detaches. See `unmount` in `wit/mounts.wit`.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn unmount(
        &self,
        store: impl AsContextMut<Data: Send>,
        path: &str,
    ) -> Result<Result<SyncReport, MountError>> {
        self.0.mountfs_fs_mounts().call_unmount(store, path).await
    }

    /// Syncs what can be synced, then cuts off and forgets the grant. See `revoke` in `wit/mounts.wit`.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn revoke(
        &self,
        store: impl AsContextMut<Data: Send>,
        path: &str,
        id: &str,
    ) -> Result<Result<bool, MountError>> {
        self.0.mountfs_fs_mounts().call_revoke(store, path, id).await
    }

    /// What is mounted now, by path.
    ///
    /// # Errors
    ///
    /// Only a trap.
    pub async fn mounted(&self, store: impl AsContextMut<Data: Send>) -> Result<Vec<MountInfo>> {
        self.0.mountfs_fs_mounts().call_mounted(store).await
    }
}

impl fmt::Display for SyncReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, bytes, removed, conflicts, failures } = self;
        write!(f, "{files} files with {bytes} bytes synced, {removed} names removed")?;
        for Conflict { path, kept } in conflicts {
            write!(f, "; {path} changed on both sides, the other version is in {kept}")?;
        }
        for Failure { path, reason } in failures {
            write!(f, "; {path} not synced: {reason}")?;
        }
        Ok(())
    }
}
