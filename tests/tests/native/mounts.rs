//! Each function of `mounts`, and each of its errors.

use mountfs_host::{
    Access, GrantKey, GuestAccess, MountError, MountOptions, PickError, PickRequest, Picked, Picker, Unsynced,
};
use mountfs_tests::{ErrorCode, Fixture, Folder};
use wasmtime_wasi::async_trait;

fn with_id(id: &str) -> MountOptions {
    MountOptions { id: Some(id.into()), ..MountOptions::default() }
}

fn read_only() -> MountOptions {
    MountOptions { access: Some(GuestAccess::Read), ..MountOptions::default() }
}

#[tokio::test]
async fn mount_shows_the_folder_and_what_is_written_there_is_on_disk() {
    let folder = Folder::with([("a.txt", "one"), ("deep/b.txt", "two")]);
    let mut guest = Fixture::mounted(&folder).await;
    assert_eq!(guest.list("/local").await.unwrap(), ["a.txt", "deep"]);
    assert_eq!(guest.read("/local/deep/b.txt").await.unwrap(), "two");
    guest.write("/local/deep/c.txt", "three").await.unwrap();
    assert_eq!(folder.read("deep/c.txt"), "three");
}

#[tokio::test]
async fn mount_answers_what_was_mounted() {
    let folder = Folder::new();
    let mut guest = Fixture::mounted(&folder).await;
    let again = guest.mount("/local").await.unwrap();
    assert_eq!((again.path.as_str(), again.id.as_str(), again.label.as_str()), ("/local", "mountfs", "inside"));
    assert_eq!(again.access, GuestAccess::ReadWrite);
    assert_eq!(guest.mounts().await.len(), 1);
}

#[tokio::test]
async fn what_is_no_mount_point_is_invalid_path() {
    let folder = Folder::with([("file", "")]);
    let mut guest = Fixture::mounted(&folder).await;
    for path in ["", "local", "/local/", "//local", "/a/../b", "/a/./b", "/a\0b", "/local/file", "/local/file/below"] {
        assert!(matches!(guest.mount(path).await, Err(MountError::InvalidPath(_))), "mount {path:?}");
    }
    for path in ["", "local", "/a/../b"] {
        assert!(matches!(guest.sync(path).await, Err(MountError::InvalidPath(_))), "sync {path:?}");
        assert!(matches!(guest.unmount(path).await, Err(MountError::InvalidPath(_))), "unmount {path:?}");
        assert!(matches!(guest.revoke(path, "mountfs").await, Err(MountError::InvalidPath(_))), "revoke {path:?}");
    }
}

#[tokio::test]
async fn what_is_no_id_is_invalid_id() {
    let mut guest = Fixture::new(|_| {}).await;
    for id in ["", "a b", "ü", "x\0", &"x".repeat(33)] {
        assert!(matches!(guest.mount_with("/local", with_id(id)).await, Err(MountError::InvalidId(_))), "{id:?}");
        assert!(matches!(guest.revoke("/local", id).await, Err(MountError::InvalidId(_))), "{id:?}");
    }
}

#[tokio::test]
async fn another_id_or_access_at_a_mounted_path_is_already_mounted() {
    let folder = Folder::new();
    let mut guest = Fixture::mounted(&folder).await;
    for options in [with_id("other"), read_only()] {
        let Err(MountError::AlreadyMounted(id)) = guest.mount_with("/local", options).await else {
            panic!("mounted over a mount")
        };
        assert_eq!(id, "mountfs");
    }
}

#[tokio::test]
async fn what_is_not_mounted_is_not_mounted() {
    let mut guest = Fixture::new(|_| {}).await;
    assert!(matches!(guest.sync("/local").await, Err(MountError::NotMounted)));
    assert!(matches!(guest.unmount("/local").await, Err(MountError::NotMounted)));
    assert!(matches!(guest.sync("/").await, Err(MountError::NotMounted)));
}

#[tokio::test]
async fn revoke_of_nothing_is_false() {
    let mut guest = Fixture::new(|_| {}).await;
    assert!(!guest.revoke("/local", "mountfs").await.unwrap());
}

