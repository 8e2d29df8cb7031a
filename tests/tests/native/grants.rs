//! Grants: asked for once, kept, widened, forgotten, and nobody else's.

use mountfs_host::{
    Access, Control, FileStore, GrantKey, GrantStore, GuestAccess, Kept, MountError, MountOptions, PickError,
    PickRequest, Picked, Picker, StoreError,
};
use mountfs_tests::{Fixture, Folder};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use wasmtime_wasi::async_trait;

/// Answers with a folder, and remembers what it was asked.
#[derive(Clone)]
struct Recorder {
    folder: PathBuf,
    keep: bool,
    asked: Arc<Mutex<Vec<PickRequest>>>,
}

impl Recorder {
    fn new(folder: &Folder) -> Self {
        Self { folder: folder.path(), keep: true, asked: Arc::default() }
    }

    fn times(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait]
impl Picker for Recorder {
    async fn pick(&self, request: PickRequest) -> Result<Picked, PickError> {
        self.asked.lock().unwrap().push(request);
        Ok(Picked { folder: self.folder.clone(), keep: self.keep })
    }
}

struct Setup {
    _state: tempfile::TempDir,
    store: FileStore,
}

impl Setup {
    fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let store = FileStore::new(state.path().join("grants.json"));
        Self { _state: state, store }
    }

    async fn guest(&self, app: &str, picker: &Recorder) -> Fixture {
        Fixture::new(|grants| {
            grants.app(app).store(self.store.clone()).picker(picker.clone());
        })
        .await
    }
}

fn access(access: GuestAccess) -> MountOptions {
    MountOptions { access: Some(access), ..MountOptions::default() }
}

#[tokio::test]
async fn a_grant_is_asked_for_once_and_kept() {
    let (setup, folder) = (Setup::new(), Folder::with([("file", "text")]));
    let picker = Recorder::new(&folder);
    for _ in 0..3 {
        let mut guest = setup.guest("app", &picker).await;
        guest.mount("/local").await.unwrap();
        assert_eq!(guest.read("/local/file").await.unwrap(), "text");
    }
    assert_eq!(picker.times(), 1);
    let asked = &picker.asked.lock().unwrap()[0];
    assert_eq!((asked.app.as_str(), asked.access), ("app", Access::ReadWrite));
    assert_eq!((&asked.key, &asked.known), (&GrantKey::new("/local", "mountfs"), &None));
    let kept = setup.store.list().unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].folder, folder.path().canonicalize().unwrap());
}

#[tokio::test]
async fn an_answer_for_this_time_is_not_kept() {
    let (setup, folder) = (Setup::new(), Folder::new());
    let picker = Recorder { keep: false, ..Recorder::new(&folder) };
    for _ in 0..2 {
        setup.guest("app", &picker).await.mount("/local").await.unwrap();
    }
    assert_eq!(picker.times(), 2);
    assert!(setup.store.list().unwrap().is_empty());
}

#[tokio::test]
async fn no_app_reaches_the_grants_of_another() {
    let (setup, folder) = (Setup::new(), Folder::new());
    let picker = Recorder::new(&folder);
    setup.guest("one", &picker).await.mount("/local").await.unwrap();
    setup.guest("other", &picker).await.mount("/local").await.unwrap();
    assert_eq!(picker.times(), 2);
    assert!(setup.guest("one", &picker).await.revoke("/local", "mountfs").await.unwrap());
    let left: Vec<_> = setup.store.list().unwrap().into_iter().map(|kept| kept.app).collect();
    assert_eq!(left, ["other"]);
}

#[tokio::test]
async fn a_wider_access_is_asked_for_the_same_folder_not_for_a_new_one() {
    let (setup, folder, elsewhere) = (Setup::new(), Folder::with([("file", "text")]), Folder::new());
    let picker = Recorder::new(&folder);
    setup.guest("app", &picker).await.mount_with("/local", access(GuestAccess::Read)).await.unwrap();

    let other = Recorder::new(&elsewhere);
    let mut guest = setup.guest("app", &other).await;
    guest.mount("/local").await.unwrap();
    assert_eq!(other.asked.lock().unwrap()[0].known, Some(folder.path().canonicalize().unwrap()));
    guest.write("/local/new", "x").await.unwrap();
    assert!(folder.has("new") && elsewhere.names().is_empty());

    // The wider one is kept, and a narrower one needs no question.
    let mut guest = setup.guest("app", &other).await;
    guest.mount_with("/local", access(GuestAccess::Read)).await.unwrap();
    assert!(guest.write("/local/new", "y").await.is_err());
    assert_eq!(other.times(), 1);
}

