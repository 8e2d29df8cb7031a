//! Writes that the guest does not wait for.

use mountfs_host::MountError;
use mountfs_tests::faults::{Faults, Plan};
use mountfs_tests::{DescriptorFlags, ErrorCode, Fixture, Folder, OpenFlags, block_on};
use wasmtime_wasi::p2::StreamError;

#[test]
fn a_write_that_the_guest_did_not_wait_for_fails_its_next_call_or_else_the_sync() {
    for end in ["dropped", "open", "asked"] {
        let folder = Folder::with([("file", "old")]);
        let faults = Faults::over(&folder.path());
        let guest = async || {
            let mut guest = Fixture::mounted(&folder).await;
            let file = guest.open("/local/file", OpenFlags::empty(), DescriptorFlags::WRITE).await.unwrap();
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
