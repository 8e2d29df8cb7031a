//! Where grants are kept between runs.

mod file;
mod version;

pub use file::FileStore;

use crate::{Access, GrantKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::error::Error as _;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use thiserror::Error;

/// A grant as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The app it was given to: no other app reaches it.
    pub app: String,
    /// The mount point and id it was given for.
    #[serde(flatten)]
    pub key: GrantKey,
    /// The folder on the host, absolute.
    pub folder: PathBuf,
    /// The widest access the user granted.
    pub access: Access,
    /// What tells it from a later grant for the same app and key: a store that can tell gives a new number to what is
    /// granted anew, and leaves it when more access is granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
}

impl Kept {
    /// A grant to keep, without a number yet.
    pub fn new(app: impl Into<String>, key: GrantKey, folder: impl Into<PathBuf>, access: Access) -> Self {
        Self { app: app.into(), key, folder: folder.into(), access, serial: None }
    }
}

/// Why a store could not answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file could not be read or written.
    #[error("cannot {what} the grant store {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The file is not a grant store. It has been moved aside, unchanged.
    #[error(
        "the grant store {} cannot be read ({source}); it was moved to {}, unchanged: repair it and move it back, or \
         go on without it and grant again",
        path.display(), kept_aside.display()
    )]
    Corrupt {
        /// Where it was.
        path: PathBuf,
        /// Where it is now.
        kept_aside: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The file is of a later version of mountfs. It is left alone.
    #[error("the grant store {} has format {found}, and this mountfs knows formats up to {known}: use a newer mountfs", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// The folder's path is not UTF-8, which the store's format needs.
    #[error("the folder {} cannot be kept, because its path is not UTF-8", .0.display())]
    NotUtf8(PathBuf),
}

/// Keeps grants between runs. All calls are short and may block. None may call the [`Control`](crate::Control) of a guest
/// that uses the store: it waits for them.
pub trait GrantStore: Send + Sync {
    /// The grant kept for this app and key.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    fn get(&self, app: &str, key: &GrantKey) -> Result<Option<Kept>, StoreError>;

    /// Keeps a grant, in place of the one with the same app and key; as it is kept now, with the serial number of the
    /// store whatever number it came with: a new one, unless only its access became wider.
    ///
    /// # Errors
    ///
    /// When the store cannot be written: then it is as it was.
    fn put(&self, kept: Kept) -> Result<Kept, StoreError>;

    /// Forgets a grant; whether there was one.
    ///
    /// # Errors
    ///
    /// When the store cannot be written: then it is as it was, or the grant is gone, but a loss of power may bring it
    /// back.
    fn remove(&self, app: &str, key: &GrantKey) -> Result<bool, StoreError>;

    /// Whether a grant, as [`get`](Self::get) or [`put`](Self::put) gave it, has been kept ever since. Asked with every
    /// call of a guest that uses it, so it has to be quick. One that is not kept any more is cut off for good; a call
    /// that was let through before, ends as it would have. While the store cannot tell, nothing passes: the guest's
    /// calls fail with `io`, and work again when it can.
    ///
    /// Default: it is, for a store that only this process changes. A grant in use then ends by
    /// [`Control::revoke`](crate::Control::revoke) and by the guest itself.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    fn is_kept(&self, kept: &Kept) -> Result<bool, StoreError> {
        let _ = kept;
        Ok(true)
    }

    /// All grants, ordered by app, mount point and id.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    fn list(&self) -> Result<Vec<Kept>, StoreError>;
}

impl StoreError {
    /// It and its causes, on one line.
    pub(crate) fn report(&self) -> String {
        let causes = std::iter::successors(self.source(), |&error| error.source());
        causes.fold(self.to_string(), |text, cause| format!("{text}: {cause}"))
    }
}

/// Keeps grants for the life of the process: the default of [`MountfsCtxBuilder`](crate::MountfsCtxBuilder).
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<(String, GrantKey), Kept>>);

impl MemoryStore {
    fn grants(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, GrantKey), Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GrantStore for MemoryStore {
    fn get(&self, app: &str, key: &GrantKey) -> Result<Option<Kept>, StoreError> {
        Ok(self.grants().get(&(app.to_owned(), key.clone())).cloned())
    }

    fn put(&self, kept: Kept) -> Result<Kept, StoreError> {
        self.grants().insert((kept.app.clone(), kept.key.clone()), kept.clone());
        Ok(kept)
    }

    fn remove(&self, app: &str, key: &GrantKey) -> Result<bool, StoreError> {
        Ok(self.grants().remove(&(app.to_owned(), key.clone())).is_some())
    }

    fn list(&self) -> Result<Vec<Kept>, StoreError> {
        Ok(self.grants().values().cloned().collect())
    }
}
