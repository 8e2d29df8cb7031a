//! Revoked is revoked: whatever is open, whoever revokes.

use mountfs_host::{Access, GrantKey, MountError};
use mountfs_tests::{DescriptorFlags, ErrorCode, Fixture, Folder, OpenFlags};
use wasmtime_wasi::p2::StreamError;

async fn code(guest: &mut Fixture, error: StreamError) -> Option<ErrorCode> {
    let StreamError::LastOperationFailed(error) = error else { panic!("{error}") };
    guest.error_code(error).await
}

/// Everything open, then cut off by `cut`; each call fails, and nothing reaches the disk.
async fn cut_off(cut: impl AsyncFnOnce(&mut Fixture)) {
    let folder = Folder::with([("file", "text"), ("d/other", "other")]);
    let mut guest = Fixture::mounted(&folder).await;
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
