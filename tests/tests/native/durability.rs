//! Synced is on disk: the calls of the operating system, traced, and made to fail. Linux only, for strace.
#![cfg(target_os = "linux")]

use mountfs_tests::{Folder, guest, root};
use std::path::Path;
use std::process::Command;

/// Runs Python in a folder mounted at `/local`, under strace; what it printed, and its fsync calls: path and result.
fn traced(folder: &Folder, inject: Option<&str>, code: &str) -> (String, Vec<(String, String)>) {
    let state = tempfile::tempdir().unwrap();
    let trace = state.path().join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-e", "trace=fsync,fdatasync", "-o"]).arg(&trace);
    if let Some(inject) = inject {
        strace.args(["-e", &format!("inject=fsync:{inject}")]);
    }
    let run = strace
        .arg(root().join("target/debug/mountfs"))
        .env("XDG_CACHE_HOME", root().join("target/cache"))
        .env("XDG_STATE_HOME", state.path())
        .args(["run", "--no-prompt", "--grant", &format!("pyscript={}", folder.path().display())])
        .arg(guest("python"))
        .args(["-c", &format!("from mountfs import fs\nawait fs.mount('/local')\n{code}")])
        .output()
        .expect("strace is missing: `cargo xtask build` installs it");
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{out}{err}");

    // 1234  fsync(7</tmp/x/inside/file>) = 0
    let folder = folder.path().canonicalize().unwrap();
    let name = |path: &str| match Path::new(path).strip_prefix(&folder) {
        Ok(inside) if inside.as_os_str().is_empty() => Some(".".to_owned()),
        Ok(inside) => Some(inside.display().to_string()),
        Err(_) => None,
    };
    let calls = std::fs::read_to_string(trace).unwrap();
    let calls = calls.lines().filter_map(|line| {
        let (_, path) = line.split_once("sync(")?.1.split_once('<')?;
        let (path, result) = path.split_once(">)")?;
        Some((name(path)?, result.trim().trim_start_matches("= ").to_owned()))
    });
    (out.into_owned(), calls.collect())
}

fn paths(calls: &[(String, String)]) -> Vec<&str> {
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
    let (_, calls) = traced(&folder, None, code);
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
    let (_, calls) = traced(&folder, None, code);
    assert!(calls.iter().any(|(path, result)| path == "c" && result == "0"), "{calls:?}");
    assert_eq!(calls.last().unwrap(), &(".".to_owned(), "0".to_owned()), "{calls:?}");
    assert_eq!(folder.names(), ["c"]);
}

#[test]
fn what_was_written_and_never_synced_is_synced_at_the_end() {
    let folder = Folder::new();
    let (_, calls) = traced(&folder, None, "open('/local/file', 'w').write('text')");
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
    let (out, calls) = traced(&folder, Some("error=EIO:when=1"), &format!("{code}\nos.remove('/local/one')"));
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
for attempt in range(20):
    try:
        await fs.sync('/local')
        break
    except RuntimeError as error:
        # strace counts by thread, and a sync may run on a new one.
        open('/local/one', 'w').write('anew')
print(*fs.mounted['/local'].unsynced)";
    let (out, calls) = traced(&folder, Some("error=EIO:when=1"), code);
    assert_eq!(out, "incomplete\n0 0\n");
    assert!(calls.iter().any(|(path, result)| path == "one" && result == "0"), "{calls:?}");
    assert_eq!(folder.read("one"), "anew");
}

#[test]
fn a_descriptor_that_was_open_when_its_file_was_mended_makes_it_dirty_again() {
    let folder = Folder::new();
    let code = "
old = open('/local/one', 'w', buffering=1)
old.write('old\\n')
for attempt in range(20):
    try:
        await fs.sync('/local')
        break
    except RuntimeError as error:
        # strace counts by thread, and a sync may run on a new one.
        open('/local/one', 'w').write('anew')
old.write('more\\n')
print(fs.mounted['/local'].unsynced.files)
import os
os.remove('/local/one')";
    let (out, _) = traced(&folder, Some("error=EIO:when=1"), code);
    assert_eq!(out, "1\n");
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
    let (out, _) = traced(&folder, Some("error=EIO:when=1..4"), code);
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
    let (_, calls) = traced(&folder, None, code);
    assert_eq!(calls[0], ("file".to_owned(), "0".to_owned()));
}