#[tokio::test]
async fn sync_counts_what_was_written_and_removed_since_the_last_one() {
    let folder = Folder::with([("old", "x"), ("untouched", "y")]);
    let mut guest = Fixture::mounted(&folder).await;
    guest.write("/local/new", "12345").await.unwrap();
    guest.write("/local/new", "123").await.unwrap();
    guest.unlink("/local/old").await.unwrap();
    assert!(matches!(guest.mounts().await[0].unsynced, Some(Unsynced { files: 1, bytes: 8 })));

    let report = guest.sync("/local").await.unwrap();
    assert_eq!((report.files, report.bytes, report.removed), (1, 8, 1));
    assert!(report.conflicts.is_empty() && report.failures.is_empty());
    assert!(matches!(guest.mounts().await[0].unsynced, Some(Unsynced { files: 0, bytes: 0 })));
    let nothing = guest.sync("/local").await.unwrap();
    assert_eq!((nothing.files, nothing.bytes, nothing.removed), (0, 0, 0));
    assert_eq!(folder.names(), ["new", "untouched"]);
}

#[tokio::test]
async fn sync_waits_for_a_write_that_the_guest_did_not_wait_for() {
    let folder = Folder::new();
    let mut guest = Fixture::mounted(&folder).await;
    let file = guest.writing("/local/big").await.unwrap();
    let stream = guest.output(file, 0).await.unwrap();
    let text = "x".repeat(60_000);
    guest.start_write(&stream, &text).unwrap();
    let report = guest.sync("/local").await.unwrap();
    assert_eq!((report.files, report.bytes), (1, 60_000));
    assert_eq!(folder.read("big"), text);
}

#[tokio::test]
async fn many_more_files_than_a_process_may_hold_open_are_written_and_counted() {
    let folder = Folder::new();
    let mut guest = Fixture::mounted(&folder).await;
    for number in 0..600 {
        guest.write(&format!("/local/{number}"), "text").await.unwrap();
    }
    let report = guest.sync("/local").await.unwrap();
    assert_eq!((report.files, report.bytes), (600, 2400));
    assert_eq!(folder.names().len(), 600);
}

#[tokio::test]
async fn changes_made_outside_are_seen() {
    let folder = Folder::with([("a", "old")]);
    let mut guest = Fixture::mounted(&folder).await;
    assert_eq!(guest.read("/local/a").await.unwrap(), "old");
    folder.write("a", "new");
    folder.write("b", "added");
    assert_eq!(guest.read("/local/a").await.unwrap(), "new");
    assert_eq!(guest.list("/local").await.unwrap(), ["a", "b"]);
    guest.sync("/local").await.unwrap();
    assert_eq!(folder.names(), ["a", "b"]);
}

#[tokio::test]
async fn unmount_takes_the_folder_away_and_frees_the_path() {
    let (one, other) = (Folder::with([("one", "")]), Folder::with([("other", "")]));
    let mut guest = Fixture::new(|grants| {
        grants.grant_id("one", one.path(), Access::ReadWrite).unwrap();
        grants.grant_id("other", other.path(), Access::ReadWrite).unwrap();
    })
    .await;
    guest.mount_with("/local", with_id("one")).await.unwrap();
    let file = guest.reading("/local/one").await.unwrap();
    guest.unmount("/local").await.unwrap();
    assert!(matches!(guest.stat("/local").await, Err(ErrorCode::NoEntry)));
    assert!(matches!(guest.pread(file, 1, 0).await, Err(ErrorCode::NoDevice)));
    guest.mount_with("/local", with_id("other")).await.unwrap();
    assert_eq!(guest.list("/local").await.unwrap(), ["other"]);
    assert!(matches!(guest.pread(file, 1, 0).await, Err(ErrorCode::NoDevice)), "the old descriptor stays dead");
}

#[tokio::test]
async fn mounted_lists_by_path() {
    let folder = Folder::new();
    let mut guest = Fixture::granted(&folder, Access::ReadWrite).await;
    for path in ["/b", "/a/c", "/a", "/"] {
        guest.mount(path).await.unwrap();
    }
    let paths: Vec<_> = guest.mounts().await.into_iter().map(|info| info.path).collect();
    assert_eq!(paths, ["/", "/a", "/a/c", "/b"]);
}

