//! Where paths lead: virtual directories, mounts in mounts, `..`, links, preopens.

use mountfs_host::Access;
use mountfs_tests::{DescriptorFlags, DescriptorType, ErrorCode, Fixture, Folder, OpenFlags, PathFlags};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

async fn mounted_at(folder: &Folder, paths: &[&str]) -> Fixture {
    let mut guest = Fixture::granted(folder, Access::ReadWrite).await;
    for path in paths {
        guest.mount(path).await.unwrap();
    }
    guest
}

#[tokio::test]
async fn parents_of_a_mount_point_are_virtual_and_read_only() {
    let folder = Folder::with([("file", "text")]);
    let mut guest = mounted_at(&folder, &["/a/b/c"]).await;
    assert_eq!(guest.list("/").await.unwrap(), ["a"]);
    assert_eq!(guest.list("/a").await.unwrap(), ["b"]);
    assert_eq!(guest.stat("/a/b").await.unwrap().type_, DescriptorType::Directory);
    assert_eq!(guest.read("/a/b/c/file").await.unwrap(), "text");
    assert!(matches!(guest.writing("/a/new").await, Err(ErrorCode::ReadOnly)));
    assert!(matches!(guest.unlink("/a/new").await, Err(ErrorCode::NoEntry)));
    assert!(matches!(guest.rename("/a/new", "/a/b/c/new").await, Err(ErrorCode::NoEntry)));
    assert!(matches!(guest.mkdir("/a/new").await, Err(ErrorCode::ReadOnly)));
    assert!(matches!(guest.mkdir("/a/b").await, Err(ErrorCode::Exist)));
    assert!(matches!(guest.rmdir("/a/b").await, Err(ErrorCode::Busy)));
    assert!(matches!(guest.rename("/a", "/z").await, Err(ErrorCode::Busy)));
    assert!(matches!(guest.unlink("/a/b").await, Err(ErrorCode::IsDirectory)));
    assert!(matches!(guest.stat("/a/x").await, Err(ErrorCode::NoEntry)));
    guest.unmount("/a/b/c").await.unwrap();
    assert!(guest.list("/").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_directory_opened_before_a_mount_sees_it() {
    let folder = Folder::with([("file", "text")]);
    let mut guest = Fixture::granted(&folder, Access::ReadWrite).await;
    let root = guest.root().await;
    guest.mount("/late").await.unwrap();
    let file = guest.open_at(root, "late/file", OpenFlags::empty(), DescriptorFlags::READ).await.unwrap();
    assert_eq!(guest.pread(file, 9, 0).await.unwrap().0, b"text");
}

#[tokio::test]
async fn the_root_itself_can_be_mounted_with_mounts_in_it() {
    let folder = Folder::with([("data/hidden", "outer"), ("top", "top")]);
    let inner = Folder::with([("seen", "inner")]);
    let mut guest = Fixture::new(|grants| {
        grants.grant_id("mountfs", folder.path(), Access::ReadWrite).unwrap();
        grants.grant(mountfs_host::GrantKey::new("/data", "mountfs"), inner.path(), Access::ReadWrite).unwrap();
    })
    .await;
    guest.mount("/").await.unwrap();
    assert_eq!(guest.list("/data").await.unwrap(), ["hidden"]);
    guest.mount("/data").await.unwrap();
    assert_eq!(guest.list("/").await.unwrap(), ["data", "top"], "each name once");
    assert_eq!(guest.list("/data").await.unwrap(), ["seen"]);
    assert_eq!(guest.read("/data/seen").await.unwrap(), "inner");
    guest.write("/data/new", "x").await.unwrap();
    assert!(inner.has("new") && !folder.has("data/new"));
    assert!(matches!(guest.rename("/data/seen", "/seen").await, Err(ErrorCode::CrossDevice)));
    assert!(matches!(guest.link(PathFlags::empty(), "/top", "/data/top").await, Err(ErrorCode::CrossDevice)));
    assert!(matches!(guest.rename("/data", "/moved").await, Err(ErrorCode::Busy)));
    assert!(matches!(guest.rmdir("/data").await, Err(ErrorCode::Busy)));
    guest.unmount("/data").await.unwrap();
    assert_eq!(guest.list("/data").await.unwrap(), ["hidden"]);
}

#[tokio::test]
async fn a_mount_in_a_mount_below_a_directory_that_is_not_there() {
    let folder = Folder::with([("file", "")]);
    let inner = Folder::with([("seen", "inner")]);
    let mut guest = Fixture::new(|grants| {
        grants.grant_id("mountfs", folder.path(), Access::ReadWrite).unwrap();
        grants.grant(mountfs_host::GrantKey::new("/local/x/y", "mountfs"), inner.path(), Access::ReadWrite).unwrap();
    })
    .await;
    guest.mount("/local").await.unwrap();
    guest.mount("/local/x/y").await.unwrap();
    assert_eq!(guest.list("/local").await.unwrap(), ["file", "x"]);
    assert_eq!(guest.list("/local/x").await.unwrap(), ["y"]);
    assert_eq!(guest.read("/local/x/y/seen").await.unwrap(), "inner");
    assert!(matches!(guest.mkdir("/local/x/new").await, Err(ErrorCode::ReadOnly)));
    assert_eq!(folder.names(), ["file"], "nothing was made in the outer folder");
    // Once another program makes the directory, it is that one, and the mount point in it.
    folder.write("x/real", "");
    assert_eq!(guest.list("/local/x").await.unwrap(), ["real", "y"]);
    assert!(matches!(guest.rename("/local/x", "/local/z").await, Err(ErrorCode::Busy)));
}

#[tokio::test]
async fn dot_dot_reaches_the_virtual_parent_but_not_above_a_directory_descriptor() {
    let folder = Folder::with([("d/file", "text"), ("top", "top")]);
    let mut guest = mounted_at(&folder, &["/a/m", "/a/n"]).await;
    assert_eq!(guest.read("/a/m/d/../top").await.unwrap(), "top");
    assert_eq!(guest.read("/a/m/../n/top").await.unwrap(), "top");
    assert_eq!(guest.list("/a/m/..").await.unwrap(), ["m", "n"]);
    assert!(matches!(guest.stat("/..").await, Err(ErrorCode::NotPermitted)));
    assert!(matches!(guest.stat("/a/m/missing/../top").await, Err(ErrorCode::NoEntry)));
    assert!(matches!(guest.stat("/a/m/top/../top").await, Err(ErrorCode::NotDirectory)));
    for base in ["/a/m/d", "/a/m", "/a"] {
        let directory = guest.directory(base).await;
        let up = guest.stat_at(directory, PathFlags::SYMLINK_FOLLOW, "..").await;
        assert!(matches!(up, Err(ErrorCode::NotPermitted)), "{base}");
    }
}

#[tokio::test]
async fn links_resolve_within_their_grant_and_no_further() {
    let folder = Folder::with([("d/e/file", "text"), ("other", "other")]);
    symlink("d/e", folder.path().join("link")).unwrap();
    symlink("../other", folder.path().join("d/up")).unwrap();
    symlink("../secret", folder.path().join("out")).unwrap();
    symlink(folder.path().parent().unwrap().join("secret"), folder.path().join("absolute")).unwrap();
    symlink("loop", folder.path().join("loop")).unwrap();
    // With a mount in the mount, the component follows links itself; without, the host does: both alike.
    for paths in [&["/local"][..], &["/local", "/local/nested"]] {
        let mut guest = mounted_at(&folder, paths).await;
        assert_eq!(guest.read("/local/link/file").await.unwrap(), "text");
        assert_eq!(guest.read("/local/d/up").await.unwrap(), "other");
        assert!(matches!(guest.stat("/local/link/../file").await, Err(ErrorCode::NoEntry)));
        assert_eq!(guest.list("/local/link/..").await.unwrap(), ["e", "up"], "the parent of the target");
        for out in ["/local/out", "/local/out/", "/local/absolute", "/local/absolute/"] {
            let opened = guest.reading(out).await;
            assert!(matches!(opened, Err(ErrorCode::NotPermitted)), "{out}: {opened:?}");
        }
        assert!(matches!(guest.stat("/local/loop").await, Err(ErrorCode::Loop)));
        assert_eq!(guest.readlink("/local/out").await.unwrap(), "../secret");
    }
}

#[tokio::test]
async fn a_link_may_lead_into_a_mount_in_its_mount() {
    let folder = Folder::with([("file", "outer")]);
    let inner = Folder::with([("file", "inner")]);
    symlink("nested/file", folder.path().join("link")).unwrap();
    let mut guest = Fixture::new(|grants| {
        grants.grant_id("mountfs", folder.path(), Access::ReadWrite).unwrap();
        grants.grant(mountfs_host::GrantKey::new("/local/nested", "mountfs"), inner.path(), Access::ReadWrite).unwrap();
    })
    .await;
    guest.mount("/local").await.unwrap();
    guest.mount("/local/nested").await.unwrap();
    assert_eq!(guest.read("/local/link").await.unwrap(), "inner");
}

#[tokio::test]
async fn what_is_no_relative_path_is_refused() {
    let folder = Folder::new();
    let mut guest = mounted_at(&folder, &["/local"]).await;
    let root = guest.root().await;
    for (path, code) in [
        ("", ErrorCode::NoEntry),
        ("/local", ErrorCode::NotPermitted),
        ("local/a\0b", ErrorCode::Invalid),
        ("local/missing", ErrorCode::NoEntry),
    ] {
        let stat = guest.stat_at(root, PathFlags::SYMLINK_FOLLOW, path).await;
        assert_eq!(stat.unwrap_err(), code, "{path:?}");
    }
    let long = format!("local/{}", "x".repeat(300));
    assert_eq!(guest.stat(&long).await.unwrap_err(), ErrorCode::NameTooLong);
}

#[tokio::test]
async fn a_name_that_is_not_utf_8_hides_no_neighbour() {
    let folder = Folder::with([("a", ""), ("z", "")]);
    std::fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"n\xff")), "").unwrap();
    let mut guest = mounted_at(&folder, &["/local"]).await;
    assert_eq!(guest.list("/local").await.unwrap(), ["a", "z"]);
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
    assert_eq!(guest.flags(a).await.unwrap(), DescriptorFlags::READ);
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
