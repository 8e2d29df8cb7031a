//! How much of the host one guest may use at a time.

/// The longest path that a guest may give, in bytes: what Linux takes (`PATH_MAX`), on every system.
pub(crate) const LONGEST_PATH: usize = 4096;

/// What one guest may have in use at a time, so that no guest takes from the host, and from its other guests, more than
/// their embedder thought of. It learns that it met one by an error, and may go on when it has given something back.
///
/// What else of WASI a guest can pile up, such as pollables, is bounded by
/// [`ResourceTable::set_max_capacity`](wasmtime::component::ResourceTable::set_max_capacity), its memory by
/// [`Store::limiter`](wasmtime::Store::limiter), and the bytes of one call by
/// [`Store::set_hostcall_fuel`](wasmtime::Store::set_hostcall_fuel).
///
/// # Example
///
/// ```
/// use mountfs_host::{Limits, MountfsCtx};
///
/// let limits = Limits { mounts: 4, ..Limits::default() };
/// let ctx = MountfsCtx::builder().limits(limits).build();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Files, directories and listings that are open, and streams of grants; those of preopens count in the resource table
    /// alone. Each takes a descriptor of the process, but for streams. Over it, opening answers `insufficient-memory`.
    /// Default: 512, half of what a process may have by default on Linux.
    pub descriptors: usize,
    /// Mounts. Over it, mounting fails and says so. Default: 256.
    pub mounts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { descriptors: 512, mounts: 256 }
    }
}
