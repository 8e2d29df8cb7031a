//! Revoked is revoked: whatever is open, whoever revokes.

use mountfs_host::{
    Access, Control, FileStore, GrantKey, GrantStore, Kept, MemoryStore, MountError, MountOptions, MountfsView as _,
    PickError, PickRequest, Picked, Picker, StoreError,
};
use mountfs_tests::{DescriptorFlags, ErrorCode, Fixture, Folder, OpenFlags};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::StreamError;

async fn code(guest: &mut Fixture, error: StreamError) -> Option<ErrorCode> {
    let StreamError::LastOperationFailed(error) = error else { panic!("{error}") };
    guest.error_code(error).await
}

fn files() -> Folder {
    Folder::with([("file", "text"), ("d/other", "other")])
}

async fn cut_off(cut: impl AsyncFnOnce(&mut Fixture)) {
    let folder = files();
    let guest = Fixture::mounted(&folder).await;
    cut_off_in(&folder, guest, cut).await;
}

/// Everything open, then cut off by `cut`; each call fails, and nothing reaches the disk.
async fn cut_off_in(folder: &Folder, mut guest: Fixture, cut: impl AsyncFnOnce(&mut Fixture)) {
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let file = guest.open("/local/file", OpenFlags::empty(), flags).await.unwrap();
    let directory = guest.directory("/local/d").await;
    let listing = guest.read_directory(directory).await.unwrap();
    let (input, output) = (guest.input(file, 0).await.unwrap(), guest.output(file, 0).await.unwrap());
    let append = guest.append(file).await.unwrap();
    assert_eq!(guest.read_stream(&input, 2).await.unwrap(), "te");

    cut(&mut guest).await;

    assert!(matches!(guest.pread(file, 1, 0).await, Err(ErrorCode::NoDevice)));
    assert!(matches!(guest.pwrite(file, b"x", 0).await, Err(ErrorCode::NoDevice)));
    assert!(matches!(guest.set_size(file, 0).await, Err(ErrorCode::NoDevice)));
    assert!(matches!(guest.fstat(file).await, Err(ErrorCode::NoDevice)));
    assert!(matches!(guest.fsync(file).await, Err(ErrorCode::NoDevice)));
    assert!(matches!(guest.input(file, 0).await, Err(ErrorCode::NoDevice)));
    assert!(matches!(guest.next_entry(listing).await, Err(ErrorCode::NoDevice)));
    let inside = guest.open_at(directory, "other", OpenFlags::empty(), DescriptorFlags::READ).await;
    assert!(matches!(inside, Err(ErrorCode::NoDevice)));
    let error = guest.read_stream(&input, 2).await.unwrap_err();
    assert!(matches!(code(&mut guest, error).await, Some(ErrorCode::NoDevice)));
    for stream in [&output, &append] {
        let error = guest.write_stream(stream, "lost").await.unwrap_err();
        assert!(matches!(code(&mut guest, error).await, Some(ErrorCode::NoDevice)));
        assert!(guest.start_write(stream, "lost").is_err());
    }
    assert_eq!(folder.read("file"), "text");
}

