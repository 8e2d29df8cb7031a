//! What one guest may reach: builder → [`MountfsCtx`] → [`MountfsView`](crate::MountfsView), as in wasmtime-wasi.

use crate::bindings::mountfs::fs::types::{Error as GuestError, SyncReport};
use crate::grant::{Folder, Grant, Keeper, Refused};
use crate::limits::Limits;
use crate::origins::Origins;
use crate::picker::{PickError, PickRequest, Picked, Picker, Refuse, StartIn};
use crate::store::{GrantStore, Kept, MemoryStore, StoreError};
use crate::{Access, GrantKey};
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use thiserror::Error;

/// After so many times no in a row, a guest's wishes are refused without asking.
const PATIENCE: u32 = 3;

/// Keys that are remembered as revoked, of folders that were given for any mount point: a guest decides how many.
const MOST_REVOKED: usize = 1000;

/// A folder that was to be granted cannot be opened as a directory.
#[derive(Debug, Error)]
#[error("cannot open the folder {}", folder.display())]
pub struct FolderError {
    /// The folder.
    pub folder: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// Builds a [`MountfsCtx`]. By default nothing is granted, every request is refused, and nothing is kept.
pub struct MountfsCtxBuilder {
    app: String,
    picker: Arc<dyn Picker>,
    store: Arc<dyn GrantStore>,
    given: Vec<Given>,
    limits: Limits,
    allow_blocking_current_thread: bool,
}

/// A folder granted before the guest starts.
struct Given {
    /// For this mount point only, or for any.
    path: Option<String>,
    id: String,
    folder: Folder,
    access: Access,
}

impl Default for MountfsCtxBuilder {
    fn default() -> Self {
        Self {
            app: "app".to_owned(),
            picker: Arc::new(Refuse),
            store: Arc::new(MemoryStore::default()),
            given: Vec::new(),
            limits: Limits::default(),
            allow_blocking_current_thread: false,
        }
    }
}

impl MountfsCtxBuilder {
    /// A builder with the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the app. Kept grants belong to it, and the picker shows it. Default: `app`.
    pub fn app(&mut self, name: impl Into<String>) -> &mut Self {
        self.app = name.into();
        self
    }

    /// Who is asked for a folder that was not granted yet. Default: [`Refuse`].
    pub fn picker(&mut self, picker: impl Picker + 'static) -> &mut Self {
        self.picker = Arc::new(picker);
        self
    }

    /// Where answers are kept for the next run. A guest on a kept grant goes on for as long as the store
    /// [says so](GrantStore::is_kept). Default: [`MemoryStore`], which forgets them with the process.
    pub fn store(&mut self, store: impl GrantStore + 'static) -> &mut Self {
        self.store = Arc::new(store);
        self
    }

    /// Grants a folder for one mount point and id; the guest, or the embedder for it, still has to mount it.
    ///
    /// # Errors
    ///
    /// When the folder cannot be opened as a directory.
    pub fn grant(&mut self, key: GrantKey, folder: impl AsRef<Path>, access: Access) -> Result<&mut Self, FolderError> {
        self.give(Some(key.path), key.id, folder.as_ref(), access)
    }

    /// Grants a folder for an id, at whatever mount point the guest asks for it.
    ///
    /// # Errors
    ///
    /// When the folder cannot be opened as a directory.
    pub fn grant_id(
        &mut self,
        id: impl Into<String>,
        folder: impl AsRef<Path>,
        access: Access,
    ) -> Result<&mut Self, FolderError> {
        self.give(None, id.into(), folder.as_ref(), access)
    }

    fn give(
        &mut self,
        path: Option<String>,
        id: String,
        folder: &Path,
        access: Access,
    ) -> Result<&mut Self, FolderError> {
        // Opened now: the embedder learns of a mistake before the guest starts, and no guest can change what is granted.
        let folder = Folder::open(folder).map_err(|source| FolderError { folder: folder.to_owned(), source })?;
        self.given.push(Given { path, id, folder, access });
        Ok(self)
    }

    /// How much the guest may use at a time. Default: [`Limits::default`].
    pub fn limits(&mut self, limits: Limits) -> &mut Self {
        self.limits = limits;
        self
    }

