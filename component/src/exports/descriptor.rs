//! `wasi:filesystem/types`: each call goes to the mount that answers for it, or to a virtual directory.

use super::directory::Listing;
use crate::bindings::exported::types::{
    Advice, Descriptor, DescriptorBorrow, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntryStream, Error,
    ErrorCode, Filesize, Guest, GuestDescriptor, InputStream, MetadataHashValue, NewTimestamp, OpenFlags, OutputStream,
    PathFlags,
};
use crate::bindings::{Component, host::types as host};
use crate::mount::Mount;
use crate::state::{self, Mounts};
use crate::walk::{self, Base, Kind, Look, Refusal};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

type Place<'t> = walk::Place<'t, Rc<Mount>>;

impl Guest for Component {
    type Descriptor = Opened;
    type DirectoryEntryStream = Listing;

    fn filesystem_error_code(err: &Error) -> Option<ErrorCode> {
        host::filesystem_error_code(err)
    }
}

/// An open file or directory.
pub enum Opened {
    /// A directory known by its path alone, looked up in the table at each use: the root, a preopen, a virtual directory.
    ByPath(Vec<String>),
    /// A descriptor of the host, and where it was opened.
    InMount { mount: Rc<Mount>, descriptor: Rc<host::Descriptor>, path: Vec<String> },
    /// In a preopen whose name leads above the guest's root, where nothing can be attached: the host answers for all of
    /// it. Without a descriptor, the preopen itself.
    Outside { mount: Rc<Mount>, descriptor: Option<Rc<host::Descriptor>> },
}

/// Why a change is refused without asking the host.
struct Unless {
    /// Something is attached there, or below.
    attached: ErrorCode,
    /// It is a name in a virtual directory, which has none but those of mount points.
    in_virtual: ErrorCode,
}

impl Unless {
    const fn creating(attached: ErrorCode) -> Self {
        Self { attached, in_virtual: ErrorCode::ReadOnly }
    }

    const fn removing(attached: ErrorCode) -> Self {
        Self { attached, in_virtual: ErrorCode::NoEntry }
    }
}

impl Opened {
    /// What the host has open; `None` for a directory known by its path alone.
    fn descriptor(&self) -> Result<Option<(&Rc<Mount>, &host::Descriptor)>, ErrorCode> {
        match self {
            Self::ByPath(_) => Ok(None),
            Self::InMount { mount, descriptor, .. } => {
                mount.check_attached()?;
                Ok(Some((mount, descriptor)))
            }
            Self::Outside { mount, descriptor: Some(descriptor) } => Ok(Some((mount, descriptor))),
            Self::Outside { mount, descriptor: None } => Ok(Some((mount, mount.root()?))),
        }
    }

    /// For the calls that only files answer.
    fn file(&self) -> Result<(&Rc<Mount>, &host::Descriptor), ErrorCode> {
        self.descriptor()?.ok_or(ErrorCode::IsDirectory)
    }

    fn path(&self) -> &[String] {
        match self {
            Self::ByPath(path) | Self::InMount { path, .. } => path,
            Self::Outside { .. } => &[],
        }
    }

    fn walk<'t>(&'t self, table: &'t Mounts, flags: PathFlags, path: &str) -> Result<Place<'t>, ErrorCode> {
        if let Self::Outside { mount, .. } = self {
            return Ok(Place { mount: Some(mount), from_base: true, path: path.to_owned(), guest: vec![], node: None });
        }
        let opened = self.descriptor()?;
        let base = Base { path: self.path(), mount: opened.map(|(mount, _)| mount) };
        let look = HostLook { base: opened.map(|(_, descriptor)| descriptor) };
        walk::walk(table, base, path, flags.contains(PathFlags::SYMLINK_FOLLOW), &look)
    }

