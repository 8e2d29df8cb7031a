//! Folders as they are written on the command line.

use mountfs_host::{Access, check_id};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// `NAME=HOST[:ro]`: a folder of the host, and what the guest calls it.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) access: Access,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, folder) = text.split_once('=').ok_or("there is no `=` between the guest's name and the folder")?;
        let (folder, access) = match folder.strip_suffix(":ro") {
            Some(folder) => (folder, Access::Read),
            None => (folder.strip_suffix(":rw").unwrap_or(folder), Access::ReadWrite),
        };
        if name.is_empty() || folder.is_empty() {
            return Err("nothing stands on one side of the `=`".to_owned());
        }
        Ok(Self { name: name.to_owned(), folder: expand(folder), access })
    }
}

/// `ID=HOST[:ro]`, as [`Named`], whose name is an id.
pub(crate) fn granted(text: &str) -> Result<Named, String> {
    let named: Named = text.parse()?;
    match check_id(&named.name) {
        Ok(()) => Ok(named),
        Err(why) if named.name.starts_with('/') => Err(format!("{why}; a folder at a path is --mount {text}")),
        Err(why) => Err(why.to_owned()),
    }
}

/// `~` as a shell has it, which it does not after a `=`.
pub(crate) fn expand(text: &str) -> PathBuf {
    let home = || directories::UserDirs::new().map(|user| user.home_dir().to_owned());
    match text.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            home().map_or_else(|| text.into(), |home| home.join(Path::new(rest.trim_start_matches('/'))))
        }
        _ => text.into(),
    }
}

/// `HOST::GUEST`: a preopen, as wasmtime writes it.
#[derive(Clone, Debug)]
pub(crate) struct Preopen {
    pub(crate) folder: PathBuf,
    pub(crate) name: String,
}

impl FromStr for Preopen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (folder, name) = text.split_once("::").unwrap_or((text, text));
        if folder.is_empty() || name.is_empty() {
            return Err("nothing stands on one side of the `::`".to_owned());
        }
        Ok(Self { folder: expand(folder), name: name.to_owned() })
    }
}
