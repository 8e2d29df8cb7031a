//! Where grants are kept between runs.

mod file;

pub use file::FileStore;

use crate::{Access, GrantKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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

/// Keeps grants between runs. All calls are short and may block.
pub trait GrantStore: Send + Sync {
    /// The grant kept for this app and key.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    fn get(&self, app: &str, key: &GrantKey) -> Result<Option<Kept>, StoreError>;

    /// Keeps a grant, in place of the one with the same app and key.
    ///
    /// # Errors
    ///
    /// When the store cannot be written: then it is as it was.
    fn put(&self, kept: Kept) -> Result<(), StoreError>;

    /// Forgets a grant; whether there was one.
    ///
    /// # Errors
    ///
    /// When the store cannot be written: then it is as it was.
    fn remove(&self, app: &str, key: &GrantKey) -> Result<bool, StoreError>;

    /// All grants, ordered by app, mount point and id.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    fn list(&self) -> Result<Vec<Kept>, StoreError>;
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

    fn put(&self, kept: Kept) -> Result<(), StoreError> {
        self.grants().insert((kept.app.clone(), kept.key.clone()), kept);
        Ok(())
    }

    fn remove(&self, app: &str, key: &GrantKey) -> Result<bool, StoreError> {
        Ok(self.grants().remove(&(app.to_owned(), key.clone())).is_some())
    }

    fn list(&self) -> Result<Vec<Kept>, StoreError> {
        Ok(self.grants().values().cloned().collect())
    }
}
