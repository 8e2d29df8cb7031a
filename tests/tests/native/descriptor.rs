//! Methods of `descriptor` to the last field and flag; what they mean is in `tests/cases/`.

use mountfs_tests::{
    Advice, DescriptorFlags, DescriptorType, ErrorCode, Fixture, Folder, NewTimestamp, OpenFlags, PathFlags,
};
use std::time::{Duration, SystemTime};
use wasmtime_wasi::p2::StreamError;
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;

#[tokio::test]
async fn streams_read_write_and_append() {
    let folder = Folder::with([("file", "0123456789")]);
    let mut guest = Fixture::mounted(&folder).await;
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let file = guest.open("/local/file", OpenFlags::empty(), flags).await.unwrap();
    let input = guest.input(file, 4).await.unwrap();
    assert_eq!(guest.read_stream(&input, 3).await.unwrap(), "456");
    assert_eq!(guest.read_stream(&input, 9).await.unwrap(), "789");
    assert!(matches!(guest.read_stream(&input, 9).await, Err(StreamError::Closed)));
    let output = guest.output(file, 2).await.unwrap();
    guest.write_stream(&output, "ab").await.unwrap();
    guest.write_stream(&output, "cd").await.unwrap();
    let append = guest.append(file).await.unwrap();
    guest.write_stream(&append, "!").await.unwrap();
    assert_eq!(folder.read("file"), "01abcd6789!");
}

#[tokio::test]
async fn read_and_write_at_an_offset() {
    let folder = Folder::with([("file", "0123456789")]);
    let mut guest = Fixture::mounted(&folder).await;
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let file = guest.open("/local/file", OpenFlags::empty(), flags).await.unwrap();
    assert_eq!(guest.pread(file, 3, 8).await.unwrap(), (b"89".to_vec(), false));
    assert_eq!(guest.pread(file, 3, 10).await.unwrap(), (Vec::new(), true));
    assert_eq!(guest.pwrite(file, b"xy", 12).await.unwrap(), 2);
    assert_eq!(folder.read("file"), "0123456789\0\0xy");
    guest.advise(file, Advice::Sequential).await.unwrap();
    guest.sync_data(file).await.unwrap();
    guest.fsync(file).await.unwrap();
    assert_eq!(guest.kind(file).await.unwrap(), DescriptorType::RegularFile);
    assert_eq!(guest.flags(file).await.unwrap(), flags);
}

#[tokio::test]
async fn times_are_set_and_told() {
    let folder = Folder::with([("file", "")]);
    let mut guest = Fixture::mounted(&folder).await;
    let file = guest.open("/local/file", OpenFlags::empty(), DescriptorFlags::WRITE).await.unwrap();
    let on_disk = || folder.path().join("file").metadata().unwrap().modified().unwrap();
    let time = |seconds| NewTimestamp::Timestamp(Datetime { seconds, nanoseconds: 5 });
    guest.set_times(file, NewTimestamp::NoChange, time(1_000_000)).await.unwrap();
    assert_eq!(on_disk(), SystemTime::UNIX_EPOCH + Duration::new(1_000_000, 5));
    let root = guest.root().await;
    guest.set_times_at(root, "local/file", NewTimestamp::NoChange, time(2_000_000)).await.unwrap();
    assert_eq!(on_disk(), SystemTime::UNIX_EPOCH + Duration::new(2_000_000, 5));
    let told = guest.stat("/local/file").await.unwrap().data_modification_timestamp.unwrap();
    assert_eq!((told.seconds, told.nanoseconds), (2_000_000, 5));
    guest.set_times(file, NewTimestamp::NoChange, NewTimestamp::Now).await.unwrap();
    assert!(on_disk().elapsed().unwrap() < Duration::from_secs(3600));
}

#[tokio::test]
async fn links_are_made_and_read() {
    let folder = Folder::with([("file", "text")]);
    let mut guest = Fixture::mounted(&folder).await;
    guest.symlink("file", "/local/soft").await.unwrap();
    assert_eq!(guest.readlink("/local/soft").await.unwrap(), "file");
    assert_eq!(guest.read("/local/soft").await.unwrap(), "text");
    guest.link(PathFlags::empty(), "/local/file", "/local/hard").await.unwrap();
    assert_eq!(guest.stat("/local/hard").await.unwrap().link_count, 2);
    assert_eq!(guest.hash_at("/local/hard").await.unwrap(), guest.hash_at("/local/file").await.unwrap());
    let (one, other) = (guest.reading("/local/hard").await.unwrap(), guest.reading("/local/file").await.unwrap());
    assert!(guest.same(one, other).await);
    assert_eq!(guest.hash(one).await.unwrap(), guest.hash(other).await.unwrap());
    let root = guest.root().await;
    let soft = guest.stat_at(root, PathFlags::empty(), "local/soft").await.unwrap();
    assert_eq!(soft.type_, DescriptorType::SymbolicLink);
}

#[tokio::test]
async fn directory_calls_on_files_and_file_calls_on_directories() {
    let folder = Folder::with([("file", "text")]);
    let mut guest = Fixture::mounted(&folder).await;
    let (file, root) = (guest.reading("/local/file").await.unwrap(), guest.root().await);
    assert!(matches!(guest.stat_at(file, PathFlags::empty(), "x").await, Err(ErrorCode::NotDirectory)));
    assert!(matches!(guest.read_directory(file).await, Err(ErrorCode::NotDirectory)));
    for directory in [root, guest.directory("/local").await] {
        assert!(matches!(guest.pread(directory, 1, 0).await, Err(ErrorCode::IsDirectory)));
        assert!(matches!(guest.input(directory, 0).await, Err(ErrorCode::IsDirectory)));
    }
    assert!(matches!(guest.readlink("/local/file").await, Err(ErrorCode::Invalid)));
    assert!(matches!(guest.mkdir("/local/file").await, Err(ErrorCode::Exist)));
    assert!(matches!(guest.rmdir("/local/file").await, Err(ErrorCode::NotDirectory)));
}

#[tokio::test]
async fn offsets_and_sizes_out_of_range_are_errors_not_traps() {
    let folder = Folder::with([("file", "text")]);
    let mut guest = Fixture::mounted(&folder).await;
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let file = guest.open("/local/file", OpenFlags::empty(), flags).await.unwrap();
    assert!(guest.pread(file, u64::MAX, u64::MAX).await.is_err());
    assert!(guest.pwrite(file, b"x", u64::MAX).await.is_err());
    assert!(guest.set_size(file, u64::MAX).await.is_err());
    assert_eq!(guest.pread(file, u64::MAX, 0).await.unwrap().0, b"text");
    let wrong = NewTimestamp::Timestamp(Datetime { seconds: u64::MAX, nanoseconds: u32::MAX });
    assert!(guest.set_times(file, wrong, wrong).await.is_err());
    assert_eq!(folder.read("file"), "text");
}

#[tokio::test]
async fn what_the_disk_refuses_is_the_guests_error() {
    // No disk has room for that.
    let folder = Folder::new();
    let mut guest = Fixture::mounted(&folder).await;
    let file = guest.writing("/local/file").await.unwrap();
    let too_large = guest.set_size(file, i64::MAX as u64).await.unwrap_err();
    assert!(matches!(too_large, ErrorCode::FileTooLarge | ErrorCode::InsufficientSpace), "{too_large:?}");
}
