//! `directory-entry-stream`: the host's entries, and the mount points among them.

use crate::bindings::exported::types::GuestDirectoryEntryStream;
use crate::bindings::host::types::{DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode};
use crate::mount::Mount;
use crate::state::Counted;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;

pub struct Listing {
    host: Option<(Rc<Mount>, DirectoryEntryStream)>,
    /// Directories that lead to mount points: each is shown once, whether the host has one of that name or not.
    attached: Vec<String>,
    /// How many of them were shown.
    shown: Cell<usize>,
    _counted: Counted,
}

impl Listing {
    pub(crate) fn new(
        host: Option<(Rc<Mount>, DirectoryEntryStream)>,
        attached: Vec<String>,
        counted: Counted,
    ) -> Self {
        Self { host, attached, shown: Cell::new(0), _counted: counted }
    }
}

impl GuestDirectoryEntryStream for Listing {
    fn read_directory_entry(&self) -> Result<Option<DirectoryEntry>, ErrorCode> {
        if let Some((mount, entries)) = &self.host {
            loop {
                mount.check_attached()?;
                match entries.read_directory_entry() {
                    Ok(Some(entry)) if self.attached.contains(&entry.name) => {}
                    Ok(None) => break,
                    // A name that is not UTF-8, or an entry that is gone by now, must not hide those after it.
                    Err(ErrorCode::IllegalByteSequence | ErrorCode::NoEntry) => {}
                    other => return other,
                }
            }
        }
        let next = self.attached.get(self.shown.get()).cloned();
        self.shown.set(self.shown.get() + 1);
        Ok(next.map(|name| DirectoryEntry { type_: DescriptorType::Directory, name }))
    }
}
