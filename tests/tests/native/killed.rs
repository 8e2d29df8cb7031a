//! A command that is killed leaves what was synced, whole grants, and nothing that piles up.
#![cfg(target_os = "linux")]

use crate::cli::{Account, WRITES_A_FILE};
use mountfs_host::{Access, FileStore, GrantKey, GrantStore as _, Kept};
use mountfs_tests::faults::{Faults, Plan};
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

/// A preview 1 command that writes `x` to `log` in the first preopen, syncs that, and says `x`, again and again.
const WRITES_SYNCS_SAYS: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_sync" (func $sync (param i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 100) "log")
    (data (i32.const 200) "x")
    (func $check (param i32) (if (local.get 0) (then unreachable)))
    (func (export "_start")
        ;; directory 3, no look-up flags, path, create and truncate, the right to write
        (call $check (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 3) (i32.const 9)
            (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 300)))
        (i32.store (i32.const 0) (i32.const 200))
        (i32.store (i32.const 4) (i32.const 1))
        (loop $again
            (call $check (call $write (i32.load (i32.const 300)) (i32.const 0) (i32.const 1) (i32.const 8)))
            (call $check (call $sync (i32.load (i32.const 300))))
            (call $check (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
            (br $again))))"#;

/// A user whose everything is in one folder.
struct User(Account);

impl User {
    fn new(app: &str) -> Self {
        let account = Account::new();
        account.wasm("app.wasm", app);
        fs::create_dir(account.path("folder")).unwrap();
        fs::write(account.path("folder/untouched"), "x").unwrap();
        Self(account)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path(path)
    }

    fn command(&self) -> Command {
        let mut command = self.0.mountfs();
        command.env("XDG_CACHE_HOME", self.at("cache")).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self) -> Command {
        let mut command = self.command();
        command.args(["run", "--no-prompt", "--mount", "/=folder", "app.wasm"]);
        command
    }

    /// Runs a command, and kills it instead of its nth call that reaches something here; whether it came to that.
    fn kill_at(&self, number: usize, mut command: Command) -> bool {
        let faults = Faults::over(&self.at(""));
        faults.plan(Plan::Hold(number));
        let (started, process) = mpsc::channel();
        thread::scope(|scope| {
            let under = faults.clone();
            scope.spawn(move || {
                under.under(|| {
                    let mut command = command.spawn().unwrap();
                    started.send(command.id()).unwrap();
                    command.wait().unwrap()
                })
            });
            let process = process.recv().unwrap();
            let held = faults.wait_until_held();
            if held {
                assert!(Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap().success());
            }
            held
        })
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_run_that_is_killed_at_any_call_leaves_nothing_that_the_next_one_does_not_clear_away() {
    let user = User::new(WRITES_A_FILE);
    for number in 1.. {
        let _ = fs::remove_dir_all(user.at("cache"));
        let _ = fs::remove_file(user.at("folder/out.txt"));
        let was_killed = user.kill_at(number, user.run());
        assert!(matches!(fs::read_to_string(user.at("folder/out.txt")).as_deref(), Err(_) | Ok("" | "hello")));
        let next = user.run().output().unwrap();
        assert!(next.status.success(), "after {number}: {}", String::from_utf8_lossy(&next.stderr));
        assert!(next.stderr.is_empty(), "after {number}: {}", String::from_utf8_lossy(&next.stderr));
        assert_eq!(fs::read_to_string(user.at("folder/out.txt")).unwrap(), "hello");
        assert_eq!(names(&user.at("folder")), ["out.txt", "untouched"]);
        let cache = names(&user.at("cache/mountfs"));
        assert!(cache.len() == 1 && cache[0].ends_with(".cwasm"), "after {number}: {cache:?}");
        if !was_killed {
            assert!(number > 10, "only {number} calls");
            println!("killed at {} calls", number - 1);
            break;
        }
    }
}

#[test]
fn a_change_of_the_grants_that_is_killed_at_any_call_is_done_or_not() {
    let user = User::new(WRITES_A_FILE);
    let store = FileStore::new(user.0.store());
    let kept = |id: &str| Kept::new("app", GrantKey::new("/local", id), "/home/ada/work", Access::Read);
    let ids = || store.list().unwrap().into_iter().map(|kept| kept.key.id).collect::<Vec<_>>();
    let revoke = || {
        let mut command = user.command();
        command.args(["grants", "revoke", "/local", "--id", "a"]);
        command
    };
    for number in 1.. {
        for id in ["a", "b"] {
            store.put(kept(id)).unwrap();
        }
        let was_killed = user.kill_at(number, revoke());
        let left = ids();
        assert!(left == ["a", "b"] || left == ["b"], "after {number}: {left:?}");
        assert_eq!(revoke().output().unwrap().status.success(), left.len() == 2, "after {number}");
        assert_eq!(ids(), ["b"]);
        // The next change clears away what was left.
        store.put(kept("b")).unwrap();
        assert_eq!(names(&user.at("state/mountfs")), ["grants.json", "grants.lock"], "after {number}");
        if !was_killed {
            assert!(number > 5, "only {number} calls");
            println!("killed at {} calls", number - 1);
            break;
        }
    }
}

/// Killed at random, as often as `KILL_ROUNDS` says.
#[test]
fn what_a_guest_was_told_is_synced_is_on_disk_when_it_is_killed() {
    let rounds = std::env::var("KILL_ROUNDS").map_or(20, |rounds| rounds.parse().expect("KILL_ROUNDS is a number"));
    let user = User::new(WRITES_SYNCS_SAYS);
    let mut all = 0;
    for round in 0..rounds {
        let _ = fs::remove_file(user.at("folder/log"));
        let mut guest = user.run().spawn().unwrap();
        let mut said = guest.stdout.take().unwrap();
        // The standard library's way to random numbers.
        let until = RandomState::new().hash_one(round) % 100;
        let mut heard = Vec::new();
        said.by_ref().take(until).read_to_end(&mut heard).unwrap();
        guest.kill().unwrap();
        guest.wait().unwrap();
        said.read_to_end(&mut heard).unwrap();
        let log = fs::read_to_string(user.at("folder/log")).unwrap_or_default();
        // It may have written one more, and not have said so.
        let may_be = [heard.len(), heard.len() + 1];
        assert!(may_be.contains(&log.len()) && log.bytes().all(|byte| byte == b'x'), "{log:?} after {heard:?}");
        let names = names(&user.at("folder"));
        assert!(names == ["log", "untouched"] || (names == ["untouched"] && heard.is_empty()), "{names:?}");
        all += heard.len();
    }
    println!("{rounds} rounds, {all} syncs");
}