#[tokio::test]
async fn a_revoked_grant_is_forgotten_and_asked_for_again() {
    let (setup, folder) = (Setup::new(), Folder::new());
    let picker = Recorder::new(&folder);
    let mut guest = setup.guest("app", &picker).await;
    guest.mount("/local").await.unwrap();
    assert!(guest.revoke("/local", "mountfs").await.unwrap());
    assert!(setup.store.list().unwrap().is_empty());
    guest.mount("/local").await.unwrap();
    assert_eq!(picker.times(), 2);
}

#[tokio::test]
async fn a_kept_grant_is_revoked_without_being_mounted() {
    let (setup, folder) = (Setup::new(), Folder::new());
    let picker = Recorder::new(&folder);
    setup.guest("app", &picker).await.mount("/local").await.unwrap();
    let mut guest = setup.guest("app", &picker).await;
    assert!(guest.revoke("/local", "mountfs").await.unwrap());
    assert!(!guest.revoke("/local", "mountfs").await.unwrap());
}

#[tokio::test]
async fn a_kept_folder_that_is_gone_is_an_error_and_stays_kept() {
    let setup = Setup::new();
    let kept = Kept::new("app", GrantKey::new("/local", "mountfs"), "/nowhere/at/all", Access::ReadWrite);
    let kept = setup.store.put(kept).unwrap();
    let elsewhere = Folder::new();
    let picker = Recorder::new(&elsewhere);
    let mut guest = setup.guest("app", &picker).await;
    assert!(matches!(guest.mount("/local").await, Err(MountError::Other(_))));
    assert_eq!((picker.times(), setup.store.list().unwrap()), (0, vec![kept]));
}

#[tokio::test]
async fn a_corrupt_store_is_the_hosts_trouble_and_kept_aside() {
    let (setup, folder) = (Setup::new(), Folder::new());
    std::fs::write(setup.store.path(), "{ not json").unwrap();
    let mut guest = setup.guest("app", &Recorder::new(&folder)).await;
    assert!(matches!(guest.mount("/local").await, Err(MountError::Other(_))));
    let aside = setup.store.path().with_extension("corrupt-1.json");
    assert_eq!(std::fs::read_to_string(aside).unwrap(), "{ not json");
}

/// Somebody revokes a grant just as it is being kept.
#[derive(Clone)]
struct Revoked {
    store: FileStore,
    control: Arc<OnceLock<Control>>,
    revoke: Arc<Mutex<Option<JoinHandle<bool>>>>,
}

impl GrantStore for Revoked {
    fn get(&self, app: &str, key: &GrantKey) -> Result<Option<Kept>, StoreError> {
        self.store.get(app, key)
    }

    fn put(&self, kept: Kept) -> Result<Kept, StoreError> {
        let (control, key) = (self.control.get().unwrap().clone(), kept.key.clone());
        *self.revoke.lock().unwrap() = Some(thread::spawn(move || control.revoke(&key).unwrap()));
        self.store.put(kept)
    }

    fn remove(&self, app: &str, key: &GrantKey) -> Result<bool, StoreError> {
        self.store.remove(app, key)
    }

    fn list(&self) -> Result<Vec<Kept>, StoreError> {
        self.store.list()
    }
}

#[tokio::test]
async fn a_grant_that_is_revoked_while_it_is_being_kept_is_not_kept() {
    let (setup, folder) = (Setup::new(), Folder::with([("file", "text")]));
    let store = Revoked { store: setup.store.clone(), control: Arc::default(), revoke: Arc::default() };
    let mut guest = Fixture::new(|grants| {
        grants.store(store.clone()).picker(Recorder::new(&folder));
    })
    .await;
    assert!(store.control.set(guest.control.clone()).is_ok());
    // The revoke may come before this ends, or after.
    let _ = guest.mount("/local").await;
    let revoke = store.revoke.lock().unwrap().take().expect("it was to be kept");
    assert!(revoke.join().unwrap());
    assert!(guest.read("/local/file").await.is_err());
    assert!(setup.store.list().unwrap().is_empty());
}

/// Answers when it is let.
struct Slow(Arc<tokio::sync::Notify>, PathBuf);

#[async_trait]
impl Picker for Slow {
    async fn pick(&self, _: PickRequest) -> Result<Picked, PickError> {
        self.0.notified().await;
        Ok(Picked { folder: self.1.clone(), keep: false })
    }
}

#[tokio::test]
async fn a_picker_may_take_its_time() {
    let (folder, answer) = (Folder::with([("file", "text")]), Arc::new(tokio::sync::Notify::new()));
    let picker = Slow(answer.clone(), folder.path());
    let mut guest = Fixture::new(|grants| {
        grants.picker(picker);
    })
    .await;
    let (mounted, ()) = tokio::join!(guest.mount("/local"), async {
        tokio::task::yield_now().await;
        answer.notify_one();
    });
    mounted.unwrap();
    assert_eq!(guest.read("/local/file").await.unwrap(), "text");
}

