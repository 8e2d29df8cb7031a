//! What is attached to the guest's tree: a directory of the host, as a grant or as one of the host's preopens.

use crate::bindings::grants::{Access, Grant};
use crate::bindings::host::types::{Descriptor, ErrorCode};
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::RefCell;

pub(crate) struct Mount {
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) access: Access,
    pub(crate) label: String,
    root: Descriptor,
    source: RefCell<Source>,
}

enum Source {
    Preopen,
    Grant(Rc<Grant>),
    Detached,
}

impl Mount {
    pub(crate) fn of_grant(path: String, id: String, access: Access, grant: Grant, root: Descriptor) -> Self {
        let label = grant.label();
        Self { path, id, access, label, root, source: RefCell::new(Source::Grant(Rc::new(grant))) }
    }

    /// A preopen: read-write as far as this component knows, since its host enforces what it allows.
    pub(crate) fn of_preopen(path: String, root: Descriptor) -> Self {
        Self {
            path,
            id: String::new(),
            access: Access::ReadWrite,
            label: String::new(),
            root,
            source: RefCell::new(Source::Preopen),
        }
    }

    /// The grant it came from, while it is attached. Shared, so that no borrow is held while the host works.
    pub(crate) fn grant(&self) -> Option<Rc<Grant>> {
        match &*self.source.borrow() {
            Source::Grant(grant) => Some(grant.clone()),
            Source::Preopen | Source::Detached => None,
        }
    }

    /// The directory itself.
    pub(crate) fn root(&self) -> Result<&Descriptor, ErrorCode> {
        self.check_attached()?;
        Ok(&self.root)
    }

    /// Whether descriptors below still work.
    pub(crate) fn check_attached(&self) -> Result<(), ErrorCode> {
        match &*self.source.borrow() {
            Source::Detached => Err(ErrorCode::NoDevice),
            Source::Grant(_) | Source::Preopen => Ok(()),
        }
    }

    /// Whether a call may change something. The host enforces this too; here the guest learns the reason.
    pub(crate) fn check_writable(&self) -> Result<(), ErrorCode> {
        self.check_attached()?;
        match self.access {
            Access::ReadWrite => Ok(()),
            Access::Read => Err(ErrorCode::ReadOnly),
        }
    }

    /// Ends its use. The host, told by the grant's drop, cuts off the streams that were handed out.
    pub(crate) fn detach(&self) {
        let source = self.source.replace(Source::Detached);
        drop(source);
    }
}
