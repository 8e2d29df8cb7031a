//! A hostile guest meets limits: it gets an error it can understand, can go on, and takes no more of the host.

use mountfs_host::{Access, Limits, MountError};
use mountfs_tests::{DescriptorFlags, ErrorCode, Fixture, Folder, OpenFlags};

async fn limited(folder: &Folder, limits: Limits) -> Fixture {
    let mut guest = Fixture::new(|grants| {
        grants.limits(limits).grant_id("mountfs", folder.path(), Access::ReadWrite).unwrap();
    })
    .await;
    guest.mount("/local").await.unwrap();
    guest
}

/// Opens until it is refused; what is open then, and the error.
async fn exhaust<T>(mut open: impl AsyncFnMut() -> Result<T, ErrorCode>) -> (Vec<T>, ErrorCode) {
    let mut opened = Vec::new();
    loop {
        match open().await {
            Ok(one) => opened.push(one),
            Err(code) => return (opened, code),
        }
        assert!(opened.len() < 100_000, "there is no limit");
    }
}

#[tokio::test]
async fn open_files_directories_listings_and_streams_are_counted_together() {
    let folder = Folder::with([("file", "text"), ("d/file", "text")]);
    let mut guest = limited(&folder, Limits { descriptors: 100, ..Limits::default() }).await;
    let file = guest.open("/local/file", OpenFlags::empty(), DescriptorFlags::READ | DescriptorFlags::WRITE).await;
    let file = file.unwrap();
    let directory = guest.directory("/local/d").await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.push(guest.input(file, 0).await.unwrap());
    }
    let (output, listing) = (guest.append(file).await.unwrap(), guest.read_directory(directory).await.unwrap());

    // With the mount's own directory.
    let open = 1 + 2 + 10 + 2;
    let (files, code) = exhaust(async || guest.reading("/local/file").await).await;
    assert!(matches!(code, ErrorCode::InsufficientMemory), "{code:?}");
    assert_eq!(files.len(), 100 - open);
    assert!(matches!(guest.input(file, 0).await, Err(ErrorCode::InsufficientMemory)));
    assert!(matches!(guest.output(file, 0).await, Err(ErrorCode::InsufficientMemory)));
    assert!(matches!(guest.append(file).await, Err(ErrorCode::InsufficientMemory)));
    assert!(matches!(guest.read_directory(directory).await, Err(ErrorCode::InsufficientMemory)));
    assert!(matches!(guest.writing("/local/new").await, Err(ErrorCode::InsufficientMemory)));
    assert!(!folder.has("new"), "what could not be opened was not made");

    // What needs nothing more goes on, and what is given back can be had again.
    assert_eq!(guest.pread(file, 4, 0).await.unwrap().0, b"text");
    guest.rename("/local/d/file", "/local/d/other").await.unwrap();
    for stream in streams {
        guest.drop_input(stream);
    }
    guest.drop(listing).await;
    let (more, _) = exhaust(async || guest.reading("/local/file").await).await;
    assert_eq!(more.len(), 11);
    guest.drop_stream(output).await;
    for file in files.into_iter().chain(more) {
        guest.drop(file).await;
    }
    assert_eq!(guest.read("/local/file").await.unwrap(), "text");
}

#[tokio::test]
async fn a_million_opens_leave_no_more_than_the_limit_open() {
    let folder = Folder::with([("file", "text")]);
    let mut guest = limited(&folder, Limits::default()).await;
    let open_files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open_files();
    let (files, _) = exhaust(async || guest.reading("/local/file").await).await;
    assert!(files.len() < Limits::default().descriptors);
    for _ in 0..1000 {
        assert!(guest.reading("/local/file").await.is_err());
    }
    // Other tests of this process open some too.
    assert!(open_files() < before + Limits::default().descriptors + 400, "{before} became {}", open_files());
}

#[tokio::test]
async fn mounts_are_counted_and_the_error_says_what_to_do() {
    let folder = Folder::with([("file", "text")]);
    let mut guest = limited(&folder, Limits { mounts: 3, ..Limits::default() }).await;
    guest.mount("/b").await.unwrap();
    guest.mount("/c").await.unwrap();
    let Err(MountError::Other(why)) = guest.mount("/d").await else { panic!("mounted") };
    assert_eq!(why, "3 folders are mounted, and the host allows no more: unmount one first");
    assert_eq!(guest.mount("/c").await.unwrap().path, "/c", "the same again is no other");
    guest.unmount("/b").await.unwrap();
    guest.mount("/d").await.unwrap();
    guest.revoke("/c", "mountfs").await.unwrap();
    guest.mount("/e").await.unwrap();
    assert_eq!(guest.read("/local/file").await.unwrap(), "text");
}

