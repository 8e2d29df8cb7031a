//! Folders as they are written on the command line.

use crate::nearest::nearest;
use mountfs_host::{Access, check_id};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// `NAME=HOST[:ro]`: a folder of the host, and what the guest calls it.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) access: Access,
}

impl Named {
    /// What may have been meant, when the folder cannot be opened.
    pub(crate) fn meant(&self) -> Option<String> {
        if is_folder(&self.name) && is_guests(&self.folder) {
            return Some(format!(
                "the guest's name comes first: did you mean {}={}?",
                self.folder.display(),
                self.name
            ));
        }
        instead(&self.folder)
    }
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, folder) = text.split_once('=').ok_or_else(|| match text.split_once("::") {
            Some((folder, name)) => format!("there is no `=`: did you mean {name}={folder}?"),
            None if expand(text).is_dir() => format!("there is no `=`: write the guest's name first, NAME={text}"),
            None => "there is no `=` between the guest's name and the folder".to_owned(),
        })?;
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
        Err(why) => Err(format!("{why}: {} would be one", id_like(&named.name))),
    }
}

/// An id that is as much like the text as it can be.
fn id_like(text: &str) -> String {
    let known = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    text.chars().map(known).take(32).collect()
}

/// Whether what stands for the guest's name is a folder of the host. The root always is, and mostly meant as the guest's.
fn is_folder(name: &str) -> bool {
    let path = expand(name);
    path.is_dir() && path.parent().is_some()
}

/// Whether what stands for a folder looks like a name for the guest: nothing is there, nor near it.
fn is_guests(folder: &Path) -> bool {
    let is_near = |above: &Path| above.parent().is_some() && above.exists();
    folder.is_absolute() && !folder.exists() && !folder.parent().is_some_and(is_near)
}

/// What may have been meant by a folder that cannot be opened.
fn instead(folder: &Path) -> Option<String> {
    if folder.is_file() {
        return Some(format!("it is a file: give the folder it is in, {}", folder_of(folder).display()));
    }
    if folder.exists() {
        return None;
    }
    let folders = fs::read_dir(folder_of(folder)).ok()?.flatten().filter(|entry| entry.path().is_dir());
    let name = folder.file_name()?.to_str()?;
    Some(match nearest(name, folders.filter_map(|entry| entry.file_name().into_string().ok())) {
        Some(meant) => format!("did you mean {}?", folder.with_file_name(meant).display()),
        None => "make it first, with mkdir".to_owned(),
    })
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

impl Preopen {
    /// What may have been meant, when the folder cannot be opened.
    pub(crate) fn meant(&self) -> Option<String> {
        let (name, folder) = (&self.name, self.folder.display());
        if is_folder(name) && is_guests(&self.folder) {
            return Some(format!("the folder comes first: did you mean {name}::{folder}?"));
        }
        if !self.folder.exists()
            && let Some((name, folder)) = name.split_once('=')
        {
            return Some(format!("did you mean --dir {folder}::{name}, or --mount {name}={folder}?"));
        }
        instead(&self.folder)
    }
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

/// The folder that a file is in.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