/// A guest puts a link where a granted folder was, inside a folder it may write to.
#[tokio::test]
async fn a_link_in_the_place_of_a_granted_folder_leads_nowhere() {
    let (setup, folder) = (Setup::new(), Folder::with([("data/file", "text")]));
    let data = folder.path().join("data");
    let picker = Recorder::new(&folder);
    let builder = |grants: &mut mountfs_host::MountfsCtxBuilder| {
        grants.store(setup.store.clone()).picker(picker.clone());
        grants.grant(GrantKey::new("/w", "mountfs"), folder.path(), Access::ReadWrite).unwrap();
        grants.grant(GrantKey::new("/given", "mountfs"), &data, Access::ReadWrite).unwrap();
    };
    let key = GrantKey::new("/kept", "mountfs");
    setup.store.put(Kept::new("app", key, data.canonicalize().unwrap(), Access::ReadWrite)).unwrap();
    let mut guest = Fixture::new(builder).await;
    guest.mount("/w").await.unwrap();
    guest.rename("/w/data", "/w/moved").await.unwrap();
    guest.symlink("../..", "/w/data").await.unwrap();

    guest.mount("/given").await.unwrap();
    assert_eq!(guest.list("/given").await.unwrap(), ["file"], "the directory itself, wherever it is now");
    let kept = guest.mount("/kept").await;
    assert!(matches!(kept, Err(MountError::Other(_))), "{kept:?}");
    assert_eq!(picker.times(), 0);
}

/// Says no, and counts how often.
#[derive(Clone, Default)]
struct No(Arc<Mutex<usize>>);

#[async_trait]
impl Picker for No {
    async fn pick(&self, _: PickRequest) -> Result<Picked, PickError> {
        let mut times = self.0.lock().unwrap();
        *times += 1;
        Err(if (*times).is_multiple_of(2) { PickError::Denied } else { PickError::Cancelled })
    }
}

#[tokio::test]
async fn a_guest_that_was_refused_three_times_pesters_nobody() {
    let user = No::default();
    let mut guest = Fixture::new(|grants| {
        grants.picker(user.clone());
    })
    .await;
    for number in 0..1000 {
        let id = MountOptions { id: Some(format!("id{number}")), ..MountOptions::default() };
        let refused = guest.mount_with(&format!("/{number}"), id).await;
        assert!(matches!(refused, Err(MountError::Denied | MountError::Cancelled)), "{refused:?}");
    }
    assert_eq!(*user.0.lock().unwrap(), 3);
    guest.control.ask_again();
    guest.mount("/wanted").await.unwrap_err();
    assert_eq!(*user.0.lock().unwrap(), 4, "the embedder knows that the user wants it");
}

/// Says no twice, then yes, and so on.
struct Sometimes(Arc<Mutex<usize>>, PathBuf);

#[async_trait]
impl Picker for Sometimes {
    async fn pick(&self, _: PickRequest) -> Result<Picked, PickError> {
        let mut times = self.0.lock().unwrap();
        *times += 1;
        if (*times).is_multiple_of(3) {
            Ok(Picked { folder: self.1.clone(), keep: false })
        } else {
            Err(PickError::Denied)
        }
    }
}

#[tokio::test]
async fn a_yes_is_a_reason_to_go_on_asking() {
    let (asked, folder) = (Arc::default(), Folder::new());
    let user = Sometimes(Arc::clone(&asked), folder.path());
    let mut guest = Fixture::new(|grants| {
        grants.picker(user);
    })
    .await;
    for number in 0..30 {
        let mounted = guest.mount(&format!("/{number}")).await;
        assert_eq!(mounted.is_ok(), number % 3 == 2, "{number}");
    }
    assert_eq!(*asked.lock().unwrap(), 30);
}

#[tokio::test]
async fn what_needs_no_question_is_mounted_also_after_three_times_no() {
    let (user, setup, folder) = (No::default(), Setup::new(), Folder::new());
    let path = folder.path().canonicalize().unwrap();
    setup.store.put(Kept::new("app", GrantKey::new("/kept", "mountfs"), path, Access::ReadWrite)).unwrap();
    let mut guest = Fixture::new(|grants| {
        grants.picker(user.clone()).store(setup.store.clone());
        grants.grant_id("given", folder.path(), Access::ReadWrite).unwrap();
    })
    .await;
    for _ in 0..5 {
        guest.mount("/local").await.unwrap_err();
    }
    guest.mount("/kept").await.unwrap();
    guest.mount_with("/given", MountOptions { id: Some("given".into()), ..MountOptions::default() }).await.unwrap();
    guest.mount("/local").await.unwrap_err();
    assert_eq!(*user.0.lock().unwrap(), 3);
}
