//! What a grant's directory does not durably have yet: files written and directories whose names changed.
//!
//! Each is held open from before its change until it is synced, so that a rename or removal cannot hide it and the
//! operating system reports a failed write-back to it. Holding is bounded: the oldest are synced early.

use crate::bindings::mountfs::fs::types::{Failure, SyncReport, Unsynced};
use same_file::Handle;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Files or directories held open at most. A process has 1024 descriptors by default on Linux, 256 on macOS.
const MAX_HELD: usize = 128;

/// A file that was opened to be written.
#[derive(Debug)]
pub(crate) struct Written {
    file: Arc<File>,
    path: String,
    /// Written since it was last synced.
    bytes: AtomicU64,
    /// Whether it is among the dirty files.
    dirty: AtomicBool,
}

impl Written {
    pub(crate) fn new(file: Arc<File>, path: String) -> Arc<Self> {
        Arc::new(Self { file, path, bytes: AtomicU64::new(0), dirty: AtomicBool::new(false) })
    }
}

#[derive(Debug, Default)]
pub(crate) struct Dirty(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    files: VecDeque<Arc<Written>>,
    directories: HashMap<Handle, String>,
    /// What early syncs did, for the next report.
    early: Early,
    removed: u64,
}

#[derive(Debug, Default)]
struct Early {
    files: u64,
    bytes: u64,
    failures: Vec<Failure>,
}

impl Dirty {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that bytes are about to be written to a file.
    pub(crate) fn will_write(&self, written: &Arc<Written>, bytes: u64) {
        written.bytes.fetch_add(bytes, Ordering::Relaxed);
        if written.dirty.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut inner = self.lock();
        inner.files.push_back(written.clone());
        if inner.files.len() > MAX_HELD
            && let Some(oldest) = inner.files.pop_front()
        {
            drop(inner);
            let result = sync_file(&oldest);
            let mut inner = self.lock();
            match result {
                Ok(bytes) => {
                    inner.early.files += 1;
                    inner.early.bytes += bytes;
                }
                Err(error) => {
                    inner.early.failures.push(failure(&oldest.path, &error));
                    inner.files.push_back(oldest);
                }
            }
        }
    }

    /// Notes that names in a directory changed. `open` gives the directory, for reading.
    pub(crate) fn names_changed(&self, path: &str, open: impl FnOnce() -> io::Result<File>) {
        // Directories cannot be synced on Windows; NTFS journals names.
        if cfg!(windows) {
            return;
        }
        match open().and_then(Handle::from_file) {
            Ok(directory) => {
                let mut inner = self.lock();
                inner.directories.entry(directory).or_insert_with(|| path.to_owned());
                if inner.directories.len() > MAX_HELD {
                    let directories = std::mem::take(&mut inner.directories);
                    drop(inner);
                    let failed = sync_directories(directories, &mut Vec::new());
                    self.lock().directories.extend(failed);
                }
            }
            // It is gone again, and its names with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.lock().early.failures.push(failure(path, &error)),
        }
    }

    pub(crate) fn name_removed(&self) {
        self.lock().removed += 1;
    }

    /// Makes all of it durable: contents first, then the names that lead to them. Blocks.
    pub(crate) fn sync(&self) -> SyncReport {
        let (files, directories, early, removed) = {
            let mut inner = self.lock();
            let inner = &mut *inner;
            (
                std::mem::take(&mut inner.files),
                std::mem::take(&mut inner.directories),
                std::mem::take(&mut inner.early),
                std::mem::take(&mut inner.removed),
            )
        };
        let mut report = SyncReport {
            files: early.files,
            bytes: early.bytes,
            removed,
            conflicts: Vec::new(),
            failures: early.failures,
        };
        let mut seen = HashSet::new();
        let mut failed = VecDeque::new();
        for written in files {
            match sync_file(&written) {
                Ok(bytes) => {
                    report.files += u64::from(seen.insert(identity(&written.file)));
                    report.bytes += bytes;
                }
                Err(error) => {
                    report.failures.push(failure(&written.path, &error));
                    failed.push_back(written);
                }
            }
        }
        let failed_directories = sync_directories(directories, &mut report.failures);
        let mut inner = self.lock();
        inner.files.extend(failed);
        inner.directories.extend(failed_directories);
        report
    }

    pub(crate) fn unsynced(&self) -> Unsynced {
        let inner = self.lock();
        let files: HashSet<_> = inner.files.iter().map(|written| identity(&written.file)).collect();
        let bytes = inner.files.iter().map(|written| written.bytes.load(Ordering::Relaxed)).sum();
        Unsynced { files: files.len() as u64, bytes }
    }
}

/// The bytes that are durable now. What is written meanwhile makes the file dirty again.
fn sync_file(written: &Written) -> io::Result<u64> {
    written.dirty.store(false, Ordering::Release);
    let bytes = written.bytes.swap(0, Ordering::AcqRel);
    let synced = match written.file.sync_all() {
        // A pipe or device, which has nothing to make durable (POSIX `fsync`, EINVAL).
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    };
    synced.map(|()| bytes).inspect_err(|_| {
        written.bytes.fetch_add(bytes, Ordering::Relaxed);
        written.dirty.store(true, Ordering::Release);
    })
}

/// Those that failed.
fn sync_directories(directories: HashMap<Handle, String>, failures: &mut Vec<Failure>) -> HashMap<Handle, String> {
    directories
        .into_iter()
        .filter(|(directory, path)| {
            let result = directory.as_file().sync_all();
            result.inspect_err(|error| failures.push(failure(path, error))).is_err()
        })
        .collect()
}

fn failure(path: &str, error: &io::Error) -> Failure {
    // The error of an open file names no path of the host.
    Failure { path: path.to_owned(), reason: error.to_string() }
}

/// One entry a file, however often it was opened. A file that cannot be told from others counts for itself.
fn identity(file: &Arc<File>) -> Result<Handle, usize> {
    file.try_clone().and_then(Handle::from_file).map_err(|_| Arc::as_ptr(file) as usize)
}
