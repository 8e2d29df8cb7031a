//! Every error code of `wasi:filesystem`: met here through the component, or a reason why this host cannot give it.

use mountfs_host::{Access, MountOptions};
use mountfs_tests::{DescriptorFlags, ErrorCode, Fixture, Folder, OpenFlags, PathFlags};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::process::Command;

/// Why a code does not come up, or `None` for those that have to.
fn excused(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::BadDescriptor
        | ErrorCode::Busy
        | ErrorCode::CrossDevice
        | ErrorCode::Exist
        | ErrorCode::FileTooLarge
        | ErrorCode::IllegalByteSequence
        | ErrorCode::Invalid
        | ErrorCode::InvalidSeek
        | ErrorCode::IsDirectory
        | ErrorCode::Loop
        | ErrorCode::NameTooLong
        | ErrorCode::NoDevice
        | ErrorCode::NoEntry
        | ErrorCode::NotDirectory
        | ErrorCode::NotEmpty
        | ErrorCode::NotPermitted
        | ErrorCode::ReadOnly
        | ErrorCode::Unsupported => None,
        ErrorCode::Access => Some("the suites may run as root, whom no mode keeps out"),
        ErrorCode::InsufficientSpace | ErrorCode::Quota => Some("needs a disk that is full"),
        ErrorCode::Io => Some("needs a disk that fails: `faults` has one"),
        ErrorCode::NoSuchDevice => Some("needs a device that is gone"),
        ErrorCode::InsufficientMemory => Some("needs a guest that is out of bounds: `limits` has some"),
        ErrorCode::Interrupted => Some("needs a system in trouble"),
        ErrorCode::TooManyLinks => Some("needs 65,000 links"),
        ErrorCode::TextFileBusy => Some("wasmtime-wasi has no word for it and answers io"),
        ErrorCode::Overflow => Some("file systems of 64-bit systems have no such sizes"),
        ErrorCode::Pipe | ErrorCode::NoTty | ErrorCode::MessageSize => Some("is of streams, terminals and messages"),
        ErrorCode::Deadlock | ErrorCode::NoLock | ErrorCode::NotRecoverable => {
            Some("is of locks, which WASI 0.2 has not")
        }
        ErrorCode::WouldBlock | ErrorCode::Already | ErrorCode::InProgress => Some("is of calls that do not wait"),
    }
}

#[tokio::test]
async fn every_code_is_met_or_has_a_reason() {
    let folder = Folder::with([("file", "text"), ("d/in", "")]);
    symlink("loop", folder.path().join("loop")).unwrap();
    symlink("../secret", folder.path().join("out")).unwrap();
    symlink(std::ffi::OsStr::from_bytes(b"n\xff"), folder.path().join("strange")).unwrap();
    let made = Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap();
    assert!(made.success());

    let mut guest = Fixture::granted(&folder, Access::ReadWrite).await;
    guest.mount("/local").await.unwrap();
    guest.mount("/other").await.unwrap();
    let read_only = MountOptions { access: Some(mountfs_host::GuestAccess::Read), ..MountOptions::default() };
    guest.mount_with("/read", read_only).await.unwrap();
    let (none, read, write) = (OpenFlags::empty(), DescriptorFlags::READ, DescriptorFlags::WRITE);

    let reading = guest.reading("/local/file").await.unwrap();
    let writing = guest.open("/local/file", none, write).await.unwrap();
    let pipe = guest.open("/local/pipe", none, read | write).await.unwrap();
    let long = format!("/local/{}", "x".repeat(300));
    let mut met = vec![
        guest.pwrite(reading, b"x", 0).await.unwrap_err(),
        guest.rmdir("/local").await.unwrap_err(),
        guest.rename("/local/file", "/other/file2").await.unwrap_err(),
        guest.mkdir("/local/d").await.unwrap_err(),
        guest.set_size(writing, i64::MAX as u64).await.unwrap_err(),
        guest.readlink("/local/strange").await.unwrap_err(),
        guest.readlink("/local/file").await.unwrap_err(),
        guest.pwrite(pipe, b"x", 0).await.unwrap_err(),
        guest.open("/local/d", none, write).await.unwrap_err(),
        guest.stat("/local/loop").await.unwrap_err(),
        guest.stat(&long).await.unwrap_err(),
        guest.stat("/local/missing").await.unwrap_err(),
        guest.stat("/local/file/below").await.unwrap_err(),
        guest.rmdir("/local/d").await.unwrap_err(),
        guest.stat("/local/out").await.unwrap_err(),
        guest.write("/read/file", "x").await.unwrap_err(),
        guest.open("/local/file", none, write | DescriptorFlags::FILE_INTEGRITY_SYNC).await.unwrap_err(),
        guest.link(PathFlags::SYMLINK_FOLLOW, "/local/file", "/local/hard").await.unwrap_err(),
    ];
    // A pipe has nothing to make durable, and that keeps nobody from unmounting.
    assert_eq!(guest.fsync(pipe).await.unwrap_err(), ErrorCode::Invalid);
    guest.unmount("/local").await.unwrap();
    met.push(guest.pread(reading, 1, 0).await.unwrap_err());

    for code in ALL {
        match (met.contains(&code), excused(code)) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(reason)) => panic!("{code:?} came up after all, and needs no reason ({reason})"),
            (false, None) => panic!("{code:?} did not come up: {met:?}"),
        }
    }
    assert_eq!(folder.read("file"), "text");
}

/// In the order of the WIT.
const ALL: [ErrorCode; 37] = [
    ErrorCode::Access,
    ErrorCode::WouldBlock,
    ErrorCode::Already,
    ErrorCode::BadDescriptor,
    ErrorCode::Busy,
    ErrorCode::Deadlock,
    ErrorCode::Quota,
    ErrorCode::Exist,
    ErrorCode::FileTooLarge,
    ErrorCode::IllegalByteSequence,
    ErrorCode::InProgress,
    ErrorCode::Interrupted,
    ErrorCode::Invalid,
    ErrorCode::Io,
    ErrorCode::IsDirectory,
    ErrorCode::Loop,
    ErrorCode::TooManyLinks,
    ErrorCode::MessageSize,
    ErrorCode::NameTooLong,
    ErrorCode::NoDevice,
    ErrorCode::NoEntry,
    ErrorCode::NoLock,
    ErrorCode::InsufficientMemory,
    ErrorCode::InsufficientSpace,
    ErrorCode::NotDirectory,
    ErrorCode::NotEmpty,
    ErrorCode::NotRecoverable,
    ErrorCode::Unsupported,
    ErrorCode::NoTty,
    ErrorCode::NoSuchDevice,
    ErrorCode::Overflow,
    ErrorCode::NotPermitted,
    ErrorCode::Pipe,
    ErrorCode::ReadOnly,
    ErrorCode::InvalidSeek,
    ErrorCode::TextFileBusy,
    ErrorCode::CrossDevice,
];
