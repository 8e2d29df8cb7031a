//! What an operation costs, counted, so that it does not depend on what else the machine does: calls of the component to its
//! host, calls of the operating system that reach the folder, and memory of the component.

use mountfs_tests::host_calls::HostCalls;
use mountfs_tests::{DescriptorFlags, Fixture, Folder, OpenFlags};

const SIZE: usize = 64 << 10;

/// What every program does.
async fn usual(guest: &mut Fixture) {
    let file = guest.open("/local/file", OpenFlags::empty(), DescriptorFlags::READ).await.unwrap();
    assert_eq!(guest.pread(file, SIZE as u64, 0).await.unwrap().0.len(), SIZE);
    guest.drop(file).await;
    guest.stat("/local/file").await.unwrap();
    guest.list("/local").await.unwrap();
    guest.rename("/local/file", "/local/other").await.unwrap();
    guest.rename("/local/other", "/local/file").await.unwrap();
}

#[tokio::test]
async fn the_memory_of_the_component_does_not_grow_with_what_it_did() {
    let folder = Folder::with([("file", "x".repeat(SIZE).as_str())]);
    let mut guest = Fixture::mounted(&folder).await;
    usual(&mut guest).await;
    let memory = guest.store.data().memory;
    for _ in 0..100 {
        usual(&mut guest).await;
    }
    assert_eq!(guest.store.data().memory, memory);
}

/// Each crosses from WebAssembly to the host once: a walk through directories is no more than its last step.
#[tokio::test]
async fn an_operation_is_one_call_to_the_host() {
    let folder = Folder::with([("a/b/file", "x".repeat(SIZE).as_str())]);
    let mut guest = Fixture::mounted(&folder).await;
    guest.root().await;
    let calls = HostCalls::count();
    let file = guest.open("/local/a/b/file", OpenFlags::empty(), DescriptorFlags::READ).await.unwrap();
    assert_eq!(calls.take(), ["[method]descriptor.open-at"]);
    guest.pread(file, SIZE as u64, 0).await.unwrap();
    assert_eq!(calls.take(), ["[method]descriptor.read"]);
    let stream = guest.input(file, 0).await.unwrap();
    assert_eq!(calls.take(), ["[method]descriptor.read-via-stream"]);
    guest.drop_input(stream);
    guest.fstat(file).await.unwrap();
    assert_eq!(calls.take(), ["[method]descriptor.stat"]);
    guest.drop(file).await;
    guest.stat("/local/a/b/file").await.unwrap();
    assert_eq!(calls.take(), ["[method]descriptor.stat-at"]);
    guest.rename("/local/a/b/file", "/local/a/other").await.unwrap();
    assert_eq!(calls.take(), ["[method]descriptor.rename-at"]);
    guest.unlink("/local/a/other").await.unwrap();
    assert_eq!(calls.take(), ["[method]descriptor.unlink-file-at"]);
    guest.list("/local/a").await.unwrap();
    assert_eq!(
        calls.take(),
        [
            "[method]descriptor.open-at",
            "[method]descriptor.read-directory",
            "[method]directory-entry-stream.read-directory-entry",
            "[method]directory-entry-stream.read-directory-entry",
        ]
    );
}

#[cfg(target_os = "linux")]
mod calls {
    use super::*;
    use mountfs_tests::block_on;
    use mountfs_tests::faults::{Faults, Plan};

    /// The calls since the last time, without the paths.
    fn calls(faults: &Faults) -> Vec<&'static str> {
        let calls = faults.calls();
        faults.plan(Plan::None);
        calls.iter().map(|call| call.name).collect()
    }

    #[test]
    fn what_comes_and_goes_is_not_made_durable() {
        let folder = Folder::new();
        let faults = Faults::over(&folder.path());
        faults.under(|| {
            block_on(async {
                let mut guest = Fixture::mounted(&folder).await;
                guest.root().await;
                for _ in 0..200 {
                    guest.write("/local/new", "text").await.unwrap();
                    guest.unlink("/local/new").await.unwrap();
                }
            });
        });
        let names: Vec<_> = calls(&faults);
        assert_eq!(names.iter().filter(|name| **name == "pwrite64").count(), 200);
        assert!(!names.contains(&"fsync"), "{names:?}");
    }

    #[test]
    fn an_operation_makes_no_more_calls_of_the_system_than_it_has_to() {
        let folder = Folder::with([("file", "x".repeat(SIZE).as_str())]);
        let faults = Faults::over(&folder.path());
        faults.under(|| {
            block_on(async {
                let mut guest = Fixture::mounted(&folder).await;
                guest.root().await;
                calls(&faults);
                let file = guest.open("/local/file", OpenFlags::empty(), DescriptorFlags::READ).await.unwrap();
                let open = calls(&faults);
                guest.pread(file, SIZE as u64, 0).await.unwrap();
                let read = calls(&faults);
                guest.fstat(file).await.unwrap();
                let fstat = calls(&faults);
                guest.stat("/local/file").await.unwrap();
                let stat = calls(&faults);
                guest.rename("/local/file", "/local/other").await.unwrap();
                calls(&faults);
                // The directory is held from here on.
                guest.rename("/local/other", "/local/file").await.unwrap();
                let rename = calls(&faults);
                assert_eq!(
                    [open, read, fstat, stat, rename].map(|calls| calls.join(" ")),
                    ["openat2 statx", "pread64", "statx", "openat2 statx", "renameat statx"]
                );
            });
        });
    }
}
