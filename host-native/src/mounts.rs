//! The embedder's side of `mountfs:fs/mounts`.

use crate::bindings::Composed;
use std::fmt;
use wasmtime::component::Instance;
use wasmtime::{AsContextMut, Result};

pub use crate::bindings::exports::mountfs::fs::mounts::{MountInfo, MountOptions};
pub use crate::bindings::mountfs::fs::types::{Conflict, Error as MountError, Failure, SyncReport, Unsynced};

/// Calls `mounts` of a composed app from outside: attaches granted folders, brings them up to date, detaches them, gives
/// the grants back. Each call needs the store, so the guest must not be running; [`Control`](crate::Control) revokes while
/// it does.
///
/// Each call answers a result in a result. The outer error is a trap or a bug, after which the instance is of no use; the
/// inner one is a [`MountError`] that the guest or the host is told, after which all goes on.
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

    /// Attaches a granted folder at an absolute path, and answers what is mounted there now. Nothing in the folder is read.
    ///
    /// The folder is one that was [granted](crate::MountfsCtxBuilder::grant), or that is kept from before; for any other the
    /// [`Picker`](crate::Picker) is asked. Mounting the same path with the same id and access again answers the same mount.
    ///
    /// # Errors
    ///
    /// `InvalidPath` and `InvalidId`, with the reason; `AlreadyMounted` when the path is mounted with another id or access;
    /// `Busy` while another call is about the same path; `Denied`, `Cancelled`, `NeedsUserActivation` or `Unsupported` when
    /// the picker gave no folder; `Other` when the folder cannot be opened, or too many are mounted. A mount that failed
    /// leaves nothing behind.
    pub async fn mount(
        &self,
        store: impl AsContextMut<Data: Send>,
        path: &str,
        options: &MountOptions,
    ) -> Result<Result<MountInfo, MountError>> {
        self.0.mountfs_fs_mounts().call_mount(store, path, options).await
    }

    /// Makes what the guest wrote below a mount point durable in the folder, and answers how many files and bytes that were.
    /// It touches only what the guest changed. To do so for every mount when the guest has ended, also by a trap:
    /// [`MountfsCtxView::sync`](crate::MountfsCtxView::sync).
    ///
    /// # Errors
    ///
    /// `InvalidPath`; `NotMounted`, also when the grant was revoked since; `Incomplete` with a report that names what failed
    /// and stays to be synced, while the rest is durable.
    pub async fn sync(
        &self,
        store: impl AsContextMut<Data: Send>,
        path: &str,
    ) -> Result<Result<SyncReport, MountError>> {
        self.0.mountfs_fs_mounts().call_sync(store, path).await
    }

    /// Syncs, then detaches, and answers what was synced. What the guest has open below the mount point fails with its next
    /// call. The grant stays, so that the folder can be mounted again.
    ///
    /// # Errors
    ///
    /// `InvalidPath`, `NotMounted`, and `Busy` while another call is about the same path; `Incomplete` as of
    /// [`sync`](Self::sync), and then it stays mounted.
    pub async fn unmount(
        &self,
        store: impl AsContextMut<Data: Send>,
        path: &str,
    ) -> Result<Result<SyncReport, MountError>> {
        self.0.mountfs_fs_mounts().call_unmount(store, path).await
    }

    /// Gives back the grant of a mount point and an id: syncs what can be synced, then in any case detaches, forgets the
    /// kept grant, and cuts off all that was opened through it. A mount of the same path with another id is not touched.
    ///
    /// Answers true when there was a mount or a grant, false when there was nothing to revoke.
    ///
    /// # Errors
    ///
    /// `InvalidPath`, `InvalidId`, and `Busy` while another call is about the same path; `Incomplete` with what could not be
    /// synced, and it is revoked all the same.
    pub async fn revoke(
        &self,
        store: impl AsContextMut<Data: Send>,
        path: &str,
        id: &str,
    ) -> Result<Result<bool, MountError>> {
        self.0.mountfs_fs_mounts().call_revoke(store, path, id).await
    }

    /// What is mounted now, by path, and what of it is not synced.
    ///
    /// # Errors
    ///
    /// Only the outer one: a trap or a bug.
    pub async fn mounted(&self, store: impl AsContextMut<Data: Send>) -> Result<Vec<MountInfo>> {
        self.0.mountfs_fs_mounts().call_mounted(store).await
    }
}

impl fmt::Display for SyncReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, bytes, removed, conflicts, failures } = self;
        let count = |number: u64, one| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
        let (files, bytes, removed) = (count(*files, "file"), count(*bytes, "byte"), count(*removed, "name"));
        write!(f, "{files} with {bytes} synced, {removed} removed")?;
        for Conflict { path, kept } in conflicts {
            write!(f, "; {path} changed on both sides, the other version is in {kept}")?;
        }
        for Failure { path, reason } in failures {
            write!(f, "; {path} not synced: {reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_as_people_do() {
        let report = |files, bytes, removed| {
            SyncReport { files, bytes, removed, conflicts: Vec::new(), failures: Vec::new() }.to_string()
        };
        assert_eq!(report(1, 1, 1), "1 file with 1 byte synced, 1 name removed");
        assert_eq!(report(0, 20, 3), "0 files with 20 bytes synced, 3 names removed");
    }
}
