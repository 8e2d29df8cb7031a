//! Grants kept in a JSON file.

use super::{GrantStore, Kept, StoreError};
use crate::GrantKey;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const FORMAT: u32 = 1;

/// Keeps grants in a file that only its owner can read.
///
/// A change is written to a temporary file, made durable, and renamed into place, under a lock: a crash or a second
/// process leaves the grants before or after it, never half of them. A file that is not a grant store is moved aside and
/// never overwritten.
#[derive(Clone, Debug)]
pub struct FileStore {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Contents {
    format: u32,
    grants: Vec<Kept>,
}

/// Read before the rest, so that a file of a later version is not taken for a broken one.
#[derive(Deserialize)]
struct Header {
    format: u32,
}

impl FileStore {
    /// The store in this file, which need not exist yet; nor need its folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The user's own store: `grants.json` in the platform's state folder (Linux: `$XDG_STATE_HOME/mountfs`, by default
    /// `~/.local/state/mountfs`). `None` where the user has no home.
    pub fn of_user() -> Option<Self> {
        let folders = directories::ProjectDirs::from("", "", "mountfs")?;
        let folder = folders.state_dir().unwrap_or_else(|| folders.data_local_dir());
        Some(Self::new(folder.join("grants.json")))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read(&self) -> Result<Vec<Kept>, StoreError> {
        match self.parse()? {
            Ok(grants) => Ok(grants),
            // Another process may just have put this right: look again when nobody else can write.
            Err(_) => {
                let _lock = self.lock()?;
                self.read_locked()
            }
        }
    }

    fn read_locked(&self) -> Result<Vec<Kept>, StoreError> {
        self.parse()?.or_else(|source| {
            let kept_aside = self.keep_aside()?;
            Err(StoreError::Corrupt { path: self.path.clone(), kept_aside, source })
        })
    }

    /// The grants, or what is wrong with the file.
    fn parse(&self) -> Result<Result<Vec<Kept>, serde_json::Error>, StoreError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(Vec::new())),
            Err(source) => return Err(self.io("read", source)),
        };
        if let Ok(Header { format }) = serde_json::from_slice::<Header>(&bytes)
            && format > FORMAT
        {
            return Err(StoreError::Newer { path: self.path.clone(), found: format, known: FORMAT });
        }
        Ok(serde_json::from_slice::<Contents>(&bytes).map(|contents| contents.grants))
    }

    /// Moves the file to a name that is free.
    fn keep_aside(&self) -> Result<PathBuf, StoreError> {
        let name = |number| self.path.with_extension(format!("corrupt-{number}.json"));
        let mut number = 1;
        loop {
            // A hard link fails where a rename would overwrite.
            match fs::hard_link(&self.path, name(number)) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(source) => return Err(self.io("move aside the broken", source)),
            }
        }
        fs::remove_file(&self.path).map_err(|source| self.io("move aside the broken", source))?;
        Ok(name(number))
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Keeps other processes from writing, until it is dropped.
    fn lock(&self) -> Result<File, StoreError> {
        let folder = self.folder();
        create_private(folder).map_err(|source| StoreError::Io {
            what: "create the folder of",
            path: folder.into(),
            source,
        })?;
        let lock = File::create(self.path.with_extension("lock")).map_err(|source| self.io("lock", source))?;
        lock.lock().map_err(|source| self.io("lock", source))?;
        Ok(lock)
    }

    fn change<R>(&self, change: impl FnOnce(&mut Vec<Kept>) -> R) -> Result<R, StoreError> {
        let _lock = self.lock()?;
        let mut grants = self.read_locked()?;
        let result = change(&mut grants);
        grants.sort_by(|a, b| (&a.app, &a.key).cmp(&(&b.app, &b.key)));
        let contents = Contents { format: FORMAT, grants };
        self.write(self.folder(), &contents).map_err(|source| self.io("write", source))?;
        Ok(result)
    }

    fn write(&self, folder: &Path, contents: &Contents) -> io::Result<()> {
        // The crate creates it for its owner only (mode 0600).
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, contents)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        sync_folder(folder)
    }

    fn io(&self, what: &'static str, source: io::Error) -> StoreError {
        StoreError::Io { what, path: self.path.clone(), source }
    }
}