#[tokio::test]
async fn one_folder_mounted_twice_is_one_folder() {
    let folder = Folder::new();
    let mut guest = Fixture::granted(&folder, Access::ReadWrite).await;
    guest.mount("/a").await.unwrap();
    guest.mount("/b").await.unwrap();
    guest.write("/a/file", "text").await.unwrap();
    assert_eq!(guest.read("/b/file").await.unwrap(), "text");
    // So that `shutil.copy("/a/file", "/b/file")` sees that they are the same, and does not empty it.
    assert_eq!(guest.hash_at("/a/file").await.unwrap(), guest.hash_at("/b/file").await.unwrap());
    guest.unmount("/a").await.unwrap();
    assert_eq!(guest.read("/b/file").await.unwrap(), "text");
}

#[tokio::test]
async fn a_read_only_mount_reads_and_refuses_every_change() {
    let folder = Folder::with([("file", "text")]);
    let mut guest = Fixture::granted(&folder, Access::Read).await;
    assert!(matches!(guest.mount("/local").await, Err(MountError::Denied)), "more than was granted");
    guest.mount_with("/local", read_only()).await.unwrap();
    assert_eq!(guest.read("/local/file").await.unwrap(), "text");
    assert!(matches!(guest.writing("/local/file").await, Err(ErrorCode::ReadOnly)));
    assert!(matches!(guest.writing("/local/new").await, Err(ErrorCode::ReadOnly)));
    assert!(matches!(guest.mkdir("/local/new").await, Err(ErrorCode::ReadOnly)));
    assert!(matches!(guest.unlink("/local/file").await, Err(ErrorCode::ReadOnly)));
    assert!(matches!(guest.rename("/local/file", "/local/new").await, Err(ErrorCode::ReadOnly)));
    assert!(matches!(guest.symlink("file", "/local/new").await, Err(ErrorCode::ReadOnly)));
    assert_eq!((folder.names(), folder.read("file")), (vec!["file".to_owned()], "text".to_owned()));
}

/// Answers as it is told.
struct Answer(Result<Picked, PickError>);

#[async_trait]
impl Picker for Answer {
    async fn pick(&self, _: PickRequest) -> Result<Picked, PickError> {
        self.0.clone()
    }
}

async fn refused(error: PickError) -> MountError {
    let mut guest = Fixture::new(|grants| {
        grants.picker(Answer(Err(error)));
    })
    .await;
    let refused = guest.mount("/local").await.unwrap_err();
    assert!(guest.mounts().await.is_empty(), "a mount that failed leaves nothing behind");
    assert!(matches!(guest.stat("/local").await, Err(ErrorCode::NoEntry)));
    refused
}

#[tokio::test]
async fn each_refusal_of_a_picker_has_its_own_error() {
    assert!(matches!(refused(PickError::Cancelled).await, MountError::Cancelled));
    assert!(matches!(refused(PickError::Denied).await, MountError::Denied));
    assert!(matches!(refused(PickError::NeedsUserActivation).await, MountError::NeedsUserActivation));
    assert!(matches!(refused(PickError::Unsupported("no".into())).await, MountError::Unsupported(why) if why == "no"));
    assert!(matches!(refused(PickError::Other("odd".into())).await, MountError::Other(what) if what == "odd"));
}

#[tokio::test]
async fn a_folder_that_is_gone_is_other_and_its_path_stays_with_the_host() {
    let folder = Folder::new();
    let gone = folder.path().join("gone");
    let picked = Picked { folder: gone.clone(), keep: true };
    let mut guest = Fixture::new(|grants| {
        grants.picker(Answer(Ok(picked)));
    })
    .await;
    let Err(MountError::Other(what)) = guest.mount("/local").await else { panic!("mounted nothing") };
    assert!(what.contains("/local") && !what.contains(gone.to_str().unwrap()), "{what}");
}

#[tokio::test]
async fn a_refused_grant_at_a_builder_says_which_folder() {
    let folder = Folder::with([("file", "")]);
    let mut builder = mountfs_host::MountfsCtx::builder();
    for path in ["nowhere", "file"] {
        let key = GrantKey::new("/local", "mountfs");
        let Err(error) = builder.grant(key, folder.path().join(path), Access::Read) else { panic!("granted {path}") };
        assert!(error.to_string().contains(path), "{error}");
    }
}
