//! `wasi:filesystem/types`: each call goes to the mount that answers for it, or to a virtual directory.

use super::directory::Listing;
use super::opened::{Opened, Unless};
use crate::bindings::Component;
use crate::bindings::exported::types::{
    Advice, Descriptor, DescriptorBorrow, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntryStream, Error,
    ErrorCode, Filesize, Guest, GuestDescriptor, InputStream, MetadataHashValue, NewTimestamp, OpenFlags, OutputStream,
    PathFlags,
};
use crate::bindings::host::types as host;
use crate::state::{self, Counted};
use alloc::borrow::ToOwned as _;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

impl Guest for Component {
    type Descriptor = Opened;
    type DirectoryEntryStream = Listing;

    fn filesystem_error_code(err: &Error) -> Option<ErrorCode> {
        host::filesystem_error_code(err)
    }
}

impl GuestDescriptor for Opened {
    fn read_via_stream(&self, offset: Filesize) -> Result<InputStream, ErrorCode> {
        self.file()?.1.read_via_stream(offset)
    }

    fn write_via_stream(&self, offset: Filesize) -> Result<OutputStream, ErrorCode> {
        self.writable_file()?.write_via_stream(offset)
    }

    fn append_via_stream(&self) -> Result<OutputStream, ErrorCode> {
        self.writable_file()?.append_via_stream()
    }

    fn advise(&self, offset: Filesize, length: Filesize, advice: Advice) -> Result<(), ErrorCode> {
        self.file()?.1.advise(offset, length, advice)
    }

    fn sync_data(&self) -> Result<(), ErrorCode> {
        self.ask_self(|_, descriptor| descriptor.sync_data(), |_| Ok(()))
    }

    fn get_flags(&self) -> Result<DescriptorFlags, ErrorCode> {
        self.ask_self(
            |mount, descriptor| {
                let flags = descriptor.get_flags()?;
                Ok(match mount.check_writable() {
                    Ok(()) => flags,
                    Err(_) => flags - (DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY),
                })
            },
            // A libc asks the root for what may be changed anywhere below it (`access`); each mount refuses for itself.
            |_| Ok(DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY),
        )
    }

    fn get_type(&self) -> Result<DescriptorType, ErrorCode> {
        match self.descriptor()? {
            Some((_, descriptor)) => descriptor.get_type(),
            None => Ok(DescriptorType::Directory),
        }
    }

    fn set_size(&self, size: Filesize) -> Result<(), ErrorCode> {
        self.writable_file()?.set_size(size)
    }

    fn set_times(&self, accessed: NewTimestamp, modified: NewTimestamp) -> Result<(), ErrorCode> {
        self.ask_self(
            |mount, descriptor| {
                mount.check_writable()?;
                descriptor.set_times(accessed, modified)
            },
            |_| Err(ErrorCode::ReadOnly),
        )
    }

    fn read(&self, length: Filesize, offset: Filesize) -> Result<(Vec<u8>, bool), ErrorCode> {
        self.file()?.1.read(length, offset)
    }

    fn write(&self, buffer: Vec<u8>, offset: Filesize) -> Result<Filesize, ErrorCode> {
        self.writable_file()?.write(&buffer, offset)
    }

    fn read_directory(&self) -> Result<DirectoryEntryStream, ErrorCode> {
        let counted = Counted::new()?;
        let table = state::table();
        let attached = match self {
            Self::Outside { .. } => Vec::new(),
            _ => table.node(self.path()).into_iter().flat_map(|node| node.names()).map(str::to_owned).collect(),
        };
        let entries =
            self.ask_self(|mount, descriptor| Ok(Some((mount.clone(), descriptor.read_directory()?))), |_| Ok(None))?;
        Ok(DirectoryEntryStream::new(Listing::new(entries, attached, counted)))
    }

    fn sync(&self) -> Result<(), ErrorCode> {
        self.ask_self(|_, descriptor| descriptor.sync(), |_| Ok(()))
    }

    fn create_directory_at(&self, path: String) -> Result<(), ErrorCode> {
        self.change(&path, Unless::creating(ErrorCode::Exist), |host, path| host.create_directory_at(path))
    }

    fn stat(&self) -> Result<DescriptorStat, ErrorCode> {
        self.ask_self(|_, descriptor| descriptor.stat(), |_| Ok(virtual_stat()))
    }

    fn stat_at(&self, flags: PathFlags, path: String) -> Result<DescriptorStat, ErrorCode> {
        self.ask(flags, &path, |_, host, place| host.stat_at(flags, &place.path), |_| Ok(virtual_stat()))
    }

