//! Grants kept in a JSON file.

use super::version::Version;
use super::{GrantStore, Kept, StoreError};
use crate::GrantKey;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

const FORMAT: u32 = 1;

/// Keeps grants in a file that only its owner can read.
///
/// A change is written to a file beside it, made durable, and renamed into place, under a lock: a crash or a second
/// process leaves the grants before or after it, never half of them, and the next change clears away what a crash left.
/// A file that is not a grant store is moved aside and never overwritten.
///
/// A guest that runs on a kept grant is cut off with its next call when the grant is no longer in the file, whichever
/// process removed it, and also when the file is gone. For that, each call looks at the file's metadata, and reads the
/// file again only when it changed. A file that cannot be read, or is not a grant store, is left alone then: nothing
/// passes until it can be read again. Clones share what they read.
#[derive(Clone, Debug)]
pub struct FileStore {
    path: PathBuf,
    seen: Arc<Mutex<Seen>>,
}

/// The grants as they were read last; as it starts, those of a file that is not there.
#[derive(Debug, Default)]
struct Seen {
    grants: Vec<Kept>,
    version: Option<Version>,
    /// So that its version is that of no later file.
    _held: Option<File>,
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
        Self { path: path.into(), seen: Arc::default() }
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
        self.decode(&bytes)
    }

    fn decode(&self, bytes: &[u8]) -> Result<Result<Vec<Kept>, serde_json::Error>, StoreError> {
        if let Ok(Header { format }) = serde_json::from_slice::<Header>(bytes)
            && format > FORMAT
        {
            return Err(StoreError::Newer { path: self.path.clone(), found: format, known: FORMAT });
        }
        Ok(serde_json::from_slice::<Contents>(bytes).map(|contents| contents.grants))
    }

    /// The file's version, if there is one.
    fn version(&self) -> io::Result<Option<Version>> {
        match fs::metadata(&self.path) {
            Ok(metadata) => Ok(Some(Version::of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The grants and the version they are of. Unlike [`Self::read`], it leaves a broken file where it is: no guest asked
    /// for a grant, and with the file gone all of them would be cut off.
    fn look(&self) -> Result<Seen, StoreError> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Seen::default()),
            Err(source) => return Err(self.io("read", source)),
        };
        // Before its contents: what is written meanwhile makes another version.
        let version = file.metadata().map_err(|source| self.io("read", source))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|source| self.io("read", source))?;
        let grants = self.decode(&bytes)?.map_err(|source| self.io("read", source.into()))?;
        // Elsewhere, a file that is open may not be replaced.
        let held = cfg!(unix).then_some(file);
        Ok(Seen { grants, version: Some(Version::of(&version)), _held: held })
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

    /// Leaves the grants as they were when it fails. It has still to be made [durable](Self::make_durable).
    fn change<R>(&self, change: impl FnOnce(&mut Vec<Kept>) -> R) -> Result<R, StoreError> {
        let _lock = self.lock()?;
        let mut grants = self.read_locked()?;
        let result = change(&mut grants);
        grants.sort_by(|a, b| (&a.app, &a.key).cmp(&(&b.app, &b.key)));
        let contents = Contents { format: FORMAT, grants };
        self.write(&contents).map_err(|source| self.io("write", source))?;
        Ok(result)
    }

    fn write(&self, contents: &Contents) -> io::Result<()> {
        let mut bytes = serde_json::to_vec_pretty(contents)?;
        bytes.push(b'\n');
        // One name is enough, since there is a lock; so there is never more than one left over.
        let new = self.path.with_extension("new.json");
        let replace = || {
            let mut file = create_private_file(&new)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&new, &self.path)
        };
        remove_if_there(&new)?;
        replace().inspect_err(|_| drop(fs::remove_file(&new)))
    }

    /// Makes the last change survive a loss of power, where the platform has a call for it.
    fn make_durable(&self) -> Result<(), StoreError> {
        let sync = || if cfg!(unix) { File::open(self.folder())?.sync_all() } else { Ok(()) };
        sync().map_err(|source| self.io("make durable", source))
    }

    fn io(&self, what: &'static str, source: io::Error) -> StoreError {
        StoreError::Io { what, path: self.path.clone(), source }
    }
}

impl GrantStore for FileStore {
    fn get(&self, app: &str, key: &GrantKey) -> Result<Option<Kept>, StoreError> {
        Ok(self.read()?.into_iter().find(|kept| kept.app == app && kept.key == *key))
    }

    fn put(&self, mut kept: Kept) -> Result<Kept, StoreError> {
        if kept.folder.to_str().is_none() {
            return Err(StoreError::NotUtf8(kept.folder));
        }
        let kept = self.change(|grants| {
            let there = grants.iter().position(|there| there.app == kept.app && there.key == kept.key);
            let there = there.map(|there| grants.remove(there));
            // More access to the same folder is the same grant; anything else is another.
            let same = there.filter(|there| there.folder == kept.folder && there.access <= kept.access);
            kept.serial = same.map_or_else(|| Some(new_serial()), |there| there.serial);
            grants.push(kept.clone());
            kept
        })?;
        if let Err(error) = self.make_durable() {
            // It is kept, and can be revoked; without power, the user is asked again.
            tracing::warn!(error = error.report(), "a loss of power may undo the last grant");
        }
        Ok(kept)
    }

