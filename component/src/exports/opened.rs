//! An open file or directory, and how a call on it finds whom to ask: the host, or a virtual directory.

use crate::bindings::host::types::{self as host, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags};
use crate::mount::Mount;
use crate::state::{self, Counted, Mounts};
use crate::walk::{self, Base, Kind, Look, Refusal};
use alloc::borrow::Cow;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

type Place<'t> = walk::Place<'t, Rc<Mount>>;

/// An open file or directory.
pub enum Opened {
    /// A directory known by its path alone, looked up in the table at each use: the root, a preopen, a virtual directory.
    ByPath {
        path: Vec<String>,
        /// When a guest has it open.
        _counted: Option<Counted>,
    },
    /// A descriptor of the host, and where it was opened.
    InMount { mount: Rc<Mount>, descriptor: Rc<host::Descriptor>, path: Vec<String> },
    /// In a preopen whose name leads above the guest's root, where nothing can be attached: the host answers for all of
    /// it. Without a descriptor, the preopen itself.
    Outside { mount: Rc<Mount>, descriptor: Option<Rc<host::Descriptor>> },
}

/// Why a change is refused without asking the host.
pub(super) struct Unless {
    /// Something is attached there, or below.
    attached: ErrorCode,
    /// It is a name in a virtual directory, which has none but those of mount points.
    in_virtual: ErrorCode,
}

impl Unless {
    pub(super) const fn creating(attached: ErrorCode) -> Self {
        Self { attached, in_virtual: ErrorCode::ReadOnly }
    }

    pub(super) const fn removing(attached: ErrorCode) -> Self {
        Self { attached, in_virtual: ErrorCode::NoEntry }
    }
}

impl Opened {
    /// What the host has open; `None` for a directory known by its path alone.
    pub(super) fn descriptor(&self) -> Result<Option<(&Rc<Mount>, &host::Descriptor)>, ErrorCode> {
        match self {
            Self::ByPath { .. } => Ok(None),
            Self::InMount { mount, descriptor, .. } => {
                mount.check_attached()?;
                Ok(Some((mount, descriptor)))
            }
            Self::Outside { mount, descriptor: Some(descriptor) } => Ok(Some((mount, descriptor))),
            Self::Outside { mount, descriptor: None } => Ok(Some((mount, mount.root()?))),
        }
    }

    /// For the calls that only files answer.
    pub(super) fn file(&self) -> Result<(&Rc<Mount>, &host::Descriptor), ErrorCode> {
        self.descriptor()?.ok_or(ErrorCode::IsDirectory)
    }

    pub(super) fn writable_file(&self) -> Result<&host::Descriptor, ErrorCode> {
        let (mount, descriptor) = self.file()?;
        mount.check_writable()?;
        Ok(descriptor)
    }

    pub(super) fn path(&self) -> &[String] {
        match self {
            Self::ByPath { path, .. } | Self::InMount { path, .. } => path,
            Self::Outside { .. } => &[],
        }
    }

    fn walk<'t>(&'t self, table: &'t Mounts, flags: PathFlags, path: &'t str) -> Result<Place<'t>, ErrorCode> {
        if let Self::Outside { mount, .. } = self {
            let (path, below) = (Cow::Borrowed(path), Cow::default());
            return Ok(Place { mount: Some(mount), from_base: true, path, above: &[], below, node: None });
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
    pub(super) fn ask<R>(
        &self,
        flags: PathFlags,
        path: &str,
        of_host: impl Fn(&Rc<Mount>, &host::Descriptor, &Place) -> Result<R, ErrorCode>,
        of_virtual: impl FnOnce(&[String]) -> Result<R, ErrorCode>,
    ) -> Result<R, ErrorCode> {
        self.ask_or(flags, path, ErrorCode::NoEntry, of_host, of_virtual)
    }

    /// The same, with the answer for a name that is not in a virtual directory.
    pub(super) fn ask_or<R>(
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
            None if place.node.is_some() => of_virtual(&place.guest()),
            None => Err(missing),
        }
    }

    /// The same for the directory itself.
    pub(super) fn ask_self<R>(
        &self,
        of_host: impl Fn(&Rc<Mount>, &host::Descriptor) -> Result<R, ErrorCode>,
        of_virtual: impl FnOnce(&[String]) -> Result<R, ErrorCode>,
    ) -> Result<R, ErrorCode> {
        if let Some((mount, descriptor)) = self.descriptor()? {
            return of_host(mount, descriptor);
        }
        let of_host = |mount: &Rc<Mount>, descriptor: &host::Descriptor, place: &Place| match &*place.path {
            "." => of_host(mount, descriptor),
            path => of_host(mount, &open_directory(descriptor, path)?),
        };
        self.ask(PathFlags::SYMLINK_FOLLOW, ".", of_host, of_virtual)
    }

    /// Changes something at a path, which has to be in a writable mount, with nothing attached there.
    pub(super) fn change<R>(
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
    pub(super) fn change_two<R>(
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
            Refusal::NameTooLong => Self::NameTooLong,
        }
    }
}

fn open_directory(descriptor: &host::Descriptor, path: &str) -> Result<host::Descriptor, ErrorCode> {
    descriptor.open_at(PathFlags::empty(), path, OpenFlags::DIRECTORY, DescriptorFlags::READ)
}