    /// Whom to ask about a place; `None` in a virtual directory.
    fn host_of<'a>(&'a self, place: &Place<'a>) -> Result<Option<(&'a Rc<Mount>, &'a host::Descriptor)>, ErrorCode> {
        match place.mount {
            None => Ok(None),
            Some(_) if place.from_base => self.descriptor(),
            Some(mount) => Ok(Some((mount, mount.root()?))),
        }
    }

    /// Asks the host about a path, or `of_virtual` about a virtual directory.
    fn ask<R>(
        &self,
        flags: PathFlags,
        path: &str,
        of_host: impl Fn(&Rc<Mount>, &host::Descriptor, &Place) -> Result<R, ErrorCode>,
        of_virtual: impl FnOnce(&[String]) -> Result<R, ErrorCode>,
    ) -> Result<R, ErrorCode> {
        self.ask_or(flags, path, ErrorCode::NoEntry, of_host, of_virtual)
    }

    /// The same, with the answer for a name that is not in a virtual directory.
    fn ask_or<R>(
        &self,
        flags: PathFlags,
        path: &str,
        missing: ErrorCode,
        of_host: impl Fn(&Rc<Mount>, &host::Descriptor, &Place) -> Result<R, ErrorCode>,
        of_virtual: impl FnOnce(&[String]) -> Result<R, ErrorCode>,
    ) -> Result<R, ErrorCode> {
        let table = state::table();
        let place = self.walk(&table, flags, path)?;
        match self.host_of(&place)? {
            Some((mount, descriptor)) => of_host(mount, descriptor, &place),
            None if place.node.is_some() => of_virtual(&place.guest),
            None => Err(missing),
        }
    }

    /// The same for the directory itself.
    fn ask_self<R>(
        &self,
        of_host: impl Fn(&Rc<Mount>, &host::Descriptor) -> Result<R, ErrorCode>,
        of_virtual: impl FnOnce(&[String]) -> Result<R, ErrorCode>,
    ) -> Result<R, ErrorCode> {
        if let Some((mount, descriptor)) = self.descriptor()? {
            return of_host(mount, descriptor);
        }
        let of_host = |mount: &Rc<Mount>, descriptor: &host::Descriptor, place: &Place| match place.path.as_str() {
            "." => of_host(mount, descriptor),
            path => of_host(mount, &open_directory(descriptor, path)?),
        };
        self.ask(PathFlags::SYMLINK_FOLLOW, ".", of_host, of_virtual)
    }

    /// Changes something at a path, which has to be in a writable mount, with nothing attached there.
    fn change<R>(
        &self,
        path: &str,
        unless: Unless,
        change: impl FnOnce(&host::Descriptor, &str) -> Result<R, ErrorCode>,
    ) -> Result<R, ErrorCode> {
        let table = state::table();
        let place = self.walk(&table, PathFlags::empty(), path)?;
        let (_, descriptor) = self.changeable(&place, unless)?;
        change(descriptor, &place.path)
    }

    fn changeable<'a>(
        &'a self,
        place: &Place<'a>,
        unless: Unless,
    ) -> Result<(&'a Rc<Mount>, &'a host::Descriptor), ErrorCode> {
        if place.node.is_some() {
            return Err(unless.attached);
        }
        let (mount, descriptor) = self.host_of(place)?.ok_or(unless.in_virtual)?;
        mount.check_writable()?;
        Ok((mount, descriptor))
    }

    /// The two ends of a rename or link, and the host's descriptors to do it with: one mount, or `cross-device`.
    fn change_two<R>(
        &self,
        (old_flags, old_path): (PathFlags, &str),
        other: &Self,
        new_path: &str,
        [old_unless, new_unless]: [Unless; 2],
        change: impl FnOnce(&host::Descriptor, &str, &host::Descriptor, &str) -> Result<R, ErrorCode>,
    ) -> Result<R, ErrorCode> {
        let table = state::table();
        let old_place = self.walk(&table, old_flags, old_path)?;
        let new_place = other.walk(&table, PathFlags::empty(), new_path)?;
        let (old_mount, old) = self.changeable(&old_place, old_unless)?;
        let (new_mount, new) = other.changeable(&new_place, new_unless)?;
        if !Rc::ptr_eq(old_mount, new_mount) {
            return Err(ErrorCode::CrossDevice);
        }
        change(old, &old_place.path, new, &new_place.path)
    }
}

