//! What the suites share: the component itself, under wasmtime with the native host, driven through its own exports. So
//! each call of a test goes the way a guest's call goes, and the bytes are looked at on disk.

mod bindings;
pub mod case;
mod docs;
#[cfg(target_os = "linux")]
pub mod faults;
mod fixture;
pub mod host_calls;
pub mod model;
pub mod steps;

pub use bindings::exports::wasi::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, NewTimestamp, OpenFlags, PathFlags,
};
pub use fixture::{Descriptor, Fixture, Folder, Guest, block_on, guest, root};