    /// Lets file calls block the thread that runs the guest, as
    /// [`WasiCtxBuilder::allow_blocking_current_thread`](wasmtime_wasi::WasiCtxBuilder::allow_blocking_current_thread)
    /// does; set both. It makes small reads and writes several times faster where one thread runs one guest, as in a CLI.
    /// Default: false.
    pub fn allow_blocking_current_thread(&mut self, allow: bool) -> &mut Self {
        self.allow_blocking_current_thread = allow;
        self
    }

    /// The context, for one store. It takes the folders granted so far with it.
    pub fn build(&mut self) -> MountfsCtx {
        MountfsCtx {
            control: Control {
                app: self.app.clone(),
                store: self.store.clone(),
                state: Arc::new(Mutex::new(State { given: std::mem::take(&mut self.given), ..State::default() })),
            },
            picker: self.picker.clone(),
            limits: self.limits,
            allow_blocking_current_thread: self.allow_blocking_current_thread,
            origins: Origins::default(),
            cut_off: Vec::new(),
        }
    }
}

/// What one guest may reach.
pub struct MountfsCtx {
    pub(crate) control: Control,
    picker: Arc<dyn Picker>,
    pub(crate) limits: Limits,
    pub(crate) allow_blocking_current_thread: bool,
    pub(crate) origins: Origins,
    /// What was made durable of grants that were cut off before they were synced, and then let go of.
    pub(crate) cut_off: Vec<(GrantKey, SyncReport)>,
}

impl MountfsCtx {
    /// Starts a [`MountfsCtxBuilder`].
    pub fn builder() -> MountfsCtxBuilder {
        MountfsCtxBuilder::new()
    }

    /// A handle to revoke from outside, also while the guest runs.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// The grant for a key: one given beforehand, or kept, or picked now.
    pub(crate) async fn acquire(
        &self,
        key: GrantKey,
        access: Access,
        start_in: Option<StartIn>,
    ) -> Result<Arc<Grant>, GuestError> {
        let control = &self.control;
        control.state().acquiring = Some(key.clone());
        self.check_room()?;
        if let Some((folder, given)) = control.given(&key) {
            if given < access {
                tracing::warn!(%key, "refused to {access}: the folder was given to {given}");
                return Err(GuestError::Denied);
            }
            return control.hand_out(folder, key, access, || None);
        }
        let kept = control.store.get(&control.app, &key).map_err(|error| store_failed(&error))?;
        let known = match kept {
            Some(kept) if kept.access >= access => {
                let folder = Folder::open_kept(&kept.folder).map_err(|error| folder_failed(&key, &error))?;
                return control.hand_out(folder, key, access, || Some(kept));
            }
            kept => kept.map(|kept| kept.folder),
        };
        let request =
            PickRequest { app: control.app.clone(), key: key.clone(), access, start_in, known: known.clone() };
        let Picked { folder, keep } = self.pick(request).await?;
        let folder = match known {
            Some(known) => Folder::open_kept(&known),
            None => Folder::open(&folder),
        };
        let folder = folder.map_err(|error| folder_failed(&key, &error))?;
        let kept = keep.then(|| Kept::new(&control.app, key.clone(), &folder.path, access));
        control.hand_out(folder, key, access, || {
            // The folder works now; that the question comes again is no reason to refuse it.
            let not_kept = |error: &StoreError| tracing::warn!(error = error.report(), "grant not kept");
            control.store.put(kept?).inspect_err(not_kept).ok()
        })
    }

    /// Asks the user, unless they have said no so often that the guest only pesters them.
    async fn pick(&self, request: PickRequest) -> Result<Picked, PickError> {
        if self.control.state().refusals >= PATIENCE {
            tracing::warn!(key = %request.key, "refused without asking: the user said no {PATIENCE} times in a row");
            return Err(PickError::Denied);
        }
        let picked = self.picker.pick(request).await;
        match &picked {
            Ok(_) => self.control.ask_again(),
            Err(PickError::Cancelled | PickError::Denied) => self.control.state().refusals += 1,
            Err(_) => {}
        }
        picked
    }

