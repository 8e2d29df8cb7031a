//! What a grant's directory does not durably have yet: files written and directories whose names changed.
//!
//! A file is held open from before its change until it is synced, and a directory from right after its names changed, so
//! that a rename or removal cannot hide it, and the operating system reports a failed write-back to it. Holding is
//! bounded: over [`MAX_HELD`], they are synced early.

use crate::bindings::mountfs::fs::types::{Failure, SyncReport, Unsynced};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Files and directories that all grants of a guest hold open at most, before they are synced early. A process may have
/// 1024 descriptors by default on Linux, 256 on macOS.
const MAX_HELD: usize = 64;

/// Failures that a report names one by one. A guest decides how many there are.
const MAX_FAILURES: usize = 1000;

/// Orders what happens to files.
static EVENTS: AtomicU64 = AtomicU64::new(1);

fn now() -> u64 {
    EVENTS.fetch_add(1, Ordering::Relaxed)
}

/// A file that was opened and may be written.
#[derive(Debug)]
pub(crate) struct Written {
    file: Arc<File>,
    /// Where it is now, as far as the guest moved it, for reports.
    path: Mutex<String>,
    /// Written since it was last synced.
    bytes: AtomicU64,
    /// Whether it is among the dirty files.
    dirty: AtomicBool,
    /// When its old content was cut off last; 0 for never.
    emptied: AtomicU64,
    /// When, and why, it could not be made durable.
    failed: Mutex<Option<(u64, String)>>,
}

impl Written {
    pub(crate) fn new(file: Arc<File>, path: String) -> Arc<Self> {
        Arc::new(Self {
            file,
            path: Mutex::new(path),
            bytes: AtomicU64::new(0),
            dirty: AtomicBool::new(false),
            emptied: AtomicU64::new(0),
            failed: Mutex::new(None),
        })
    }

    /// Notes that its old content is gone.
    pub(crate) fn emptied(&self) {
        self.emptied.store(now(), Ordering::Relaxed);
    }

    /// Notes that the operating system failed to write it, or to make it durable. It says so once: a second fsync of a
    /// file whose pages were dropped succeeds, and proves nothing. So the file counts as failed until it is written anew.
    pub(crate) fn failed(&self, reason: String) {
        *lock(&self.failed) = Some((now(), reason));
    }

    /// Whether something that was written since it was emptied is not durable, and never will be.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost().is_some()
    }

    /// Why it is not.
    fn lost(&self) -> Option<String> {
        let failed = lock(&self.failed);
        let (when, reason) = failed.as_ref()?;
        (*when > self.emptied.load(Ordering::Relaxed)).then(|| reason.clone())
    }

    /// Whether the content that it was given at `emptied` came after what failed.
    fn is_renewed(&self, emptied: u64) -> bool {
        lock(&self.failed).as_ref().is_none_or(|(when, _)| *when < emptied)
    }

    /// Notes that a file or directory was renamed: it, or one above it, perhaps.
    pub(crate) fn renamed(&self, from: &str, to: &str) {
        let mut path = lock(&self.path);
        if let Some(now) = moved(&path, from, to) {
            *path = now;
        }
    }

    /// Notes that what failed no longer matters. It may still be open: the next write makes it dirty again.
    fn mended(&self) {
        *lock(&self.failed) = None;
        self.bytes.store(0, Ordering::Relaxed);
        self.dirty.store(false, Ordering::Release);
    }
}

#[derive(Debug)]
pub(crate) struct Dirty {
    inner: Mutex<Inner>,
    /// One after the other makes it durable: the second would find nothing to do, and say so, while the first is at work.
    settling: Mutex<()>,
    /// What all grants of the guest hold.
    held: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Inner {
    files: Vec<Arc<Written>>,
    directories: HashMap<Identity, (File, String)>,
    /// Paths of directories that could not be opened when their names changed.
    unopened: HashSet<String>,
    /// What happened since the last report.
    done: Done,
}

#[derive(Debug, Default)]
struct Done {
    files: u64,
    bytes: u64,
    removed: u64,
    failures: Vec<Failure>,
}

impl Done {
    fn fail(&mut self, path: &str, reason: String) {
        // One that fails again and again is one.
        if let Some(failure) = self.failures.iter_mut().find(|failure| failure.path == path) {
            failure.reason = reason;
        } else if self.failures.len() < MAX_FAILURES {
            self.failures.push(Failure { path: path.to_owned(), reason });
        }
    }
}

impl Dirty {
    pub(crate) fn new(held: Arc<AtomicUsize>) -> Self {
        Self { inner: Mutex::default(), settling: Mutex::default(), held }
    }