    fn set_times_at(
        &self,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> Result<(), ErrorCode> {
        self.ask(
            flags,
            &path,
            |mount, host, place| {
                mount.check_writable()?;
                host.set_times_at(flags, &place.path, accessed, modified)
            },
            |_| Err(ErrorCode::ReadOnly),
        )
    }

    fn link_at(
        &self,
        old_flags: PathFlags,
        old_path: String,
        new_descriptor: DescriptorBorrow<'_>,
        new_path: String,
    ) -> Result<(), ErrorCode> {
        self.change_two(
            (old_flags, &old_path),
            new_descriptor.get(),
            &new_path,
            // A directory has no second name (POSIX `link`).
            [Unless::removing(ErrorCode::NotPermitted), Unless::creating(ErrorCode::Exist)],
            |old, old_path, new, new_path| old.link_at(old_flags, old_path, new, new_path),
        )
    }

    fn open_at(
        &self,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> Result<Descriptor, ErrorCode> {
        let creates = open_flags.contains(OpenFlags::CREATE);
        let opened = self.ask_or(
            path_flags,
            &path,
            if creates { ErrorCode::ReadOnly } else { ErrorCode::NoEntry },
            |mount, host, place| {
                let changes = open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE)
                    || flags.contains(DescriptorFlags::WRITE);
                let mut flags = flags;
                if changes {
                    mount.check_writable()?;
                }
                // A libc asks for this when it creates a file, where it means nothing and some hosts refuse it.
                if mount.check_writable().is_err() || !open_flags.contains(OpenFlags::DIRECTORY) {
                    flags -= DescriptorFlags::MUTATE_DIRECTORY;
                }
                let descriptor = Rc::new(host.open_at(path_flags, &place.path, open_flags, flags)?);
                let mount = mount.clone();
                Ok(match self {
                    Self::Outside { .. } => Self::Outside { mount, descriptor: Some(descriptor) },
                    _ => Self::InMount { mount, descriptor, path: place.guest() },
                })
            },
            |path| match () {
                () if open_flags.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE) => Err(ErrorCode::Exist),
                () if open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE)
                    || flags.contains(DescriptorFlags::WRITE) =>
                {
                    Err(ErrorCode::IsDirectory)
                }
                () => Ok(Self::ByPath { path: path.to_vec(), _counted: Some(Counted::new()?) }),
            },
        );
        opened.map(Descriptor::new)
    }

    fn readlink_at(&self, path: String) -> Result<String, ErrorCode> {
        self.ask(PathFlags::empty(), &path, |_, host, place| host.readlink_at(&place.path), |_| Err(ErrorCode::Invalid))
    }

    fn remove_directory_at(&self, path: String) -> Result<(), ErrorCode> {
        self.change(&path, Unless::removing(ErrorCode::Busy), |host, path| host.remove_directory_at(path))
    }

    fn rename_at(
        &self,
        old_path: String,
        new_descriptor: DescriptorBorrow<'_>,
        new_path: String,
    ) -> Result<(), ErrorCode> {
        self.change_two(
            (PathFlags::empty(), &old_path),
            new_descriptor.get(),
            &new_path,
            [Unless::removing(ErrorCode::Busy), Unless::creating(ErrorCode::Busy)],
            |old, old_path, new, new_path| old.rename_at(old_path, new, new_path),
        )
    }

    fn symlink_at(&self, old_path: String, new_path: String) -> Result<(), ErrorCode> {
        self.change(&new_path, Unless::creating(ErrorCode::Exist), |host, path| host.symlink_at(&old_path, path))
    }

    fn unlink_file_at(&self, path: String) -> Result<(), ErrorCode> {
        self.change(&path, Unless::removing(ErrorCode::IsDirectory), |host, path| host.unlink_file_at(path))
    }

    fn is_same_object(&self, other: DescriptorBorrow<'_>) -> bool {
        let other: &Self = other.get();
        let same = self.ask_self(
            |_, ours| other.ask_self(|_, theirs| Ok(ours.is_same_object(theirs)), |_| Ok(false)),
            |ours| other.ask_self(|_, _| Ok(false), |theirs| Ok(ours == theirs)),
        );
        same.unwrap_or(false)
    }

    fn metadata_hash(&self) -> Result<MetadataHashValue, ErrorCode> {
        self.ask_self(|_, descriptor| descriptor.metadata_hash(), |path| Ok(virtual_hash(path)))
    }

    fn metadata_hash_at(&self, flags: PathFlags, path: String) -> Result<MetadataHashValue, ErrorCode> {
        self.ask(
            flags,
            &path,
            |_, host, place| host.metadata_hash_at(flags, &place.path),
            |path| Ok(virtual_hash(path)),
        )
    }
}

/// What the host says is at a path of the guest; `None` for nothing, or nothing that can be told.
pub(crate) fn kind_at(parts: &[String], flags: PathFlags) -> Option<DescriptorType> {
    let root = Opened::ByPath { path: Vec::new(), _counted: None };
    root.stat_at(flags, crate::path::join(parts.iter().map(String::as_str))).ok().map(|stat| stat.type_)
}

fn virtual_stat() -> DescriptorStat {
    DescriptorStat {
        type_: DescriptorType::Directory,
        link_count: 1,
        size: 0,
        data_access_timestamp: None,
        data_modification_timestamp: None,
        status_change_timestamp: None,
    }
}

/// The identity of a virtual directory is its path. The hash is FNV-1a, 128 bits wide.
fn virtual_hash(path: &[String]) -> MetadataHashValue {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let bytes = path.iter().flat_map(|part| part.bytes().chain([b'/']));
    let hash = bytes.fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    MetadataHashValue { lower: hash as u64, upper: (hash >> 64) as u64 }
}