    fn check_room(&self) -> Result<(), GuestError> {
        let most = self.limits.mounts;
        let in_use = self.control.live().iter().filter(|grant| grant.check_here().is_ok()).count();
        if in_use < most {
            return Ok(());
        }
        Err(GuestError::Other(format!("{in_use} folders are mounted, and the host allows no more: unmount one first")))
    }
}

/// Revokes grants of a running guest from outside. Cheap to clone; may be used from any thread.
#[derive(Clone)]
pub struct Control {
    app: String,
    store: Arc<dyn GrantStore>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    given: Vec<Given>,
    /// Keys that what was given does not count for any more.
    revoked: HashSet<GrantKey>,
    /// What the guest is asking for, until that is revoked. It asks for one at a time.
    acquiring: Option<GrantKey>,
    /// How often in a row the user said no.
    refusals: u32,
    live: Vec<Weak<Grant>>,
    /// Files and directories that all grants hold open until they are synced.
    held: Arc<AtomicUsize>,
}

impl Control {
    /// Cuts off everything the guest opened through the grant with this key, from its next call on, and forgets the
    /// grant; whether there was one. What the guest wrote is on disk, but was not synced: to sync first, revoke through
    /// [`Mounts::revoke`](crate::Mounts::revoke). Another guest that runs on the same kept grant, here or in another
    /// process, is cut off too if the store tells it ([`GrantStore::is_kept`]); a [`FileStore`](crate::FileStore) does.
    ///
    /// # Errors
    ///
    /// When the store cannot forget the grant. It is cut off all the same.
    pub fn revoke(&self, key: &GrantKey) -> Result<bool, StoreError> {
        let was_used = self.cut_off(key);
        let was_kept = self.store.remove(&self.app, key);
        // What was still kept may have been handed out in between, and not every store tells that it is not any more.
        let was_used = self.cut_off(key) | was_used;
        Ok(was_kept? | was_used)
    }

    /// Ends what is in use of a key, and what is being asked for; whether there was anything.
    fn cut_off(&self, key: &GrantKey) -> bool {
        let mut state = self.state();
        let was_given = state.given_for(key).is_some();
        if was_given {
            state.revoke_given(key);
        }
        state.acquiring.take_if(|acquiring| acquiring == key);
        let live = state.live.iter().filter_map(Weak::upgrade).filter(|grant| grant.key == *key);
        live.fold(was_given, |was_used, grant| grant.end() | was_used)
    }

    /// Lets the user be asked again who has said no three times in a row, after which a guest's wishes are refused without
    /// asking. For a wish of the user's own: a button of the embedder, say.
    pub fn ask_again(&self) {
        self.state().refusals = 0;
    }

    /// The grants that the guest has something open of, also those that have ended.
    pub(crate) fn live(&self) -> Vec<Arc<Grant>> {
        self.state().live.iter().filter_map(Weak::upgrade).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn given(&self, key: &GrantKey) -> Option<(Folder, Access)> {
        self.state().given_for(key).map(|given| (given.folder.clone(), given.access))
    }

    /// Puts a folder to use, unless it was revoked since it was asked for. `kept` says how it is kept.
    fn hand_out(
        &self,
        folder: Folder,
        key: GrantKey,
        access: Access,
        kept: impl FnOnce() -> Option<Kept>,
    ) -> Result<Arc<Grant>, GuestError> {
        let mut state = self.state();
        if state.acquiring.take().as_ref() != Some(&key) {
            return Err(GuestError::Denied);
        }
        // Nobody can revoke in between, so nothing that was revoked is kept after all.
        let keeper = kept().map(|kept| Keeper { store: self.store.clone(), kept });
        let grant = Grant::new(folder, key, access, keeper, state.held.clone());
        state.live.retain(|live| live.strong_count() > 0);
        state.live.push(Arc::downgrade(&grant));
        Ok(grant)
    }
}

impl State {
    fn revoke_given(&mut self, key: &GrantKey) {
        self.revoked.insert(key.clone());
        if self.revoked.len() > MOST_REVOKED {
            // More than can be remembered: then nothing that was given counts any more.
            self.given.clear();
            self.revoked.clear();
        }
    }

    fn given_for(&self, key: &GrantKey) -> Option<&Given> {
        if self.revoked.contains(key) {
            return None;
        }
        let mut given = self.given.iter().rev();
        given.find(|given| given.id == key.id && given.path.as_ref().is_none_or(|path| *path == key.path))
    }
}

/// The guest learns what failed: paths of the host do not reach it.
fn folder_failed(key: &GrantKey, error: &io::Error) -> GuestError {
    tracing::warn!(%key, %error, "cannot open the folder");
    GuestError::Other(format!("the folder granted for {key} cannot be opened: {error}"))
}

fn store_failed(error: &StoreError) -> GuestError {
    tracing::error!(error = error.report(), "cannot look up the grant");
    Refused::InDoubt.into()
}
