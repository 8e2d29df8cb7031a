//! The guest of the cases under wasmtime, composed as every guest is, or past the component: it does steps, from inside.

use crate::fixture;
use anyhow::{Context as _, Result, bail};
use mountfs_host::{
    Grants, MountError, MountInfo, MountfsCtx, Mounts, PickError, PickRequest, Picked, Picker, SyncReport,
};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, async_trait};

mod bindings {
    #![allow(missing_docs, clippy::all)]
    wasmtime::component::bindgen!({
        path: ["../wit", "guest/wit"],
        inline: "
            package mountfs:case-runner;

            world case-guest {
                export mountfs:cases/steps@0.1.0;
            }
        ",
        exports: { default: async },
    });
}

static COMPOSED: LazyLock<(Engine, Component)> = LazyLock::new(|| {
    let app = std::fs::read(crate::guest("case")).expect("the guest is readable");
    compiled(&mountfs_host::compose(&app, Grants::Host).expect("the guest composes"))
});

static DIRECT: LazyLock<(Engine, Component)> =
    LazyLock::new(|| compiled(&std::fs::read(crate::guest("direct")).expect("the guest is readable")));

fn compiled(guest: &[u8]) -> (Engine, Component) {
    let engine = Engine::default();
    let component = Component::new(&engine, guest).expect("the guest compiles");
    (engine, component)
}

/// The user, who chooses the folder that the case names, or says no.
#[derive(Clone, Default)]
struct User(Arc<Mutex<Option<PathBuf>>>);

#[async_trait]
impl Picker for User {
    async fn pick(&self, _: PickRequest) -> Result<Picked, PickError> {
        let folder = self.0.lock().expect("nobody panicked holding it").clone().ok_or(PickError::Denied)?;
        Ok(Picked { folder, keep: true })
    }
}

/// An instance of the guest, and its user.
pub struct Guest {
    store: Store<fixture::Guest>,
    guest: bindings::CaseGuest,
    /// Of one that is composed.
    mounts: Option<Mounts>,
    user: User,
}

impl Guest {
    /// A fresh one, whose user has granted nothing.
    ///
    /// # Errors
    ///
    /// When it cannot be instantiated.
    pub async fn new() -> Result<Self> {
        Self::of(&COMPOSED).await
    }

    /// The same, which calls the host's `grants` and `wasi:filesystem` itself, without the component.
    ///
    /// # Errors
    ///
    /// When it cannot be instantiated.
    pub async fn direct() -> Result<Self> {
        Self::of(&DIRECT).await
    }

    async fn of((engine, component): &(Engine, Component)) -> Result<Self> {
        let user = User::default();
        let mountfs = MountfsCtx::builder().picker(user.clone()).build();
        let mut linker = Linker::new(engine);
        mountfs_host::add_to_linker(&mut linker)?;
        let mut store = Store::new(engine, fixture::Guest::new(WasiCtx::builder().build(), mountfs));
        let instance = linker.instantiate_async(&mut store, component).await?;
        let guest = bindings::CaseGuest::new(&mut store, &instance)?;
        let mounts = Mounts::new(&mut store, &instance).ok();
        Ok(Self { store, guest, mounts, user })
    }

    /// What the user answers from now on.
    pub fn user_chooses(&self, folder: Option<PathBuf>) {
        *self.user.0.lock().expect("nobody panicked holding it") = folder;
    }

    /// Does a step, and answers its words or the name of its error.
    ///
    /// # Errors
    ///
    /// When there is no such step, and for a trap.
    pub async fn step(&mut self, verb: &str, words: &[&str]) -> Result<Result<Vec<String>, String>> {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        let done = self.guest.mountfs_cases_steps().call_step(&mut self.store, verb, &words).await?;
        done.map_err(anyhow::Error::msg)
    }

    /// Syncs, from outside; what that did, or why it is incomplete.
    ///
    /// # Errors
    ///
    /// For a trap.
    pub async fn sync(&mut self, path: &str) -> Result<Result<SyncReport, MountError>> {
        let mounts = self.mounts.as_ref().context("it was not composed")?;
        Ok(mounts.sync(&mut self.store, path).await?)
    }

    /// Unmounts all that is left, from outside, which syncs it.
    ///
    /// # Errors
    ///
    /// When one is incomplete, and for a trap.
    pub async fn unmount_all(&mut self) -> Result<()> {
        let Some(mounts) = &self.mounts else { return Ok(()) };
        for MountInfo { path, .. } in mounts.mounted(&mut self.store).await? {
            // A report may name conflicts, and must name no failure.
            if let Err(error) = mounts.unmount(&mut self.store, &path).await? {
                bail!("the unmount of {path} failed: {error}");
            }
        }
        Ok(())
    }
}
