//! Folders as they are written on the command line.

use crate::nearest::nearest;
use mountfs_host::{Access, check_id};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// `NAME=HOST[:ro|:rw]`: a folder of the host, and what the guest calls it.
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
            let swapped =
                Self { name: self.folder.display().to_string(), folder: self.name.clone().into(), access: self.access };
            return Some(format!("the guest's name comes first: did you mean {swapped}?"));
        }
        if !self.folder.exists()
            && let Some((folder, access)) = self.folder.to_str()?.rsplit_once(':')
            && Path::new(folder).is_dir()
        {
            let meant = Self { folder: folder.into(), access: Access::Read, name: self.name.clone() };
            return Some(format!("`:{access}` is neither `:ro` nor `:rw`: did you mean {meant}?"));
        }
        instead(&self.folder)
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = if self.access == Access::Read { ":ro" } else { "" };
        write!(f, "{}={}{access}", self.name, self.folder.display())
    }
}

/// `GUEST=HOST[:ro|:rw]`: a mount point, and the folder to mount there.
pub(crate) fn mounted(text: &str) -> Result<Named, String> {
    let mut named = named(text, |folder| {
        let folder = expand(folder).canonicalize().ok();
        let name = folder.as_deref().and_then(Path::file_name);
        format!("/{}", name.unwrap_or("project".as_ref()).display())
    })?;
    // `/notes/` is `/notes`, as in a shell.
    let end = named.name.trim_end_matches('/').len();
    named.name.truncate(end.max(1));
    Ok(named)
}

/// `ID=HOST[:ro|:rw]`: an id, and the folder that is granted for it.
pub(crate) fn granted(text: &str) -> Result<Named, String> {
    let named = named(text, |_| "pyscript".to_owned())?;
    match check_id(&named.name) {
        Ok(()) => Ok(named),
        Err(why) if named.name.starts_with('/') => Err(format!("{why}; a folder at a path is --mount {text}")),
        Err(why) => Err(format!("{why}: {} would be one", id_like(&named.name))),
    }
}

/// A folder and its name, or what may have been meant; `name_for` names a folder that came without.
fn named(text: &str, name_for: impl Fn(&str) -> String) -> Result<Named, String> {
    let (name, folder) = text.split_once('=').ok_or_else(|| {
        let meant = if is_folder(text) {
            format!("{}={text}", name_for(text))
        } else if let Some((folder, name)) = text.split_once("::") {
            format!("{name}={folder}")
        } else if let Some((folder, name)) = text.split_once(":/") {
            // As docker has it, where the access is at the end too.
            let (name, access) = name.split_at(name.find(':').unwrap_or(name.len()));
            format!("/{name}={folder}{access}")
        } else if let Some(name) = text.strip_prefix('/').filter(|name| Path::new(name).is_dir()) {
            format!("{}={name}", name_for(name))
        } else if text.starts_with('/') {
            return format!("there is no `=`: write the folder behind it, {text}=FOLDER");
        } else {
            return "there is no `=` between the guest's name and the folder".to_owned();
        };
        format!("there is no `=`: did you mean {meant}?")
    })?;
    let (folder, access) = match folder.strip_suffix(":ro") {
        Some(folder) => (folder, Access::Read),
        None => (folder.strip_suffix(":rw").unwrap_or(folder), Access::ReadWrite),
    };
    if name.is_empty() || folder.is_empty() {
        return Err("nothing stands on one side of the `=`".to_owned());
    }
    Ok(Named { name: name.to_owned(), folder: expand(folder), access })
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