impl GrantStore for FileStore {
    fn get(&self, app: &str, key: &GrantKey) -> Result<Option<Kept>, StoreError> {
        Ok(self.read()?.into_iter().find(|kept| kept.app == app && kept.key == *key))
    }

    fn put(&self, kept: Kept) -> Result<(), StoreError> {
        if kept.folder.to_str().is_none() {
            return Err(StoreError::NotUtf8(kept.folder));
        }
        self.change(|grants| {
            grants.retain(|other| other.app != kept.app || other.key != kept.key);
            grants.push(kept);
        })
    }

    fn remove(&self, app: &str, key: &GrantKey) -> Result<bool, StoreError> {
        if self.get(app, key)?.is_none() {
            return Ok(false);
        }
        self.change(|grants| {
            let before = grants.len();
            grants.retain(|kept| kept.app != app || kept.key != *key);
            grants.len() < before
        })
    }

    fn list(&self) -> Result<Vec<Kept>, StoreError> {
        self.read()
    }
}

#[cfg(unix)]
fn create_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> io::Result<()> {
    // Inherits the owner-only rights of the user's profile.
    fs::create_dir_all(folder)
}

/// Makes a rename in the folder durable, where the platform has a call for it.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Access;

    fn kept(app: &str, id: &str) -> Kept {
        Kept {
            app: app.into(),
            key: GrantKey::new("/local", id),
            folder: "/home/ada/work".into(),
            access: Access::Read,
        }
    }

    fn store() -> (tempfile::TempDir, FileStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path().join("deep/er/grants.json"));
        (folder, store)
    }

    #[test]
    fn keeps_a_grant_for_one_app_only() {
        let (_folder, store) = store();
        store.put(kept("one", "a")).unwrap();
        store.put(kept("two", "a")).unwrap();
        assert!(store.remove("one", &GrantKey::new("/local", "a")).unwrap());
        assert!(!store.remove("one", &GrantKey::new("/local", "a")).unwrap());
        assert_eq!(FileStore::new(store.path()).list().unwrap(), [kept("two", "a")]);
    }

    #[cfg(unix)]
    #[test]
    fn is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, store) = store();
        store.put(kept("app", "a")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(store.path()), 0o600);
        assert_eq!(mode(store.path().parent().unwrap()), 0o700);
    }

    #[test]
    fn a_broken_file_is_moved_aside_unchanged_each_time() {
        let (_folder, store) = store();
        fs::create_dir_all(store.path().parent().unwrap()).unwrap();
        for (number, broken) in ["{\"format\":1,\"gr", "no json", ""].iter().enumerate() {
            fs::write(store.path(), broken).unwrap();
            let Err(StoreError::Corrupt { kept_aside, .. }) = store.put(kept("app", "a")) else {
                panic!("took {broken:?}")
            };
            assert_eq!(fs::read_to_string(&kept_aside).unwrap(), *broken);
            assert!(kept_aside.ends_with(format!("grants.corrupt-{}.json", number + 1)), "{}", kept_aside.display());
            assert!(!store.path().exists());
        }
        store.put(kept("app", "a")).unwrap();
        assert_eq!(store.list().unwrap().len(), 1);
    }

    #[test]
    fn a_later_format_is_left_alone() {
        let (_folder, store) = store();
        fs::create_dir_all(store.path().parent().unwrap()).unwrap();
        let later = "{\"format\":2,\"grants\":{}}";
        fs::write(store.path(), later).unwrap();
        assert!(matches!(store.put(kept("app", "a")), Err(StoreError::Newer { found: 2, .. })));
        assert_eq!(fs::read_to_string(store.path()).unwrap(), later);
    }

    #[test]
    fn two_writers_lose_nothing() {
        let (_folder, store) = store();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let store = &store;
                scope.spawn(move || {
                    (0..10).for_each(|n| store.put(kept(&format!("{writer}"), &format!("{n}"))).unwrap())
                });
            }
        });
        assert_eq!(store.list().unwrap().len(), 40);
    }
}
