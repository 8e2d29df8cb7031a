//! Run a WebAssembly interpreter in folders the user chose, and nowhere else.
//!
//! mountfs is one component for every interpreter and host; this crate is the host for wasmtime. [`compose()`] puts the
//! component between an interpreter and its host, [`add_to_linker`] serves the result, and a [`MountfsCtx`] says what
//! the guest may reach. The host enforces access, confinement and revocation; the component is not trusted with them.
//!
//! # Example
//!
//! ```no_run
//! use mountfs_host::{Access, GrantKey, Grants, MountOptions, MountfsCtx, MountfsCtxView, MountfsView, Mounts};
//! use wasmtime::component::{Component, Linker, ResourceTable};
//! use wasmtime::{Config, Engine, Result, Store};
//! use wasmtime_wasi::p2::bindings::Command;
//! use wasmtime_wasi::{I32Exit, WasiCtx, WasiCtxView, WasiView};
//!
//! struct Guest {
//!     wasi: WasiCtx,
//!     mountfs: MountfsCtx,
//!     table: ResourceTable,
//! }
//!
//! impl WasiView for Guest {
//!     fn ctx(&mut self) -> WasiCtxView<'_> {
//!         WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
//!     }
//! }
//!
//! impl MountfsView for Guest {
//!     fn mountfs(&mut self) -> MountfsCtxView<'_> {
//!         MountfsCtxView { ctx: &mut self.mountfs, wasi: &mut self.wasi, table: &mut self.table }
//!     }
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<()> {
//!     // Interpreters recurse: the default stack of 512 KiB is for small guests.
//!     let mut config = Config::new();
//!     config.max_wasm_stack(16 << 20).async_stack_size(18 << 20);
//!     let engine = Engine::new(&config)?;
//!     let app = mountfs_host::compose(&std::fs::read("python.wasm")?, Grants::Host)?;
//!     let app = Component::new(&engine, app)?;
//!     let mut linker = Linker::new(&engine);
//!     mountfs_host::add_to_linker(&mut linker)?;
//!
//!     let mut mountfs = MountfsCtx::builder();
//!     mountfs.grant(GrantKey::new("/notes", "mountfs"), "/home/ada/notes", Access::ReadWrite)?;
//!     let guest = Guest {
//!         wasi: WasiCtx::builder().inherit_stdio().args(&["python", "/notes/hello.py"]).build(),
//!         mountfs: mountfs.build(),
//!         table: ResourceTable::new(),
//!     };
//!     let mut store = Store::new(&engine, guest);
//!     let instance = linker.instantiate_async(&mut store, &app).await?;
//!     let mounts = Mounts::new(&mut store, &instance)?;
//!     mounts.mount(&mut store, "/notes", &MountOptions::default()).await??;
//!     let ended = Command::new(&mut store, &instance)?.wasi_cli_run().call_run(&mut store).await;
//!     // Also after a trap or an exit, which are errors here.
//!     for (key, report) in store.data_mut().mountfs().sync().await {
//!         println!("{key}: {report}");
//!     }
//!     match ended {
//!         // `exit(0)`, which is an error here, too; other codes are an `I32Exit` as well, and all else is a trap.
//!         Err(error) if matches!(error.downcast_ref(), Some(I32Exit(0))) => Ok(()),
//!         ended => ended?.map_err(|()| wasmtime::format_err!("the guest failed")),
//!     }
//! }
//! ```

mod bindings;
mod ctx;
mod dirty;
mod grant;
mod host;
mod key;
mod limits;
mod linker;
mod listing;
mod mounts;
mod origins;
mod picker;
mod store;
mod stream;
mod view;

pub use bindings::mountfs::fs::types::Access as GuestAccess;
pub use ctx::{Control, FolderError, MountfsCtx, MountfsCtxBuilder};
pub use key::{Access, GrantKey, app_name, check_id};
pub use limits::Limits;
pub use linker::add_to_linker;
pub use mountfs_compose::{COMPONENT, ComposeError, Grants, PREOPEN_GRANTS, compose, to_component};
pub use mounts::{Conflict, Failure, MountError, MountInfo, MountOptions, Mounts, SyncReport, Unsynced};
pub use picker::{PickError, PickRequest, Picked, Picker, Refuse, StartIn};
pub use store::{FileStore, GrantStore, Kept, MemoryStore, StoreError};
pub use view::{MountfsCtxView, MountfsView};
