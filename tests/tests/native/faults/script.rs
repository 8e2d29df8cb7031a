//! A guest at mixed work.

use super::{each_call, errors};
use mountfs_host::{Failure, MountError};
use mountfs_tests::case::{End, Step};
use mountfs_tests::faults::{Faults, Plan};
use mountfs_tests::steps::Guest;
use mountfs_tests::{Folder, block_on};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

type Tree = BTreeMap<String, String>;
type Done = Result<Vec<String>, String>;

/// What a guest does: each line is one call of `wasi:filesystem` or of `mounts` that changes something, or some that only
/// look.
const SCRIPT: &str = r#"
mount /local
list /local                 = d/ empty/ gone old over read trunc
read /local/read            = read
open new /local/new write create
write @new 0 hello
close new
open old /local/old read write
write @old 2 XYZ
resize @old 4
fsync @old
append @old tail
read @old 0 100             = olXYtail
stream in @old reading
pull in 4                   = olXY
stream out @old writing
push out OVER
sync /local
open trunc /local/trunc write truncate
write @trunc 0 fresh
close trunc
open made /local/d/made write create exclusive
write @made 0 made
close made
mkdir /local/sub
rename /local/d/made /local/sub/moved
rename /local/new /local/over
rename /local/sub /local/renamed
link /local/old /local/d/linked
symlink old /local/link
readlink /local/link        = old
unlink /local/gone
rmdir /local/empty
touch /local/old 1000000000
mtime /local/old            = 1000000000
stat /local/renamed/moved   = file 4
list /local                 = d/ link@ old over read renamed/ trunc
sync /local
write @old 0 late
unmount /local
"#;

/// What is there when the guest starts.
fn fill(folder: &Folder) {
    fs::remove_dir_all(folder.path()).unwrap();
    fs::create_dir_all(folder.path().join("empty")).unwrap();
    for (path, text) in [("read", "read"), ("old", "old content"), ("over", "overwritten"), ("trunc", "cut")] {
        folder.write(path, text);
    }
    folder.write("gone", "x");
    folder.write("d/beside", "untouched");
}

/// A line of the script, what it answers without a fault, and what is on disk then.
struct Expected {
    step: Step,
    answer: Vec<String>,
    tree: Tree,
}

async fn step(guest: &mut Guest, step: &Step) -> Done {
    let words: Vec<_> = step.words.iter().map(String::as_str).collect();
    guest.step(&step.verb, &words).await.unwrap()
}

/// The script without a fault.
async fn expected() -> Vec<Expected> {
    let folder = Folder::new();
    fill(&folder);
    let mut guest = Guest::new().await.unwrap();
    guest.user_chooses(Some(folder.path()));
    let mut all = Vec::new();
    for line in SCRIPT.lines().filter(|line| !line.is_empty()) {
        let line = Step::parse(line).unwrap();
        let answer = step(&mut guest, &line).await.unwrap_or_else(|error| panic!("{}: {error}", line.line));
        if let End::Answers(wanted) = &line.end {
            assert_eq!(&answer, wanted, "{}", line.line);
        }
        all.push(Expected { step: line, answer, tree: folder.tree() });
    }
    all
}

/// A guest at its script, and a fault on its way.
struct Run<'a> {
    script: &'a [Expected],
    folder: &'a Arc<Folder>,
    faults: &'a Faults,
    guest: Guest,
    /// What the fault is called in `wasi:filesystem`.
    error: &'static str,
}