    /// Notes that a file is about to be written, or just was: a sync between the two does not make it clean.
    pub(crate) fn touch(&self, written: &Arc<Written>) {
        if !written.dirty.swap(true, Ordering::AcqRel) {
            lock(&self.inner).files.push(written.clone());
            self.held.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes how much was written.
    pub(crate) fn wrote(&self, written: &Arc<Written>, bytes: u64) {
        written.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.touch(written);
    }

    /// Notes that names in a directory changed. `open` gives the directory, for reading; `directory` is it too, where the guest
    /// has it open, perhaps for look-ups alone.
    pub(crate) fn names_changed(&self, path: &str, directory: Option<&File>, open: impl FnOnce() -> io::Result<File>) {
        // Directories cannot be synced on Windows; NTFS journals names.
        if cfg!(windows) {
            return;
        }
        let is_held = |directory| Ok::<_, io::Error>(lock(&self.inner).directories.contains_key(&identity(directory)?));
        if directory.is_some_and(|directory| is_held(directory).unwrap_or(false)) {
            return;
        }
        match opened(open) {
            Ok(Some((identity, file))) => {
                let held = lock(&self.inner).directories.insert(identity, (file, path.to_owned()));
                self.held.fetch_add(usize::from(held.is_none()), Ordering::Relaxed);
            }
            Ok(None) => {}
            // The next sync tries again, and tells if it fails then too.
            Err(error) => match &mut *lock(&self.inner) {
                inner if inner.unopened.len() < MAX_FAILURES => drop(inner.unopened.insert(path.to_owned())),
                inner => inner.done.fail(path, error.to_string()),
            },
        }
    }

    /// Notes that a file or directory was renamed.
    pub(crate) fn renamed(&self, from: &str, to: &str) {
        let mut inner = lock(&self.inner);
        inner.files.iter().for_each(|written| written.renamed(from, to));
        for (_, path) in inner.directories.values_mut() {
            if let Some(now) = moved(path, from, to) {
                *path = now;
            }
        }
        let moved = |path: String| moved(&path, from, to).unwrap_or(path);
        inner.unopened = std::mem::take(&mut inner.unopened).into_iter().map(moved).collect();
    }

    pub(crate) fn name_removed(&self) {
        lock(&self.inner).done.removed += 1;
    }

    /// Whether the guest holds so much open that it is time to make room.
    pub(crate) fn is_full(&self) -> bool {
        self.held.load(Ordering::Relaxed) > MAX_HELD
    }

    /// Whether there is so much room that none need be made soon.
    pub(crate) fn has_room(&self) -> bool {
        self.held.load(Ordering::Relaxed) <= MAX_HELD / 2
    }

    /// Lets go of files without a name: there is nothing that they could be durable under.
    pub(crate) fn forget_removed(&self) {
        let files = &mut lock(&self.inner).files;
        let before = files.len();
        files.retain(|written| {
            let is_removed = is_removed(&written.file);
            if is_removed {
                written.mended();
            }
            !is_removed
        });
        self.held.fetch_sub(before - files.len(), Ordering::Relaxed);
    }

    /// Makes all of it durable, contents first, then the names that lead to them. What failed stays. `open` opens a
    /// directory by its path. Blocks.
    pub(crate) fn settle(&self, open: impl Fn(&str) -> io::Result<File>) {
        let _alone = lock(&self.settling);
        self.forget_removed();
        let (files, mut directories, unopened) = {
            let Inner { files, directories, unopened, .. } = &mut *lock(&self.inner);
            (std::mem::take(files), std::mem::take(directories), std::mem::take(unopened))
        };
        let before = files.len() + directories.len();
        let mut done = Done::default();
        let (mut seen, mut renewed, mut kept) = (HashSet::new(), HashMap::<_, u64>::new(), Vec::new());
        for written in files {
            match sync_file(&written) {
                Ok(Synced { bytes, emptied }) => {
                    let identity = identity(&written.file).ok();
                    done.files += u64::from(identity.is_none_or(|identity| seen.insert(identity)));
                    done.bytes += bytes;
                    if let Some(identity) = identity {
                        let last = renewed.entry(identity).or_default();
                        *last = emptied.max(*last);
                    }
                }
                Err(reason) => kept.push((written, reason)),
            }
        }
        // What failed is mended by a later, whole content of the same file.
        kept.retain(|(written, _)| {
            let emptied = identity(&written.file).ok().and_then(|identity| renewed.get(&identity));
            let is_renewed = emptied.is_some_and(|emptied| written.is_renewed(*emptied));
            if is_renewed {
                written.mended();
            }
            !is_renewed
        });
        for (written, reason) in &kept {
            done.fail(&lock(&written.path), reason.clone());
        }
        let mut still_unopened = HashSet::new();
        for path in unopened {
            match opened(|| open(&path)) {
                Ok(Some((identity, directory))) => drop(directories.insert(identity, (directory, path))),
                Ok(None) => {}
                Err(error) => {
                    done.fail(&path, error.to_string());
                    still_unopened.insert(path);
                }
            }
        }
        let mut failed = HashMap::new();
        for (identity, (directory, path)) in directories {
            if let Err(error) = sync_all(&directory) {
                done.fail(&path, error.to_string());
                failed.insert(identity, (directory, path));
            }
        }

        self.held.fetch_add(kept.len() + failed.len(), Ordering::Relaxed);
        self.held.fetch_sub(before, Ordering::Relaxed);
        let mut inner = lock(&self.inner);
        inner.files.extend(kept.into_iter().map(|(written, _)| written));
        inner.directories.extend(failed);
        inner.unopened.extend(still_unopened);
        inner.done.files += done.files;
        inner.done.bytes += done.bytes;
        done.failures.into_iter().for_each(|failure| inner.done.fail(&failure.path, failure.reason));
    }

    /// Makes all of it durable, as [`Dirty::settle`], and tells what that did since it was last told. Blocks.
    pub(crate) fn sync(&self, open: impl Fn(&str) -> io::Result<File>) -> SyncReport {
        self.settle(open);
        let Done { files, bytes, removed, failures } = std::mem::take(&mut lock(&self.inner).done);
        SyncReport { files, bytes, removed, conflicts: Vec::new(), failures }
    }

    /// Whether there is anything to make durable.
    pub(crate) fn is_any(&self) -> bool {
        let inner = lock(&self.inner);
        !(inner.files.is_empty() && inner.directories.is_empty() && inner.unopened.is_empty())
    }

    pub(crate) fn unsynced(&self) -> Unsynced {
        let inner = lock(&self.inner);
        let mut seen = HashSet::new();
        let first = |written: &&Arc<Written>| identity(&written.file).map_or(true, |identity| seen.insert(identity));
        let files = inner.files.iter().filter(first).count() as u64;
        Unsynced { files, bytes: inner.files.iter().map(|written| written.bytes.load(Ordering::Relaxed)).sum() }
    }
}

impl Drop for Dirty {
    fn drop(&mut self) {
        let inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.held.fetch_sub(inner.files.len() + inner.directories.len(), Ordering::Relaxed);
    }
}

/// The directory; `None` when it is gone again, and its names with it.
fn opened(open: impl FnOnce() -> io::Result<File>) -> io::Result<Option<(Identity, File)>> {
    match open().and_then(|file| Ok((identity(&file)?, file))) {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where a path is after a rename, if that moved it.
pub(crate) fn moved(path: &str, from: &str, to: &str) -> Option<String> {
    let below = path.strip_prefix(from)?;
    (below.is_empty() || below.starts_with('/')).then(|| format!("{to}{below}"))
}

/// What is durable now.
struct Synced {
    bytes: u64,
    /// Since when nothing older was left in the file; 0 for never.
    emptied: u64,
}

/// What is durable now, or why it is not.
fn sync_file(written: &Written) -> Result<Synced, String> {
    let emptied = written.emptied.load(Ordering::Relaxed);
    if let Some(reason) = written.lost() {
        return Err(format!("{reason}; what was written may be lost: write the file anew"));
    }
    written.dirty.store(false, Ordering::Release);
    let bytes = written.bytes.swap(0, Ordering::AcqRel);
    match sync_all(&written.file) {
        Ok(()) => {
            *lock(&written.failed) = None;
            Ok(Synced { bytes, emptied })
        }
        Err(error) => {
            written.failed(error.to_string());
            written.bytes.fetch_add(bytes, Ordering::Relaxed);
            written.dirty.store(true, Ordering::Release);
            Err(error.to_string())
        }
    }
}

/// A pipe, a device, or a directory of some network file systems has nothing to make durable, and says so with EINVAL
/// (POSIX `fsync`) or ENOTSUP.
fn sync_all(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// What tells one open file or directory from another: device and inode.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(file: &File) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    file.metadata().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(unix)]
fn is_removed(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

/// Stable Rust cannot tell on other systems; a file that was opened twice counts twice there.
#[cfg(not(unix))]
fn identity(_: &File) -> io::Result<Identity> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
fn is_removed(_: &File) -> bool {
    false
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
