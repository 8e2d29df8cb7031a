//! Who is asked for a folder when none has been granted yet.

use crate::{Access, GrantKey};
use async_trait::async_trait;
use std::path::PathBuf;
use thiserror::Error;

pub use crate::bindings::mountfs::fs::types::StartIn;

/// What a guest asks for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PickRequest {
    /// The app's name, as the embedder gave it.
    pub app: String,
    /// The mount point and id.
    pub key: GrantKey,
    /// What the guest wants to do there.
    pub access: Access,
    /// A folder everybody has, to start a picker in.
    pub start_in: Option<StartIn>,
    /// A folder granted under this key before, with less access or no longer. Then the question is whether the guest
    /// may have `access` to this very folder; a picker must not offer another.
    pub known: Option<PathBuf>,
}

/// The answer of a picker.
#[derive(Clone, Debug)]
pub struct Picked {
    /// The folder on the host.
    pub folder: PathBuf,
    /// Whether the grant store keeps this answer for the next run.
    pub keep: bool,
}

/// Why a picker gave no folder. Each has its own error in `mountfs:fs/types`.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum PickError {
    /// The user closed the question without an answer.
    #[error("nobody chose a folder")]
    Cancelled,
    /// The user, or whoever runs the guest, said no.
    #[error("the folder was refused")]
    Denied,
    /// It can be asked only right after a click or a key press.
    #[error("the question needs a click or a key press first")]
    NeedsUserActivation,
    /// This picker cannot ask that.
    #[error("{0}")]
    Unsupported(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// Asks for a folder. The call may take as long as a user takes; the guest waits, its host thread does not.
#[async_trait]
pub trait Picker: Send + Sync {
    /// Answers a request with a folder, or why not.
    ///
    /// # Errors
    ///
    /// See [`PickError`]; the guest sees which.
    async fn pick(&self, request: PickRequest) -> Result<Picked, PickError>;
}

/// Refuses every request: the default of [`MountfsCtxBuilder`](crate::MountfsCtxBuilder), so that a guest gets only
/// what it was given beforehand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Refuse;

#[async_trait]
impl Picker for Refuse {
    async fn pick(&self, _: PickRequest) -> Result<Picked, PickError> {
        Err(PickError::Denied)
    }
}