/// The host does not know of directories that exist by virtue of a mount point, so the component counts them.
#[tokio::test]
async fn virtual_directories_are_counted_too() {
    let folder = Folder::with([("file", "text")]);
    let mut guest = limited(&folder, Limits::default()).await;
    guest.mount("/virtual/mount").await.unwrap();
    let root = guest.root().await;
    let open = async || guest.open_at(root, "virtual", OpenFlags::empty(), DescriptorFlags::READ).await;
    let (directories, code) = exhaust(open).await;
    assert!(matches!(code, ErrorCode::InsufficientMemory), "{code:?}");
    assert!(guest.preopens().await.is_empty());
    assert!(matches!(guest.read_directory(root).await, Err(ErrorCode::InsufficientMemory)));
    let file = guest.open_at(root, "local/file", OpenFlags::empty(), DescriptorFlags::READ).await.unwrap();
    assert_eq!(guest.pread(file, 4, 0).await.unwrap().0, b"text");
    for directory in directories {
        guest.drop(directory).await;
    }
    assert_eq!(guest.list("/").await.unwrap(), ["local", "virtual"]);
}

#[tokio::test]
async fn a_path_is_as_long_as_a_system_takes() {
    let folder = Folder::with([("file", "text")]);
    let mut guest = limited(&folder, Limits::default()).await;
    let root = guest.root().await;
    let mounted = guest.directory("/local").await;
    for path in
        ["a/".repeat(1 << 20), "./".repeat(1 << 20), "../".repeat(1 << 20), "x".repeat(4097), "d/../".repeat(1000)]
    {
        for base in [root, mounted] {
            let open = guest.open_at(base, &path, OpenFlags::CREATE, DescriptorFlags::WRITE).await;
            assert!(matches!(open, Err(ErrorCode::NameTooLong)), "{open:?}");
        }
        let Err(MountError::InvalidPath(why)) = guest.mount(&format!("/{path}")).await else { panic!("mounted") };
        assert!(why.contains("at most 4096"), "{why}");
    }
    assert_eq!(folder.names(), ["file"]);
}

/// The table is a tree, and what walks it must not run out of stack.
#[tokio::test]
async fn a_mount_point_is_as_deep_as_a_path_can_be() {
    let folder = Folder::with([("file", "text")]);
    let mut guest = limited(&folder, Limits::default()).await;
    let deep = "/a".repeat(2048);
    guest.mount(&deep).await.unwrap();
    guest.mount("/other").await.unwrap();
    assert_eq!(guest.list("/a/a").await.unwrap(), ["a"]);
    assert_eq!(guest.mounts().await.len(), 3);
    assert!(matches!(guest.read(&format!("{deep}/file")).await, Err(ErrorCode::NameTooLong)), "one part more");
    guest.unmount(&deep).await.unwrap();
    assert_eq!(guest.list("/").await.unwrap(), ["local", "other"]);
}

#[tokio::test]
async fn a_read_gives_no_more_than_the_host_wants_to_hold() {
    let folder = Folder::new();
    let file = std::fs::File::create(folder.path().join("large")).unwrap();
    file.set_len(1 << 40).unwrap();
    let mut guest = limited(&folder, Limits::default()).await;
    let file = guest.reading("/local/large").await.unwrap();
    let (bytes, end) = guest.pread(file, u64::MAX, 0).await.unwrap();
    assert!(bytes.len() <= 1 << 20 && !end, "{}", bytes.len());
    let stream = guest.input(file, 0).await.unwrap();
    assert!(guest.read_stream(&stream, usize::MAX).await.unwrap().len() <= 1 << 20);
}

/// What was given for any mount point can be revoked at any, and which were is remembered.
#[tokio::test]
async fn revokes_at_ever_new_mount_points_end_what_was_given() {
    let folder = Folder::with([("file", "text")]);
    let mut guest = limited(&folder, Limits::default()).await;
    for number in 0..1000 {
        assert!(guest.revoke(&format!("/{number}"), "mountfs").await.unwrap());
    }
    guest.mount("/still").await.unwrap();
    assert!(guest.revoke("/1000", "mountfs").await.unwrap());
    assert!(matches!(guest.mount("/any").await, Err(MountError::Denied)));
    assert_eq!(guest.read("/local/file").await.unwrap(), "text", "what is mounted stays");
}