    fn remove(&self, app: &str, key: &GrantKey) -> Result<bool, StoreError> {
        if self.get(app, key)?.is_none() {
            return Ok(false);
        }
        let was_kept = self.change(|grants| {
            let before = grants.len();
            grants.retain(|kept| kept.app != app || kept.key != *key);
            grants.len() < before
        })?;
        self.make_durable()?;
        Ok(was_kept)
    }

    fn is_kept(&self, kept: &Kept) -> Result<bool, StoreError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if self.version().map_err(|source| self.io("read", source))? != seen.version {
            *seen = self.look()?;
        }
        let is_it = |there: &Kept| there.serial == kept.serial && there.app == kept.app && there.key == kept.key;
        Ok(seen.grants.iter().any(is_it))
    }

    fn list(&self) -> Result<Vec<Kept>, StoreError> {
        self.read()
    }
}

/// A number that no other grant has: random, since a count would start again when the user removes the file.
fn new_serial() -> u64 {
    // The standard library's way to random numbers.
    RandomState::new().hash_one(())
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

/// A new file that only its owner can read.
fn create_private_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Access;

    fn kept(app: &str, id: &str) -> Kept {
        Kept::new(app, GrantKey::new("/local", id), "/home/ada/work", Access::Read)
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
        let two = store.put(kept("two", "a")).unwrap();
        assert!(store.remove("one", &GrantKey::new("/local", "a")).unwrap());
        assert!(!store.remove("one", &GrantKey::new("/local", "a")).unwrap());
        assert_eq!(FileStore::new(store.path()).list().unwrap(), [two]);
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
    fn a_grant_is_kept_until_it_is_removed_and_not_when_it_comes_again() {
        let (_folder, store) = store();
        let first = store.put(kept("app", "a")).unwrap();
        let reader = FileStore::new(store.path());
        let is_kept = |kept: &Kept| reader.is_kept(kept).unwrap();
        assert!(is_kept(&first));
        let wider = store.put(Kept { access: Access::ReadWrite, ..kept("app", "a") }).unwrap();
        assert!(is_kept(&first) && is_kept(&wider));
        for _ in 0..20 {
            let before = store.put(kept("app", "a")).unwrap();
            assert!(is_kept(&before));
            assert!(store.remove("app", &before.key).unwrap());
            let after = store.put(kept("app", "a")).unwrap();
            assert!(!is_kept(&before) && is_kept(&after));
        }
        assert!(!is_kept(&first));
    }

    /// Else one that follows within a tick of the clock could be taken for it.
    #[cfg(unix)]
    #[test]
    fn no_file_gets_the_number_of_the_one_that_was_read_last() {
        use std::os::unix::fs::MetadataExt as _;
        let (_folder, store) = store();
        let number = || fs::metadata(store.path()).unwrap().ino();
        for _ in 0..20 {
            let kept = store.put(kept("app", "a")).unwrap();
            assert!(store.is_kept(&kept).unwrap());
            let read = number();
            assert!(store.remove("app", &kept.key).unwrap());
            store.put(kept).unwrap();
            assert_ne!(number(), read);
        }
    }

    #[test]
    fn a_grant_stays_kept_while_others_are_written() {
        let (_folder, store) = store();
        let kept_one = store.put(kept("app", "a")).unwrap();
        let reader = FileStore::new(store.path());
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..2)
                .map(|writer| {
                    let store = &store;
                    scope.spawn(move || {
                        for n in 0..10 {
                            let other = store.put(kept(&format!("{writer}"), &format!("{n}"))).unwrap();
                            assert!(store.remove(&other.app, &other.key).unwrap());
                        }
                    })
                })
                .collect();
            while writers.iter().any(|writer| !writer.is_finished()) {
                assert!(reader.is_kept(&kept_one).unwrap());
            }
        });
        assert!(store.remove("app", &kept_one.key).unwrap());
        assert!(!reader.is_kept(&kept_one).unwrap());
    }

    #[test]
    fn a_broken_file_is_left_alone_by_a_guest_that_runs() {
        let (_folder, store) = store();
        let kept = store.put(kept("app", "a")).unwrap();
        for broken in ["no json", "", "{\"format\":2}"] {
            fs::write(store.path(), broken).unwrap();
            store.is_kept(&kept).unwrap_err();
            assert_eq!(fs::read_to_string(store.path()).unwrap(), broken);
        }
    }

    #[test]
    fn two_writers_lose_nothing() {
        let (_folder, store) = store();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let store = &store;
                scope.spawn(move || {
                    (0..10).for_each(|n| drop(store.put(kept(&format!("{writer}"), &format!("{n}"))).unwrap()))
                });
            }
        });
        assert_eq!(store.list().unwrap().len(), 40);
    }
}