#[tokio::test]
async fn by_the_guest() {
    cut_off(async |guest| {
        assert!(guest.revoke("/local", "mountfs").await.unwrap());
        assert!(matches!(guest.stat("/local").await, Err(ErrorCode::NoEntry)));
        assert!(matches!(guest.mount("/local").await, Err(MountError::Denied)), "what was given is gone too");
        assert!(!guest.revoke("/local", "mountfs").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn by_the_embedder_without_the_component() {
    cut_off(async |guest| {
        let key = GrantKey::new("/local", "mountfs");
        assert!(guest.control.revoke(&key).unwrap());
        assert!(!guest.control.revoke(&key).unwrap());
    })
    .await;
}

#[tokio::test]
async fn by_an_unmount() {
    cut_off(async |guest| drop(guest.unmount("/local").await.unwrap())).await;
}

#[tokio::test]
async fn what_was_written_before_is_synced_first() {
    let folder = Folder::new();
    let mut guest = Fixture::mounted(&folder).await;
    guest.write("/local/file", "kept").await.unwrap();
    assert!(guest.revoke("/local", "mountfs").await.unwrap());
    assert_eq!(folder.read("file"), "kept");
}

#[tokio::test]
async fn another_id_is_not_touched() {
    let folder = Folder::with([("file", "text")]);
    let mut guest = Fixture::mounted(&folder).await;
    assert!(!guest.revoke("/local", "other").await.unwrap());
    assert_eq!(guest.read("/local/file").await.unwrap(), "text");
}

#[tokio::test]
async fn a_mount_whose_grant_the_host_revoked_goes_with_an_unmount_or_a_revoke() {
    for unmount in [false, true] {
        let folder = Folder::new();
        let mut guest = Fixture::mounted(&folder).await;
        guest.control.revoke(&GrantKey::new("/local", "mountfs")).unwrap();
        if unmount {
            assert!(matches!(guest.unmount("/local").await, Err(MountError::NotMounted)));
        } else {
            assert!(guest.revoke("/local", "mountfs").await.unwrap());
        }
        assert!(guest.mounts().await.is_empty());
    }
}

#[tokio::test]
async fn what_the_host_revoked_is_asked_for_again() {
    let folder = Folder::new();
    let mut guest = Fixture::mounted(&folder).await;
    guest.control.revoke(&GrantKey::new("/local", "mountfs")).unwrap();
    assert!(matches!(guest.mount("/local").await, Err(MountError::Denied)), "not the dead mount again");
    assert!(guest.mounts().await.is_empty());
}

#[tokio::test]
async fn one_mounts_revocation_never_touches_another() {
    let folder = Folder::with([("file", "text")]);
    let mut guest = Fixture::granted(&folder, Access::ReadWrite).await;
    guest.mount("/a").await.unwrap();
    guest.mount("/b").await.unwrap();
    guest.revoke("/a", "mountfs").await.unwrap();
    assert_eq!(guest.read("/b/file").await.unwrap(), "text");
}

/// A grant that is kept, and the store that keeps it, as another process opens it.
struct Elsewhere {
    _state: tempfile::TempDir,
    store: FileStore,
    kept: Kept,
}

impl Elsewhere {
    fn new(folder: &Folder, access: Access) -> Self {
        let state = tempfile::tempdir().unwrap();
        let store = FileStore::new(state.path().join("grants.json"));
        let kept = Kept::new("app", GrantKey::new("/local", "mountfs"), folder.path().canonicalize().unwrap(), access);
        let kept = store.put(kept).unwrap();
        Self { _state: state, store, kept }
    }

    /// A guest that has mounted it at `/local`.
    async fn guest(&self) -> Fixture {
        let mut guest = Fixture::new(|grants| {
            grants.store(FileStore::new(self.store.path()));
        })
        .await;
        let access = Some(self.kept.access.into());
        guest.mount_with("/local", MountOptions { access, ..MountOptions::default() }).await.unwrap();
        guest
    }

    fn revoke(&self) {
        assert!(self.store.remove("app", &self.kept.key).unwrap());
    }
}

#[tokio::test]
async fn by_another_process() {
    let folder = files();
    let elsewhere = Elsewhere::new(&folder, Access::ReadWrite);
    cut_off_in(&folder, elsewhere.guest().await, async |_| elsewhere.revoke()).await;
}

#[tokio::test]
async fn by_another_guest_of_the_same_app() {
    let folder = files();
    let elsewhere = Elsewhere::new(&folder, Access::ReadWrite);
    cut_off_in(&folder, elsewhere.guest().await, async |_| {
        assert!(elsewhere.guest().await.revoke("/local", "mountfs").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn by_another_process_that_grants_the_same_again() {
    let folder = files();
    let elsewhere = Elsewhere::new(&folder, Access::ReadWrite);
    cut_off_in(&folder, elsewhere.guest().await, async |_| {
        elsewhere.revoke();
        elsewhere.store.put(elsewhere.kept.clone()).unwrap();
    })
    .await;
    assert_eq!(elsewhere.guest().await.read("/local/file").await.unwrap(), "text", "a guest that starts now has it");
}

#[tokio::test]
async fn by_another_process_that_takes_the_store_away() {
    let folder = files();
    let elsewhere = Elsewhere::new(&folder, Access::ReadWrite);
    cut_off_in(&folder, elsewhere.guest().await, async |guest| {
        let aside = elsewhere.store.path().with_extension("aside");
        fs::rename(elsewhere.store.path(), &aside).unwrap();
        assert!(matches!(guest.read("/local/file").await, Err(ErrorCode::NoDevice)));
        fs::rename(&aside, elsewhere.store.path()).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_mount_whose_grant_another_process_revoked_is_not_mounted() {
    let folder = Folder::new();
    let elsewhere = Elsewhere::new(&folder, Access::ReadWrite);
    for call in ["sync", "unmount", "revoke", "mount"] {
        elsewhere.store.put(elsewhere.kept.clone()).unwrap();
        let mut guest = elsewhere.guest().await;
        elsewhere.revoke();
        match call {
            "sync" => assert!(matches!(guest.sync("/local").await, Err(MountError::NotMounted))),
            "unmount" => assert!(matches!(guest.unmount("/local").await, Err(MountError::NotMounted))),
            "revoke" => assert!(guest.revoke("/local", "mountfs").await.unwrap()),
            _ => assert!(matches!(guest.mount("/local").await, Err(MountError::Denied)), "asked for again"),
        }
        assert!(guest.mounts().await.is_empty(), "after {call}");
    }
}

/// What was written before is the user's, and the command promises that it is durable when it ends.
#[tokio::test]
async fn what_was_written_before_another_process_revoked_is_synced_in_the_end() {
    let folder = Folder::new();
    let elsewhere = Elsewhere::new(&folder, Access::ReadWrite);
    let mut guest = elsewhere.guest().await;
    guest.write("/local/file", "kept").await.unwrap();
    elsewhere.revoke();
    assert!(matches!(guest.write("/local/file", "lost").await, Err(ErrorCode::NoDevice)));
    // The component learns of it, and lets go of all that it has of it.
    assert!(matches!(guest.sync("/local").await, Err(MountError::NotMounted)));
    let reports = guest.store.data_mut().mountfs().sync().await;
    let [(key, report)] = &*reports else { panic!("{reports:?}") };
    assert_eq!((key, report.files, report.bytes), (&elsewhere.kept.key, 1, 4));
    assert_eq!(folder.read("file"), "kept");
    assert!(guest.store.data_mut().mountfs().sync().await.is_empty(), "it is told once");
}

/// Forgets a grant when it is let.
struct Slow {
    store: MemoryStore,
    asked: Mutex<mpsc::Sender<()>>,
    go: Mutex<mpsc::Receiver<()>>,
}

impl GrantStore for Slow {
    fn get(&self, app: &str, key: &GrantKey) -> Result<Option<Kept>, StoreError> {
        self.store.get(app, key)
    }

    fn put(&self, kept: Kept) -> Result<Kept, StoreError> {
        self.store.put(kept)
    }

    fn remove(&self, app: &str, key: &GrantKey) -> Result<bool, StoreError> {
        self.asked.lock().unwrap().send(()).unwrap();
        self.go.lock().unwrap().recv().unwrap();
        self.store.remove(app, key)
    }

    fn list(&self) -> Result<Vec<Kept>, StoreError> {
        self.store.list()
    }
}

#[tokio::test]
async fn what_is_mounted_while_a_revoke_is_under_way_is_cut_off_with_it() {
    let folder = files();
    let ((asked, was_asked), (let_go, go)) = (mpsc::channel(), mpsc::channel());
    let store = Slow { store: MemoryStore::default(), asked: Mutex::new(asked), go: Mutex::new(go) };
    let key = GrantKey::new("/local", "mountfs");
    store.put(Kept::new("app", key.clone(), folder.path().canonicalize().unwrap(), Access::ReadWrite)).unwrap();
    let mut guest = Fixture::new(|grants| {
        grants.store(store);
    })
    .await;
    let control = guest.control.clone();
    let revoke = thread::spawn(move || control.revoke(&key).unwrap());
    was_asked.recv().unwrap();
    // It is still kept.
    let _ = guest.mount("/local").await;
    let_go.send(()).unwrap();
    assert!(revoke.join().unwrap());
    assert!(guest.read("/local/file").await.is_err());
    assert!(guest.write("/local/file", "lost").await.is_err());
    assert_eq!(folder.read("file"), "text");
}

/// Chooses a folder after something else was revoked.
struct Meanwhile(PathBuf, Arc<OnceLock<Control>>);

#[async_trait]
impl Picker for Meanwhile {
    async fn pick(&self, _: PickRequest) -> Result<Picked, PickError> {
        assert!(!self.1.get().unwrap().revoke(&GrantKey::new("/other", "mountfs")).unwrap());
        Ok(Picked { folder: self.0.clone(), keep: false })
    }
}

#[tokio::test]
async fn a_revoke_is_no_answer_to_who_asks_for_another_folder() {
    let (folder, control) = (files(), Arc::new(OnceLock::new()));
    let picker = Meanwhile(folder.path(), control.clone());
    let mut guest = Fixture::new(|grants| {
        grants.picker(picker);
    })
    .await;
    assert!(control.set(guest.control.clone()).is_ok());
    guest.mount("/local").await.unwrap();
    assert_eq!(guest.read("/local/file").await.unwrap(), "text");
}

/// Two runs of one app ask for one key, and their users answer with two folders.
#[tokio::test]
async fn by_another_process_that_keeps_another_folder_in_its_place() {
    let (folder, other) = (files(), files());
    let elsewhere = Elsewhere::new(&folder, Access::ReadWrite);
    let mut guest = elsewhere.guest().await;
    guest.write("/local/file", "text").await.unwrap();
    let kept = Kept { folder: other.path().canonicalize().unwrap(), ..elsewhere.kept.clone() };
    elsewhere.store.put(kept).unwrap();
    assert!(matches!(guest.write("/local/file", "lost").await, Err(ErrorCode::NoDevice)));
    assert_eq!(folder.read("file"), "text");
}

#[tokio::test]
async fn what_another_process_changes_otherwise_cuts_off_nothing() {
    let folder = Folder::with([("file", "text")]);
    let elsewhere = Elsewhere::new(&folder, Access::Read);
    let mut guest = elsewhere.guest().await;
    let kept = &elsewhere.kept;
    let others = [
        Kept { app: "other".into(), ..kept.clone() },
        Kept { key: GrantKey::new("/local", "other"), ..kept.clone() },
        Kept { key: GrantKey::new("/other", "mountfs"), ..kept.clone() },
    ];
    for other in others {
        elsewhere.store.put(other.clone()).unwrap();
        assert_eq!(guest.read("/local/file").await.unwrap(), "text");
        assert!(elsewhere.store.remove(&other.app, &other.key).unwrap());
        assert_eq!(guest.read("/local/file").await.unwrap(), "text");
    }
    // Wider for those who ask from now on; this guest has what it was given.
    elsewhere.store.put(Kept { access: Access::ReadWrite, ..kept.clone() }).unwrap();
    assert_eq!(guest.read("/local/file").await.unwrap(), "text");
    assert!(guest.write("/local/file", "x").await.is_err());
    elsewhere.revoke();
    assert!(matches!(guest.read("/local/file").await, Err(ErrorCode::NoDevice)), "it is still the same grant");
    assert_eq!(folder.read("file"), "text");
}

/// Whether the grant was revoked, nobody knows then: nothing passes, and nothing ends.
#[tokio::test]
async fn while_the_store_cannot_be_read_nothing_passes() {
    let folder = Folder::with([("file", "text")]);
    let elsewhere = Elsewhere::new(&folder, Access::ReadWrite);
    let mut guest = elsewhere.guest().await;
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let file = guest.open("/local/file", OpenFlags::empty(), flags).await.unwrap();
    let output = guest.output(file, 0).await.unwrap();
    let path = elsewhere.store.path();
    let contents = fs::read_to_string(path).unwrap();

    for broken in ["{ not json", "", "{\"format\":99}", "a directory"] {
        if broken == "a directory" {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        } else {
            fs::write(path, broken).unwrap();
        }
        for _ in 0..2 {
            assert!(matches!(guest.pread(file, 1, 0).await, Err(ErrorCode::Io)), "{broken}");
            assert!(matches!(guest.pwrite(file, b"x", 0).await, Err(ErrorCode::Io)), "{broken}");
            let error = guest.write_stream(&output, "lost").await.unwrap_err();
            assert!(matches!(code(&mut guest, error).await, Some(ErrorCode::Io)), "{broken}");
            assert!(matches!(guest.sync("/local").await, Err(MountError::Other(_))), "{broken}");
            assert!(matches!(guest.unmount("/local").await, Err(MountError::Other(_))), "{broken}");
        }
        assert_eq!(guest.mounts().await.len(), 1);
        assert_eq!(folder.read("file"), "text");
        if path.is_dir() {
            fs::remove_dir(path).unwrap();
        }
        fs::write(path, &contents).unwrap();
        assert_eq!(guest.pread(file, 4, 0).await.unwrap().0, b"text", "after {broken}");
    }
    guest.write_stream(&output, "TEXT").await.unwrap();
    assert_eq!(folder.read("file"), "TEXT");

    fs::write(path, "{ not json").unwrap();
    assert!(matches!(guest.pwrite(file, b"x", 0).await, Err(ErrorCode::Io)));
    fs::write(path, r#"{"format":1,"grants":[]}"#).unwrap();
    assert!(matches!(guest.pwrite(file, b"x", 0).await, Err(ErrorCode::NoDevice)), "revoked meanwhile");
    assert_eq!(folder.read("file"), "TEXT");
}

/// Says yes to this folder.
struct Yes {
    folder: PathBuf,
    keep: bool,
}

#[async_trait]
impl Picker for Yes {
    async fn pick(&self, _: PickRequest) -> Result<Picked, PickError> {
        Ok(Picked { folder: self.folder.clone(), keep: self.keep })
    }
}

#[tokio::test]
async fn another_process_reaches_what_was_granted_meanwhile_if_it_is_kept() {
    for keep in [true, false] {
        let folder = Folder::with([("file", "text")]);
        let elsewhere = Elsewhere::new(&folder, Access::ReadWrite);
        elsewhere.revoke();
        let mut guest = Fixture::new(|grants| {
            grants.store(FileStore::new(elsewhere.store.path())).picker(Yes { folder: folder.path(), keep });
        })
        .await;
        guest.mount("/local").await.unwrap();
        assert_eq!(guest.read("/local/file").await.unwrap(), "text");
        assert_eq!(elsewhere.store.remove("app", &elsewhere.kept.key).unwrap(), keep);
        match guest.read("/local/file").await {
            Err(ErrorCode::NoDevice) => assert!(keep),
            read => assert_eq!((read.unwrap().as_str(), keep), ("text", false)),
        }
    }
}

#[tokio::test]
async fn what_was_given_beforehand_does_not_depend_on_the_store() {
    let folder = Folder::with([("file", "text")]);
    let elsewhere = Elsewhere::new(&folder, Access::ReadWrite);
    let mut guest = Fixture::new(|grants| {
        grants.store(FileStore::new(elsewhere.store.path()));
        grants.grant(elsewhere.kept.key.clone(), folder.path(), Access::ReadWrite).unwrap();
    })
    .await;
    guest.mount("/local").await.unwrap();
    elsewhere.revoke();
    assert_eq!(guest.read("/local/file").await.unwrap(), "text");
}
