//! Writes that the guest does not wait for, and what is lost of them.

use mountfs_host::{Access, GrantKey, MountError, MountfsView as _};
use mountfs_tests::faults::{Faults, Plan};
use mountfs_tests::{Descriptor, DescriptorFlags, ErrorCode, Fixture, Folder, OpenFlags, block_on};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynOutputStream, StreamError};

#[test]
fn a_write_that_the_guest_did_not_wait_for_fails_its_next_call_or_else_the_sync() {
    let ways =
        [OpenFlags::empty(), OpenFlags::TRUNCATE].map(|flags| ["dropped", "open", "asked"].map(|end| (flags, end)));
    for (flags, end) in ways.into_iter().flatten() {
        let folder = Folder::with([("file", "old")]);
        let faults = Faults::over(&folder.path());
        let guest = async || {
            let mut guest = Fixture::mounted(&folder).await;
            let file = guest.open("/local/file", flags, DescriptorFlags::WRITE).await.unwrap();
            let stream = guest.output(file, 0).await.unwrap();
            faults.plan(Plan::One(1, libc::ENOSPC));
            guest.start_write(&stream, "new").unwrap();
            match end {
                "dropped" => guest.drop_stream(stream).await,
                "asked" => {
                    let StreamError::LastOperationFailed(error) = guest.write_stream(&stream, "").await.unwrap_err()
                    else {
                        panic!("it has failed")
                    };
                    assert!(matches!(guest.error_code(error).await, Some(ErrorCode::InsufficientSpace)));
                }
                _ => {}
            }
            if end == "asked" {
                guest.sync("/local").await.unwrap();
                return;
            }
            let report = match guest.sync("/local").await {
                Err(MountError::Incomplete(report)) => report,
                other => panic!("{end}: {other:?}"),
            };
            assert_eq!((report.files, &*report.failures[0].path), (0, "file"), "{end}");
            assert!(matches!(guest.sync("/local").await, Err(MountError::Incomplete(_))), "{end}: it stays dirty");
            guest.write("/local/file", "new").await.unwrap();
            assert_eq!(guest.sync("/local").await.unwrap().files, 1, "{end}");
            assert_eq!(guest.read("/local/file").await.unwrap(), "new");
        };
        faults.under(|| block_on(guest()));
    }
}

#[test]
fn a_failed_fsync_of_a_file_that_was_emptied_before_is_not_forgotten() {
    let folder = Folder::with([("file", "old")]);
    let faults = Faults::over(&folder.path());
    let guest = async || {
        let mut guest = Fixture::mounted(&folder).await;
        let file = guest.open("/local/file", OpenFlags::TRUNCATE, DescriptorFlags::WRITE).await.unwrap();
        guest.pwrite(file, b"new", 0).await.unwrap();
        faults.plan(Plan::Fsyncs(1, libc::EIO));
        assert!(matches!(guest.fsync(file).await, Err(ErrorCode::Io)));
        // The system says it once: a second fsync proves nothing.
        guest.fsync(file).await.unwrap();
        assert!(matches!(guest.sync("/local").await, Err(MountError::Incomplete(_))));
        // Written anew, it is another content.
        guest.write("/local/file", "newer").await.unwrap();
        assert_eq!(guest.sync("/local").await.unwrap().files, 1);
    };
    faults.under(|| block_on(guest()));
}

/// The number of the call of this name among those of some work.
fn call_of(faults: &Faults, name: &str, work: impl FnOnce() + Send) -> usize {
    faults.plan(Plan::None);
    faults.under(work);
    faults.calls().iter().position(|call| call.name == name).expect("it makes it") + 1
}

/// Lets everything go on that can.
async fn go_on() {
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
}

/// Does something while a write of "new" to `file`, which the guest did not wait for, does not return.
fn while_written(
    folder: &Folder,
    faults: &Faults,
    work: impl AsyncFnOnce(&mut Fixture, Descriptor, &Resource<DynOutputStream>) + Send,
) {
    let begin = async || {
        let mut guest = Fixture::mounted(folder).await;
        let file = guest.open("/local/file", OpenFlags::empty(), DescriptorFlags::WRITE).await.unwrap();
        let stream = guest.output(file, 0).await.unwrap();
        guest.start_write(&stream, "new").unwrap();
        (guest, file, stream)
    };
    let alone = async || {
        let (mut guest, _, stream) = begin().await;
        guest.drop_stream(stream).await;
    };
    faults.plan(Plan::Hold(call_of(faults, "pwrite64", || block_on(alone()))));
    folder.write("file", "old");
    let under = async || {
        let (mut guest, file, stream) = begin().await;
        work(&mut guest, file, &stream).await;
    };
    faults.under(|| block_on(under()));
    assert_eq!(folder.read("file"), "new");
}

