//! Whether a file is still as it was.

use std::fs::Metadata;

/// Which file it is, and when it was changed last. Two are the same as long as nobody wrote to the file or put another
/// one in its place, if it is held open: the system gives the number of a file that is gone to the next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Version(Fields);

/// Device and inode, size, and the times of the last change of content and of anything.
#[cfg(unix)]
type Fields = ([u64; 3], [i64; 4]);

#[cfg(unix)]
impl Version {
    pub(super) fn of(file: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        let which = [file.dev(), file.ino(), file.size()];
        Self((which, [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()]))
    }
}

/// Stable Rust cannot tell one file from another on other systems.
#[cfg(not(unix))]
type Fields = (u64, [Option<std::time::SystemTime>; 2]);

#[cfg(not(unix))]
impl Version {
    pub(super) fn of(file: &Metadata) -> Self {
        Self((file.len(), [file.created().ok(), file.modified().ok()]))
    }
}
