//! `mountfs:fs/grants`.

use crate::bindings::mountfs::fs::grants::{Access as WitAccess, Error, Host, HostGrant, Key, StartIn};
use crate::bindings::mountfs::fs::types::{self, SyncReport, Unsynced};
use crate::dirty::Written;
use crate::grant::{Grant, Refused};
use crate::key::check_id;
use crate::limits::LONGEST_PATH;
use crate::origins::Origin;
use crate::view::MountfsCtxView;
use crate::{Access, GrantKey, PickError};
use std::sync::Arc;
use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::runtime::spawn_blocking;

/// The guest's `grant` resource.
pub struct Held(Arc<Grant>);

impl Host for MountfsCtxView<'_> {
    async fn acquire(
        &mut self,
        key: Key,
        access: WitAccess,
        start_in: Option<StartIn>,
    ) -> Result<Result<Resource<Held>, Error>> {
        let key = GrantKey::from(key);
        // The component has checked it; a guest that calls the host directly has not.
        if let Err(error) = key.check() {
            return Ok(Err(error));
        }
        match self.ctx.acquire(key, access.into(), start_in).await {
            Ok(grant) => Ok(Ok(self.table.push(Held(grant))?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn revoke(&mut self, key: Key) -> Result<Result<bool, Error>> {
        let key = GrantKey::from(key);
        Ok(self.ctx.control.revoke(&key).map_err(|error| {
            tracing::warn!(%key, %error, "revoked, but still kept");
            Error::Other(format!("the grant for {key} was cut off, but the host may still keep it for the next run"))
        }))
    }
}

impl types::Host for MountfsCtxView<'_> {}

impl MountfsCtxView<'_> {
    /// Makes durable what the guest wrote through every grant, also through those that were cut off before it was synced;
    /// what each sync did. For an embedder whose guest has ended or trapped; while it lives, there is
    /// [`Mounts::sync`](crate::Mounts::sync).
    pub async fn sync(&mut self) -> Vec<(GrantKey, SyncReport)> {
        let mut reports = std::mem::take(&mut self.ctx.cut_off);
        for grant in self.ctx.control.live() {
            reports.push((grant.key.clone(), self.sync_grant(grant).await));
        }
        reports
    }

    /// Whether the guest may have one more file, directory, listing or stream open.
    pub(super) fn has_room(&self) -> bool {
        self.ctx.origins.open() < self.ctx.limits.descriptors
    }

    async fn sync_grant(&mut self, grant: Arc<Grant>) -> SyncReport {
        self.land(&grant, None).await;
        spawn_blocking(move || grant.sync()).await
    }

    /// Waits for writes that the guest has not waited for: to one file, or to all of the grant.
    pub(super) async fn land(&mut self, grant: &Arc<Grant>, file: Option<&Arc<Written>>) {
        for writer in self.ctx.origins.writers(grant) {
            if file.is_some_and(|file| !Arc::ptr_eq(file, &writer.written)) {
                continue;
            }
            if let Ok(stream) = self.table.get_mut(&writer.stream()) {
                stream.ready().await;
            }
            writer.report();
        }
    }
}

impl HostGrant for MountfsCtxView<'_> {
    async fn root(&mut self, held: Resource<Held>) -> Result<Result<Resource<Descriptor>, Error>> {
        let grant = self.table.get(&held)?.0.clone();
        if let Err(refused) = grant.check() {
            return Ok(Err(refused.into()));
        }
        if !self.has_room() {
            return Ok(Err(Error::Other("the host allows nothing more to be open: close something first".into())));
        }
        match grant.root(self.ctx.allow_blocking_current_thread) {
            Ok(root) => {
                let descriptor = self.table.push(Descriptor::Dir(root))?;
                self.ctx.origins.add(&descriptor, Some(Origin { grant, path: ".".into(), written: None }));
                Ok(Ok(descriptor))
            }
            Err(error) => Ok(Err(Error::Other(format!("cannot open the folder {}: {error}", grant.label())))),
        }
    }

    async fn label(&mut self, held: Resource<Held>) -> Result<String> {
        Ok(self.table.get(&held)?.0.label())
    }

    async fn sync(&mut self, held: Resource<Held>) -> Result<Result<SyncReport, Error>> {
        let grant = self.table.get(&held)?.0.clone();
        if let Err(refused) = grant.check() {
            return Ok(Err(refused.into()));
        }
        Ok(Ok(self.sync_grant(grant).await))
    }

    async fn unsynced(&mut self, held: Resource<Held>) -> Result<Option<Unsynced>> {
        Ok(Some(self.table.get(&held)?.0.dirty.unsynced()))
    }

    async fn drop(&mut self, held: Resource<Held>) -> Result<()> {
        let Held(grant) = self.table.delete(held)?;
        let was_cut_off = !grant.end();
        if was_cut_off && grant.dirty.is_any() {
            // Nobody can sync it any more; the embedder's last sync tells what became of it. A grant ends once, so there are
            // no more of these than somebody granted, or `MOST_REVOKED` lets the guest end.
            let report = self.sync_grant(grant.clone()).await;
            self.ctx.cut_off.push((grant.key.clone(), report));
        }
        Ok(())
    }
}

impl From<Key> for GrantKey {
    fn from(key: Key) -> Self {
        Self::new(key.path, key.id)
    }
}

impl From<WitAccess> for Access {
    fn from(access: WitAccess) -> Self {
        match access {
            WitAccess::Read => Self::Read,
            WitAccess::ReadWrite => Self::ReadWrite,
        }
    }
}

impl GrantKey {
    fn check(&self) -> std::result::Result<(), Error> {
        if !self.path.starts_with('/') || self.path.len() > LONGEST_PATH || self.path.contains('\0') {
            let why = format!("a mount point is absolute, and has at most {LONGEST_PATH} bytes and no NUL");
            return Err(Error::InvalidPath(why));
        }
        check_id(&self.id).map_err(|why| Error::InvalidId(why.to_owned()))
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Ended => Self::Denied,
            Refused::InDoubt => Self::Other(refused.to_string()),
        }
    }
}

impl From<PickError> for Error {
    fn from(error: PickError) -> Self {
        match error {
            PickError::Cancelled => Self::Cancelled,
            PickError::Denied => Self::Denied,
            PickError::NeedsUserActivation => Self::NeedsUserActivation,
            PickError::Unsupported(why) => Self::Unsupported(why),
            PickError::Other(what) => Self::Other(what),
        }
    }
}
