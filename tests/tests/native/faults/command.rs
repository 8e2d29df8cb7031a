//! The command.

use super::each_call;
use crate::cli::{Account, WRITES_A_FILE, named};
use mountfs_tests::Folder;
use mountfs_tests::faults::Plan;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

impl Account {
    /// The command, with an app that writes `out.txt` in this folder.
    pub(super) fn writes_in(&self, folder: &Folder) -> Command {
        let mut command = self.mountfs();
        command.args(["run", "--no-prompt", "--mount", &named("/", folder)]).arg(self.wasm("app.wasm", WRITES_A_FILE));
        command
    }
}

#[test]
fn a_command_that_succeeds_has_made_everything_durable_and_one_that_did_not_says_so() {
    let (folder, account) = (Folder::with([("untouched", "x")]), Account::new());
    let command = || account.writes_in(&folder);
    assert!(command().status().unwrap().success());
    let plans: [fn(usize) -> Plan; 2] =
        [|number| Plan::One(number, libc::EIO), |number| Plan::From(number, libc::EACCES)];
    for plan in plans {
        let calls = each_call(&folder.path(), plan, |faults| {
            fs::remove_file(folder.path().join("out.txt")).unwrap();
            let run = faults.under(|| command().output().unwrap());
            let words = String::from_utf8_lossy(&run.stderr);
            if run.status.success() {
                assert_eq!(folder.read("out.txt"), "hello");
                assert_eq!(faults.undurable().unwrap(), Vec::<PathBuf>::new());
            } else {
                assert!(!words.is_empty() || run.status.code() == Some(1), "{}: {words}", run.status);
            }
            assert!(!words.contains("panicked"), "{words}");
            assert!(command().status().unwrap().success(), "again");
            assert_eq!(folder.names(), ["out.txt", "untouched"]);
            assert_eq!((folder.read("out.txt"), folder.read("untouched")), ("hello".into(), "x".into()));
        });
        assert!(calls >= 5, "only {calls} calls");
        println!("{calls} calls of the command");
    }
}
