//! Folders as they are written on the command line.

use mountfs_host::Access;
use std::path::PathBuf;
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
        Ok(Self { name: name.to_owned(), folder: folder.into(), access })
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
        Ok(Self { folder: folder.into(), name: name.to_owned() })
    }
}
