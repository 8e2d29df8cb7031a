//! What of `mounts` is the native host's own, or too fine for a case: the rest is in `tests/cases/`.

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
async fn mount_answers_what_was_mounted() {
    let folder = Folder::new();
    let mut guest = Fixture::mounted(&folder).await;
    let again = guest.mount("/local").await.unwrap();
    assert_eq!((again.path.as_str(), again.id.as_str(), again.label.as_str()), ("/local", "mountfs", "inside"));
    assert_eq!(again.access, GuestAccess::ReadWrite);
    assert_eq!(guest.mounts().await.len(), 1);
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
async fn more_than_was_granted_beforehand_is_denied() {
    let folder = Folder::new();
    let mut guest = Fixture::granted(&folder, Access::Read).await;
    assert!(matches!(guest.mount("/local").await, Err(MountError::Denied)));
    guest.mount_with("/local", read_only()).await.unwrap();
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
