//! Listings of directories, read a few entries at a time: how large a directory is, and how many are listed at once, is
//! the guest's decision. wasmtime-wasi's own hold all names, and ask for each entry's metadata.

use crate::grant::Grant;
use cap_fs_ext::FileTypeExt as _;
use cap_std::fs::{DirEntry, FileType, ReadDir};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode};
use wasmtime_wasi::p2::{FsError, FsResult};

/// Entries that are read at once.
pub(crate) const BATCH: usize = 128;

/// One in the guest's resource table.
pub(crate) struct Listing {
    /// Where the directory came from, unless from a preopen.
    pub(crate) grant: Option<Arc<Grant>>,
    /// Those that are read and not told yet.
    pub(crate) next: VecDeque<FsResult<DirectoryEntry>>,
    /// Where the rest is; `None` when there is none.
    pub(crate) rest: Option<ReadDir>,
    /// Counts it among what is open.
    pub(crate) _counted: Arc<()>,
}

impl Listing {
    /// The resource that the guest knows by this number. wasmtime-wasi's type for it cannot be made outside of it, and only
    /// the number leaves the table.
    pub(crate) fn of(stream: &Resource<DirectoryEntryStream>) -> Resource<Self> {
        if stream.owned() { Resource::new_own(stream.rep()) } else { Resource::new_borrow(stream.rep()) }
    }

    /// As a resource of the guest.
    pub(crate) fn as_stream(listing: &Resource<Self>) -> Resource<DirectoryEntryStream> {
        Resource::new_own(listing.rep())
    }
}

/// Reads [`BATCH`] entries; fewer when there are no more. Blocks.
pub(crate) fn read(rest: &mut ReadDir) -> VecDeque<FsResult<DirectoryEntry>> {
    rest.take(BATCH).map(|entry| told(&entry?)).collect()
}

fn told(entry: &DirEntry) -> FsResult<DirectoryEntry> {
    let name = entry.file_name().into_string().map_err(|_| FsError::from(ErrorCode::IllegalByteSequence))?;
    Ok(DirectoryEntry { type_: kind(entry)?, name })
}

fn kind(entry: &DirEntry) -> io::Result<DescriptorType> {
    let known = of_type(entry.file_type()?);
    // Some file systems do not tell it with the name.
    Ok(if known == DescriptorType::Unknown { of_type(entry.metadata()?.file_type()) } else { known })
}

fn of_type(kind: FileType) -> DescriptorType {
    match () {
        () if kind.is_file() => DescriptorType::RegularFile,
        () if kind.is_dir() => DescriptorType::Directory,
        () if kind.is_symlink() => DescriptorType::SymbolicLink,
        () if kind.is_block_device() => DescriptorType::BlockDevice,
        () if kind.is_char_device() => DescriptorType::CharacterDevice,
        () if kind.is_fifo() => DescriptorType::Fifo,
        () if kind.is_socket() => DescriptorType::Socket,
        () => DescriptorType::Unknown,
    }
}
