//! What grants are kept under.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a grant is kept under within one app: a mount point and an id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GrantKey {
    /// The mount point, absolute, as the guest wrote it.
    pub path: String,
    /// The name of the grant.
    pub id: String,
}

impl GrantKey {
    /// The key of this mount point and id.
    pub fn new(path: impl Into<String>, id: impl Into<String>) -> Self {
        Self { path: path.into(), id: id.into() }
    }
}

impl fmt::Display for GrantKey {
    /// Control characters are escaped, so that a guest cannot forge a prompt or a log line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (id {})", self.path.escape_debug(), self.id.escape_debug())
    }
}

/// Checks an id, by the rule of `wit/types.wit`.
///
/// # Errors
///
/// The rule, for a person.
pub fn check_id(id: &str) -> Result<(), &'static str> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match (1..=32).contains(&id.len()) && id.chars().all(known) {
        true => Ok(()),
        false => Err("an id has 1 to 32 characters of `A-Z a-z 0-9 _ -`"),
    }
}

/// What a guest may do below a mount point. Ordered: more is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// List and read.
    Read,
    /// List, read, write, create, rename and remove.
    ReadWrite,
}

impl From<Access> for crate::GuestAccess {
    fn from(access: Access) -> Self {
        match access {
            Access::Read => Self::Read,
            Access::ReadWrite => Self::ReadWrite,
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::ReadWrite => "read and write",
        })
    }
}

/// The name an app's grants are kept under when nobody gave it one: its file name, and enough of its bytes' SHA-256 that
/// other code is another app.
pub fn app_name(file_name: &str, app: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(app);
    let hex = digest.iter().take(16).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    format!("{file_name}@{hex}")
}