impl Opened {
    fn writable_file(&self) -> Result<&host::Descriptor, ErrorCode> {
        let (mount, descriptor) = self.file()?;
        mount.check_writable()?;
        Ok(descriptor)
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
            |_| Ok(DescriptorFlags::READ),
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
        let table = state::table();
        let attached = match self {
            Self::Outside { .. } => Vec::new(),
            _ => table.node(self.path()).into_iter().flat_map(|node| node.names()).map(str::to_owned).collect(),
        };
        let entries =
            self.ask_self(|mount, descriptor| Ok(Some((mount.clone(), descriptor.read_directory()?))), |_| Ok(None))?;
        Ok(DirectoryEntryStream::new(Listing::new(entries, attached)))
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
                    _ => Self::InMount { mount, descriptor, path: place.guest.clone() },
                })
            },
            |path| match () {
                () if open_flags.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE) => Err(ErrorCode::Exist),
                () if open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE)
                    || flags.contains(DescriptorFlags::WRITE) =>
                {
                    Err(ErrorCode::IsDirectory)
                }
                () => Ok(Self::ByPath(path.to_vec())),
            },
        );
        opened.map(Descriptor::new)
    }

    fn readlink_at(&self, path: String) -> Result<String, ErrorCode> {
        let read = |_: &Rc<Mount>, host: &host::Descriptor, place: &Place| host.readlink_at(&place.path);
        self.ask(PathFlags::empty(), &path, read, |_| Err(ErrorCode::Invalid))
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
    let root = Opened::ByPath(Vec::new());
    root.stat_at(flags, parts.join("/")).ok().map(|stat| stat.type_)
}

/// A walk's questions, answered by the host.
struct HostLook<'a> {
    base: Option<&'a host::Descriptor>,
}

impl Look<Rc<Mount>> for HostLook<'_> {
    type Error = ErrorCode;

    fn kind(&self, mount: &Rc<Mount>, from_base: bool, path: &str) -> Result<Kind, ErrorCode> {
        let directory = match self.base {
            Some(base) if from_base => base,
            _ => mount.root()?,
        };
        match directory.stat_at(PathFlags::empty(), path).map(|stat| stat.type_) {
            Ok(DescriptorType::Directory) => Ok(Kind::Directory),
            Ok(DescriptorType::SymbolicLink) => directory.readlink_at(path).map(Kind::Link),
            Ok(_) => Ok(Kind::File),
            Err(ErrorCode::NoEntry | ErrorCode::NotDirectory) => Ok(Kind::Missing),
            Err(error) => Err(error),
        }
    }
}

impl From<Refusal> for ErrorCode {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoEntry => Self::NoEntry,
            Refusal::NotDirectory => Self::NotDirectory,
            Refusal::NotPermitted => Self::NotPermitted,
            Refusal::Loop => Self::Loop,
            Refusal::Invalid => Self::Invalid,
        }
    }
}

fn open_directory(descriptor: &host::Descriptor, path: &str) -> Result<host::Descriptor, ErrorCode> {
    descriptor.open_at(PathFlags::empty(), path, OpenFlags::DIRECTORY, DescriptorFlags::READ)
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

/// The identity of a virtual directory is its path.
fn virtual_hash(path: &[String]) -> MetadataHashValue {
    let half = |which: &str| {
        let mut hasher = DefaultHasher::new();
        (which, path).hash(&mut hasher);
        hasher.finish()
    };
    MetadataHashValue { lower: half("lower"), upper: half("upper") }
}