impl Run<'_> {
    async fn script(&mut self) {
        let (mut before, mut owed) = (self.tree(), Vec::new());
        for (number, Expected { step: line, answer, tree: after }) in self.script.iter().enumerate() {
            let done = step(&mut self.guest, line).await;
            let tree = self.tree();
            let Err(error) = done else {
                self.succeeded(line, &done.unwrap(), answer);
                assert_eq!(&tree, after, "after {}", line.line);
                (before, owed) = (tree, self.undurable());
                continue;
            };
            assert!(self.was_hit(), "{} fails for no reason: {error}", line.line);
            assert!(tree == before || &tree == after, "{} failed and left {tree:?}", line.line);
            if !is_sync(line) && line.verb != "mount" {
                assert_eq!(error, self.error, "{}", line.line);
            }
            // While it lasts, nothing gets through, and nobody says that it did.
            if self.faults.fails_on() {
                let done = step(&mut self.guest, line).await;
                assert!(done.is_err(), "{} passed: {done:?}", line.line);
                assert_eq!(self.tree(), tree, "{} failed again", line.line);
                if let Ok(report) = self.guest.sync("/local").await.unwrap() {
                    assert_eq!((report.files, &owed), (0, &vec![]), "after {}", line.line);
                }
                assert_eq!(self.tree(), tree, "a sync after {}", line.line);
            }
            self.faults.lift();
            self.again(number, &tree).await;
            (before, owed) = (self.tree(), self.undurable());
            assert_eq!(&before, after, "after {}, done again", line.line);
        }
    }

    /// What failed is done again, as a program would.
    async fn again(&mut self, number: usize, tree: &Tree) {
        let Expected { step: line, answer, tree: after } = &self.script[number];
        if is_sync(line) {
            return self.sync_again(line, after).await;
        }
        // A stream ends with its first error.
        if let Some(Expected { step: before, .. }) = number.checked_sub(1).map(|before| &self.script[before])
            && before.verb == "stream"
        {
            step(&mut self.guest, before).await.unwrap();
        }
        match step(&mut self.guest, line).await {
            Ok(done) => self.succeeded(line, &done, answer),
            // It was done, and the answer went wrong.
            Err(error) => {
                assert!(matches!(&*error, "exist" | "no-entry") && tree == after, "{}, again: {error}", line.line);
                if line.verb == "open" {
                    let line = Step::parse(&line.line.replace(" exclusive", "")).unwrap();
                    step(&mut self.guest, &line).await.unwrap();
                }
            }
        }
    }

    /// A file whose fsync failed has to be written anew, since the system says only once that it dropped what was written.
    async fn sync_again(&mut self, line: &Step, tree: &Tree) {
        if let Err(error) = self.guest.sync("/local").await.unwrap() {
            let MountError::Incomplete(report) = error else { panic!("{}, again: {error:?}", line.line) };
            for Failure { path, reason } in report.failures {
                assert!(reason.ends_with("write the file anew"), "{}, again: {path}: {reason}", line.line);
                self.guest.step("write", &[&format!("/local/{path}"), &tree[&path]]).await.unwrap().unwrap();
            }
        }
        let done = step(&mut self.guest, line).await.unwrap_or_else(|error| panic!("{}, again: {error}", line.line));
        self.succeeded(line, &done, &[]);
    }

    fn succeeded(&self, line: &Step, done: &[String], expected: &[String]) {
        if is_sync(line) {
            assert_eq!(self.undurable(), Vec::<PathBuf>::new(), "{} says it is durable", line.line);
        } else {
            assert_eq!(done, expected, "{}", line.line);
        }
    }

    fn was_hit(&self) -> bool {
        self.faults.was_hit()
    }

    fn tree(&self) -> Tree {
        let folder = self.folder.clone();
        self.faults.aside(move || folder.tree())
    }

    fn undurable(&self) -> Vec<PathBuf> {
        let faults = self.faults.clone();
        self.faults.aside(move || faults.undurable().unwrap())
    }
}

fn is_sync(line: &Step) -> bool {
    matches!(&*line.verb, "sync" | "unmount")
}

/// The script, with the fault at each call in turn.
fn script_with(plan: impl Fn(usize) -> Plan, error: &'static str) {
    let script = block_on(expected());
    let folder = Arc::new(Folder::new());
    let calls = each_call(&folder.path(), plan, |faults| {
        fill(&folder);
        let run = async || {
            let guest = Guest::new().await.unwrap();
            guest.user_chooses(Some(folder.path()));
            Run { script: &script, folder: &folder, faults, guest, error }.script().await;
        };
        faults.under(|| block_on(run()));
    });
    assert!(calls > script.len(), "only {calls} calls");
    println!("{calls} calls, each {error}");
}

#[test]
fn each_call_fails_once() {
    for (errno, error) in errors() {
        script_with(|number| Plan::One(number, errno), error);
    }
}

/// A call that was interrupted is made again, by the host or by the guest.
#[test]
fn each_call_is_interrupted_once() {
    script_with(|number| Plan::One(number, libc::EINTR), "interrupted");
}

/// As when the permission is withdrawn, or the disk is full, or gone.
#[test]
fn each_call_fails_and_all_after_it_until_it_is_put_right() {
    for (errno, error) in errors() {
        script_with(|number| Plan::From(number, errno), error);
    }
}
