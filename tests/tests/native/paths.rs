//! Preopens of the host, and virtual directories: what the cases, on a host without preopens, do not reach.

use mountfs_host::Access;
use mountfs_tests::{DescriptorFlags, DescriptorType, Fixture, Folder, OpenFlags};

async fn mounted_at(folder: &Folder, paths: &[&str]) -> Fixture {
    let mut guest = Fixture::granted(folder, Access::ReadWrite).await;
    for path in paths {
        guest.mount(path).await.unwrap();
    }
    guest
}

#[tokio::test]
async fn preopens_of_the_host_keep_their_names_and_have_a_place_in_the_tree() {
    let (library, current) = (Folder::with([("lib.py", "code")]), Folder::with([("cwd", "here")]));
    let folder = Folder::with([("file", "text")]);
    let mut guest = Fixture::with_preopens(&[(&current, "."), (&library, "/lib")], |grants| {
        grants.grant_id("mountfs", folder.path(), Access::ReadWrite).unwrap();
    })
    .await;
    let names: Vec<_> = guest.preopens().await.into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["/", "/lib"]);
    assert_eq!(guest.list("/").await.unwrap(), ["cwd", "lib"]);
    assert_eq!(guest.read("/lib/lib.py").await.unwrap(), "code");

    // A preopen that is mounted over, or into, shows the mount, whichever way a path comes in.
    guest.mount("/lib/more").await.unwrap();
    let lib = guest.preopens().await[1].0;
    let file = guest.open_at(lib, "more/file", OpenFlags::empty(), DescriptorFlags::READ).await.unwrap();
    assert_eq!(guest.pread(file, 9, 0).await.unwrap().0, b"text");
    guest.mount("/lib").await.unwrap();
    assert_eq!(guest.entries(lib).await.unwrap().len(), 2, "the folder's file and the mount point");
    guest.unmount("/lib/more").await.unwrap();
    guest.unmount("/lib").await.unwrap();
    assert_eq!(guest.list("/lib").await.unwrap(), ["lib.py"]);
}

#[tokio::test]
async fn virtual_directories_have_an_identity() {
    let folder = Folder::new();
    let mut guest = mounted_at(&folder, &["/a/m", "/b/m"]).await;
    let (a, again, b) = (guest.directory("/a").await, guest.directory("/a").await, guest.directory("/b").await);
    assert!(guest.same(a, again).await && !guest.same(a, b).await);
    assert_eq!(guest.hash(a).await.unwrap(), guest.hash_at("/a").await.unwrap());
    assert_ne!(guest.hash(a).await.unwrap(), guest.hash(b).await.unwrap());
    assert_eq!(guest.kind(a).await.unwrap(), DescriptorType::Directory);
    // What is refused below is for each mount to say.
    assert_eq!(guest.flags(a).await.unwrap(), DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY);
    assert_eq!(guest.fstat(a).await.unwrap().type_, DescriptorType::Directory);
    guest.fsync(a).await.unwrap();
    guest.sync_data(a).await.unwrap();
}

#[tokio::test]
async fn a_preopen_that_leads_above_the_root_stays_outside_the_tree() {
    let (outside, folder) = (Folder::with([("sub/local/x", "theirs")]), Folder::with([("x", "ours")]));
    let mut guest = Fixture::with_preopens(&[(&outside, "../data")], |grants| {
        grants.grant_id("mountfs", folder.path(), Access::ReadWrite).unwrap();
    })
    .await;
    guest.mount("/local").await.unwrap();
    assert_eq!(guest.list("/").await.unwrap(), ["local"]);
    let data = guest.preopens().await[1].0;
    let (directory, read) = (OpenFlags::DIRECTORY, DescriptorFlags::READ);
    let sub = guest.open_at(data, "sub", directory, read).await.unwrap();
    let names: Vec<_> = guest.entries(sub).await.unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["local"]);
    let file = guest.open_at(sub, "local/x", OpenFlags::empty(), read).await.unwrap();
    assert_eq!(guest.pread(file, 9, 0).await.unwrap().0, b"theirs");
}
