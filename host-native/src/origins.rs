//! Which grant each descriptor and stream of the guest came from.
//!
//! Descriptors stay those of wasmtime-wasi, so that its file system serves them; this remembers beside them what it does
//! not know. What came from a preopen of the embedder is wasmtime-wasi's alone, and only counted here.

use crate::dirty::{Written, moved};
use crate::grant::Grant;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::DynOutputStream;

/// Where a descriptor came from, if the guest has one of this number.
#[derive(Default)]
enum Slot {
    #[default]
    Free,
    Preopen,
    Grant(Origin),
}

/// Where a descriptor of a grant came from.
pub(crate) struct Origin {
    pub(crate) grant: Arc<Grant>,
    /// Relative to the granted directory, for reports.
    pub(crate) path: String,
    /// For a file: what is noted when it is written.
    pub(crate) written: Option<Arc<Written>>,
}

/// What is open.
#[derive(Default)]
pub(crate) struct Origins {
    /// By number in the resource table, which gives a freed number out again before it grows.
    descriptors: Vec<Slot>,
    open: usize,
    writers: Vec<Weak<Writer>>,
    /// Each listing, and each stream of a grant, holds one more.
    counted: Arc<()>,
}

/// An output stream. Held by the stream itself, since nobody is told when a stream is dropped.
pub(crate) struct Writer {
    pub(crate) grant: Arc<Grant>,
    pub(crate) written: Arc<Written>,
    /// The stream's number in the resource table.
    number: u32,
    /// What went wrong with a write that the guest did not wait for, until it hears of it.
    unheard: Mutex<Option<String>>,
}

impl Writer {
    pub(crate) fn new(grant: Arc<Grant>, written: Arc<Written>, stream: &Resource<DynOutputStream>) -> Arc<Self> {
        Arc::new(Self { grant, written, number: stream.rep(), unheard: Mutex::default() })
    }

    pub(crate) fn stream(&self) -> Resource<DynOutputStream> {
        Resource::new_borrow(self.number)
    }

    /// Notes that a write failed, or, with `None`, that the guest knows.
    pub(crate) fn set_unheard(&self, reason: Option<String>) {
        *self.unheard.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    /// Leaves what the guest has not heard of to the next sync.
    pub(crate) fn report(&self) {
        if let Some(reason) = self.unheard.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.written.failed(reason);
            self.grant.dirty.touch(&self.written);
        }
    }
}

impl Origins {
    /// How much is open.
    pub(crate) fn open(&self) -> usize {
        self.open + Arc::strong_count(&self.counted) - 1
    }

    /// Counts a listing or stream for as long as it holds this.
    pub(crate) fn count(&self) -> Arc<()> {
        self.counted.clone()
    }

    pub(crate) fn of(&self, descriptor: &Resource<Descriptor>) -> Option<&Origin> {
        match self.descriptors.get(descriptor.rep() as usize)? {
            Slot::Grant(origin) => Some(origin),
            Slot::Free | Slot::Preopen => None,
        }
    }

    pub(crate) fn add(&mut self, descriptor: &Resource<Descriptor>, origin: Option<Origin>) {
        let number = descriptor.rep() as usize;
        if number >= self.descriptors.len() {
            self.descriptors.resize_with(number + 1, Slot::default);
        }
        let before = std::mem::replace(&mut self.descriptors[number], origin.map_or(Slot::Preopen, Slot::Grant));
        if matches!(before, Slot::Free) {
            self.open += 1;
        }
    }

    pub(crate) fn forget(&mut self, descriptor: &Resource<Descriptor>) {
        if let Some(slot) = self.descriptors.get_mut(descriptor.rep() as usize)
            && !matches!(std::mem::take(slot), Slot::Free)
        {
            self.open -= 1;
        }
    }

    /// Notes that a grant's file or directory was renamed.
    pub(crate) fn renamed(&mut self, grant: &Arc<Grant>, from: &str, to: &str) {
        for slot in &mut self.descriptors {
            let Slot::Grant(origin) = slot else { continue };
            if !Arc::ptr_eq(&origin.grant, grant) {
                continue;
            }
            if let Some(now) = moved(&origin.path, from, to) {
                origin.path = now;
            }
            if let Some(written) = &origin.written {
                written.renamed(from, to);
            }
        }
    }

    pub(crate) fn add_writer(&mut self, writer: &Arc<Writer>) {
        if self.writers.len() == self.writers.capacity() {
            // Before it grows, so that it stays in proportion to the streams that are open.
            self.writers.retain(|writer| writer.strong_count() > 0);
        }
        self.writers.push(Arc::downgrade(writer));
    }

    /// The output streams open on a grant.
    pub(crate) fn writers(&self, grant: &Arc<Grant>) -> Vec<Arc<Writer>> {
        let open = self.writers.iter().filter_map(Weak::upgrade);
        open.filter(|writer| Arc::ptr_eq(&writer.grant, grant)).collect()
    }
}
