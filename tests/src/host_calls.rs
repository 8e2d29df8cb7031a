//! The calls that a guest of this thread makes to its host for WASI: wasmtime-wasi makes a span of each, but of no drop.

use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, set_default};
use tracing::{Event, Metadata, Subscriber};

/// Counts them for as long as it is there.
pub struct HostCalls {
    names: Names,
    _guard: DefaultGuard,
}

/// In the order they were made.
type Names = Arc<Mutex<Vec<String>>>;

impl HostCalls {
    /// Begins, with none.
    #[must_use]
    pub fn count() -> Self {
        let names = Names::default();
        let guard = set_default(Spans(names.clone()));
        Self { names, _guard: guard }
    }

    /// The functions that were called since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.names.lock().expect("nobody panicked"))
    }
}

struct Spans(Names);

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.name() == "wit-bindgen import"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Function(&self.0));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Notes the field of a span that names the function.
struct Function<'a>(&'a Names);

impl Visit for Function<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "function" {
            self.0.lock().expect("nobody panicked").push(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
