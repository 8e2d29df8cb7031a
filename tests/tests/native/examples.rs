//! The examples that need no browser, as their pages say to run them. (`examples/embed` is run by `cargo xtask test packages`.)

use crate::cli::{Account, failed, succeeded};
use mountfs_tests::root;
use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

#[test]
fn the_sandbox_contains_what_one_fears() {
    // Whatever else may be in PATH.
    let output = sandbox(&["--mountfs", root().join("target/debug/mountfs").to_str().unwrap()]);
    let said = succeeded(&output);
    assert!(said.contains("changed report.md"), "{said}");
    assert!(said.trim_end().ends_with("All was contained."), "{said}");
}

fn sandbox(arguments: &[&str]) -> Output {
    let driver = root().join("examples/sandbox/driver.py");
    Command::new("python3").arg(driver).args(arguments).output().unwrap()
}

#[test]
fn what_the_sandbox_lacks_is_one_line() {
    let mountfs = root().join("target/debug/mountfs");
    let mountfs = mountfs.to_str().unwrap();
    for (arguments, words) in [
        (&["--mountfs", "nowhere/mountfs"][..], "there is no command nowhere/mountfs"),
        (&["--mountfs", mountfs, "--python", "nowhere.wasm"], "there is no file nowhere.wasm"),
    ] {
        let said = failed(&sandbox(arguments), 1, &[words]);
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let driver = root().join("examples/sandbox/driver.py");
    failed(
        &sandbox(&["--mountfs", mountfs, "--python", driver.to_str().unwrap()]),
        1,
        &["is no app", "does not start"],
    );
}

#[test]
fn ruby_tidies_a_folder_and_undoes_it() {
    let account = Account::new();
    let folder = account.path("project");
    fs::create_dir(&folder).unwrap();
    fs::copy(root().join("examples/ruby/tidy.rb"), folder.join("tidy.rb")).unwrap();
    fs::write(folder.join("notes.txt"), "notes").unwrap();
    // The fourth of March 2025, at noon: the same month in every time zone.
    let march = SystemTime::UNIX_EPOCH + Duration::from_secs(1_741_089_600);
    fs::File::options().write(true).open(folder.join("notes.txt")).unwrap().set_modified(march).unwrap();
    let tidy = |option: &[&str]| {
        let mut command = account.mountfs();
        command.args(["run", "--mount", "/project=."]).arg(root().join("target/guests/ruby.wasm"));
        succeeded(&command.arg("/project/tidy.rb").args(option).current_dir(&folder).output().unwrap())
    };
    assert_eq!(tidy(&[]), "notes.txt -> 2025-03/notes.txt\n");
    assert_eq!(fs::read_to_string(folder.join("2025-03/notes.txt")).unwrap(), "notes");
    assert_eq!(tidy(&[]), "Everything is tidy.\n");
    assert_eq!(tidy(&["--undo"]), "2025-03/notes.txt -> notes.txt\n");
    assert_eq!(fs::read_to_string(folder.join("notes.txt")).unwrap(), "notes");
    assert!(!folder.join("2025-03").exists() && !folder.join("tidied.csv").exists());
}