#[test]
fn an_fsync_waits_for_what_was_written_before() {
    let folder = Folder::with([("file", "old")]);
    let faults = Faults::over(&folder.path());
    while_written(&folder, &faults, async |guest, file, _| {
        let meanwhile = async {
            go_on().await;
            let synced = faults.calls().iter().any(|call| call.name == "fsync");
            faults.release();
            synced
        };
        let (fsync, synced) = tokio::join!(guest.fsync(file), meanwhile);
        fsync.unwrap();
        assert!(!synced, "it did not wait");
    });
}

#[test]
fn an_fsync_tells_of_a_write_that_the_guest_did_not_wait_for() {
    let folder = Folder::with([("file", "old")]);
    let faults = Faults::over(&folder.path());
    let guest = async || {
        let mut guest = Fixture::mounted(&folder).await;
        let file = guest.open("/local/file", OpenFlags::empty(), DescriptorFlags::WRITE).await.unwrap();
        let stream = guest.output(file, 0).await.unwrap();
        faults.plan(Plan::One(1, libc::ENOSPC));
        guest.start_write(&stream, "new").unwrap();
        assert!(matches!(guest.fsync(file).await, Err(ErrorCode::Io)));
    };
    faults.under(|| block_on(guest()));
}

#[test]
fn what_waits_behind_a_write_when_the_grant_ends_is_not_written() {
    let folder = Folder::with([("file", "old")]);
    let faults = Faults::over(&folder.path());
    while_written(&folder, &faults, async |guest, _, stream| {
        let control = guest.control.clone();
        let meanwhile = async {
            go_on().await;
            control.revoke(&GrantKey::new("/local", "mountfs")).unwrap();
            faults.release();
        };
        let (written, ()) = tokio::join!(guest.write_stream(stream, "lost"), meanwhile);
        assert!(written.is_err());
    });
}

#[test]
fn a_sync_waits_for_one_that_nobody_waits_for_any_more() {
    let folder = Folder::with([("file", "old")]);
    let faults = Faults::over(&folder.path());
    let work = async |wait: bool| {
        let mut guest = Fixture::mounted(&folder).await;
        guest.write("/local/file", "new").await.unwrap();
        if !wait {
            return drop(guest.sync("/local").await);
        }
        let held = faults.clone();
        let held = tokio::task::spawn_blocking(move || held.wait_until_held());
        tokio::select! {
            _ = guest.sync("/local") => panic!("it is held"),
            held = held => assert!(held.unwrap()),
        }
        let released = std::cell::Cell::new(false);
        let meanwhile = async {
            go_on().await;
            released.set(true);
            faults.release();
        };
        let last = async {
            guest.store.data_mut().mountfs().sync().await;
            released.get()
        };
        let (waited, ()) = tokio::join!(last, meanwhile);
        assert!(waited);
    };
    faults.plan(Plan::Hold(call_of(&faults, "fsync", || block_on(work(false)))));
    faults.under(|| block_on(work(true)));
}

#[test]
fn a_file_made_through_a_link_is_durable_where_it_is() {
    let folder = Folder::with([("sub/other", "")]);
    std::os::unix::fs::symlink("sub/new", folder.path().join("link")).unwrap();
    let faults = Faults::over(&folder.path());
    let guest = async || {
        let mut guest = Fixture::mounted(&folder).await;
        guest.write("/local/link", "text").await.unwrap();
        guest.sync("/local").await.unwrap();
    };
    faults.under(|| block_on(guest()));
    let synced: Vec<_> = faults.calls().into_iter().filter(|call| call.name == "fsync").map(|call| call.path).collect();
    assert!(synced.iter().any(|path| path.ends_with("sub")), "{synced:?}");
    assert_eq!(folder.read("sub/new"), "text");
}

#[test]
fn what_one_mount_holds_is_no_reason_to_sync_the_other_at_each_call() {
    let (many, few) = (Folder::new(), Folder::new());
    (0..100).for_each(|number| many.write(&number.to_string(), ""));
    let faults = Faults::over(&few.path());
    let guest = async || {
        let mut guest = Fixture::new(|grants| {
            grants.grant(GrantKey::new("/many", "mountfs"), many.path(), Access::ReadWrite).unwrap();
            grants.grant(GrantKey::new("/few", "mountfs"), few.path(), Access::ReadWrite).unwrap();
        })
        .await;
        guest.mount("/many").await.unwrap();
        guest.mount("/few").await.unwrap();
        let mut files = Vec::new();
        for number in 0..100 {
            files.push(
                guest.open(&format!("/many/{number}"), OpenFlags::empty(), DescriptorFlags::WRITE).await.unwrap(),
            );
        }
        for file in files {
            guest.pwrite(file, b"text", 0).await.unwrap();
        }
        for number in 0..20 {
            guest.write(&format!("/few/{number}"), "text").await.unwrap();
        }
    };
    faults.under(|| block_on(guest()));
    let synced = faults.calls().iter().filter(|call| call.name == "fsync").count();
    assert!(synced < 4, "{synced}");
}
