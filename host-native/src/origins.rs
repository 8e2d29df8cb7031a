//! Which grant each descriptor and stream of the guest came from.
//!
//! Descriptors stay those of wasmtime-wasi, so that its file system serves them; this remembers beside them what it does
//! not know. What came from a preopen of the embedder is wasmtime-wasi's alone, and only counted here.

use crate::dirty::{Written, moved};
use crate::grant::Grant;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::DynOutputStream;

/// Where a descriptor came from.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) grant: Arc<Grant>,
    /// Relative to the granted directory, for reports.
    pub(crate) path: String,
    /// For a file: what is noted when it is written.
    pub(crate) written: Option<Arc<Written>>,
}

/// What is open, by number in the resource table; without an origin, what came from a preopen.
#[derive(Default)]
pub(crate) struct Origins {
    descriptors: HashMap<u32, Option<Origin>>,
    writers: Vec<Weak<Writer>>,
    /// Each listing, and each stream of a grant, holds one more.
    counted: Arc<()>,
}

/// An output stream. Held by the stream itself, since nobody is told when a stream is dropped.
pub(crate) struct Writer {
    pub(crate) grant: Arc<Grant>,
    pub(crate) written: Arc<Written>,
    number: AtomicU32,
    /// What went wrong with a write that the guest did not wait for, until it hears of it.
    unheard: Mutex<Option<String>>,
}

impl Writer {
    pub(crate) fn new(grant: Arc<Grant>, written: Arc<Written>) -> Arc<Self> {
        Arc::new(Self { grant, written, number: AtomicU32::new(0), unheard: Mutex::default() })
    }

    pub(crate) fn stream(&self) -> Resource<DynOutputStream> {
        Resource::new_borrow(self.number.load(Ordering::Relaxed))
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
        self.descriptors.len() + Arc::strong_count(&self.counted) - 1
    }

    /// Counts a listing or stream for as long as it holds this.
    pub(crate) fn count(&self) -> Arc<()> {
        self.counted.clone()
    }

    pub(crate) fn of(&self, descriptor: &Resource<Descriptor>) -> Option<&Origin> {
        self.descriptors.get(&descriptor.rep())?.as_ref()
    }

    pub(crate) fn add(&mut self, descriptor: &Resource<Descriptor>, origin: Option<Origin>) {
        self.descriptors.insert(descriptor.rep(), origin);
    }

    pub(crate) fn forget(&mut self, descriptor: &Resource<Descriptor>) {
        self.descriptors.remove(&descriptor.rep());
    }

    /// Notes that a grant's file or directory was renamed.
    pub(crate) fn renamed(&mut self, grant: &Arc<Grant>, from: &str, to: &str) {
        for origin in self.descriptors.values_mut().flatten().filter(|origin| Arc::ptr_eq(&origin.grant, grant)) {
            if let Some(now) = moved(&origin.path, from, to) {
                origin.path = now;
            }
            if let Some(written) = &origin.written {
                written.renamed(from, to);
            }
        }
    }

    pub(crate) fn add_writer(&mut self, stream: &Resource<DynOutputStream>, writer: &Arc<Writer>) {
        writer.number.store(stream.rep(), Ordering::Relaxed);
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
