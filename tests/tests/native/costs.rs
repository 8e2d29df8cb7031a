//! What an operation costs, counted, so that it does not depend on what else the machine does: calls of the operating
//! system that reach the folder, and memory of the component.

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
