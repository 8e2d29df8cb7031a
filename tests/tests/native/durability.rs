//! Synced is on disk: the calls of the operating system, traced, and made to fail. Linux only, for seccomp.
#![cfg(target_os = "linux")]

use mountfs_tests::faults::{Faults, Plan};
use mountfs_tests::{Folder, guest, root};
use std::process::Command;

/// Runs Python in a folder mounted at `/local`, where the first so many fsync calls fail; what it printed, and all its
/// fsync calls: the path, and whether it succeeded.
fn traced(folder: &Folder, failing: usize, code: &str) -> (String, Vec<(String, bool)>) {
    let state = tempfile::tempdir().unwrap();
    let mut command = Command::new(root().join("target/debug/mountfs"));
    command
        .env("XDG_CACHE_HOME", root().join("target/cache"))
        .env("XDG_STATE_HOME", state.path())
        .args(["run", "--no-prompt", "--grant", &format!("pyscript={}", folder.path().display())])
        .arg(guest("python"))
        .args(["-c", &format!("from mountfs import fs\nawait fs.mount('/local')\n{code}")]);
    let faults = Faults::over(&folder.path());
    faults.plan(Plan::Fsyncs(failing, libc::EIO));
    let run = faults.under(|| command.output()).unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{out}{err}");

    let calls = faults.calls().into_iter().filter(|call| matches!(call.name, "fsync" | "fdatasync"));
    let name = |path: &str| if path.is_empty() { ".".to_owned() } else { path.to_owned() };
    (out.into_owned(), calls.map(|call| (name(&call.path.to_string_lossy()), !call.failed)).collect())
}

fn paths(calls: &[(String, bool)]) -> Vec<&str> {
    calls.iter().map(|(path, _)| path.as_str()).collect()
}

#[test]
fn sync_makes_each_file_written_and_each_directory_changed_durable_files_first() {
    let folder = Folder::with([("untouched", "x"), ("d/old", "y"), ("e/gone", "z")]);
    let code = "
import os
open('/local/d/new', 'w').write('new')
open('/local/d/old', 'a').write('more')
os.remove('/local/e/gone')
open('/local/untouched').read()
await fs.sync('/local')
print('synced')
await fs.sync('/local')";
    let (_, calls) = traced(&folder, 0, code);
    let mut synced = paths(&calls);
    assert_eq!(synced.len(), 4, "{calls:?}");
    let directories = synced.split_off(2);
    synced.sort();
    assert_eq!(synced, ["d/new", "d/old"], "{calls:?}");
    let mut directories = directories;
    directories.sort();
    assert_eq!(directories, ["d", "e"], "{calls:?}");
}

#[test]
fn a_file_renamed_or_removed_after_it_was_written_is_synced_under_its_new_name_or_not_at_all() {
    let folder = Folder::new();
    let code = "
import os
open('/local/a', 'w').write('a')
open('/local/b', 'w').write('b')
os.rename('/local/a', '/local/c')
os.remove('/local/b')
await fs.sync('/local')";
    let (_, calls) = traced(&folder, 0, code);
    assert!(calls.contains(&("c".to_owned(), true)), "{calls:?}");
    assert_eq!(calls.last().unwrap(), &(".".to_owned(), true), "{calls:?}");
    assert_eq!(folder.names(), ["c"]);
}

#[test]
fn what_was_written_and_never_synced_is_synced_at_the_end() {
    let folder = Folder::new();
    let (_, calls) = traced(&folder, 0, "open('/local/file', 'w').write('text')");
    assert_eq!(paths(&calls), ["file", "."]);
}

#[test]
fn a_failing_fsync_is_reported_and_its_file_stays_dirty() {
    let folder = Folder::new();
    let code = "
import os
open('/local/one', 'w').write('one')
open('/local/two', 'w').write('two')
for attempt in range(2):
    try:
        print(await fs.sync('/local'))
    except RuntimeError as error:
        print(error.code, [failure.path for failure in error.report.failures], error.report.files)
        print(error.report.failures[0].reason, *fs.mounted['/local'].unsynced)";
    // The system says once that a write-back failed: that a second fsync succeeds says nothing about what was lost.
    let (out, calls) = traced(&folder, 1, &format!("{code}\nos.remove('/local/one')"));
    let again = "write the file anew";
    let expected = [
        "incomplete ['one'] 1",
        "Input/output error (os error 5) 1 3",
        "incomplete ['one'] 0",
        &format!("Input/output error (os error 5); what was written may be lost: {again} 1 3"),
    ];
    assert_eq!(out.lines().collect::<Vec<_>>(), expected);
    assert_eq!(paths(&calls[..3]), ["one", "two", "."]);
}

#[test]
fn a_file_that_failed_is_mended_by_writing_it_anew() {
    let folder = Folder::new();
    let code = "
open('/local/one', 'w').write('one')
try:
    await fs.sync('/local')
except RuntimeError as error:
    print(error.code)
open('/local/one', 'w').write('anew')
await fs.sync('/local')
print(*fs.mounted['/local'].unsynced)";
    let (out, calls) = traced(&folder, 1, code);
    assert_eq!(out, "incomplete\n0 0\n");
    assert!(calls.contains(&("one".to_owned(), true)), "{calls:?}");
    assert_eq!(folder.read("one"), "anew");
}

#[test]
fn a_descriptor_that_was_open_when_its_file_was_mended_makes_it_dirty_again() {
    let folder = Folder::new();
    let code = "
old = open('/local/one', 'w', buffering=1)
old.write('old\\n')
try:
    await fs.sync('/local')
except RuntimeError as error:
    print(error.code)
open('/local/one', 'w').write('anew')
await fs.sync('/local')
old.write('more\\n')
print(fs.mounted['/local'].unsynced.files)
import os
os.remove('/local/one')";
    let (out, _) = traced(&folder, 1, code);
    assert_eq!(out, "incomplete\n1\n");
}

#[test]
fn an_incomplete_unmount_stays_mounted_and_an_incomplete_revoke_cuts_off_all_the_same() {
    let folder = Folder::new();
    let code = "
import os
open('/local/file', 'w').write('text')
for call in (fs.unmount('/local'), fs.revoke('/local')):
    try:
        await call
    except RuntimeError as error:
        print(error.code, error.report.failures[0].path, '/local' in fs.mounted, os.path.exists('/local'))";
    // The file, then the directory, of each of the two.
    let (out, _) = traced(&folder, 4, code);
    assert_eq!(out, "incomplete file True True\nincomplete file False False\n");
    assert_eq!(folder.read("file"), "text");
}

#[test]
fn fsync_of_a_file_makes_it_durable_at_once() {
    let folder = Folder::new();
    let code = "
import os
file = open('/local/file', 'w')
file.write('text')
file.flush()
os.fsync(file.fileno())
print('fsynced')
file.close()
await fs.sync('/local')";
    let (_, calls) = traced(&folder, 0, code);
    assert_eq!(calls[0], ("file".to_owned(), true));
}
