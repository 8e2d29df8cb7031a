//! What users mistype, and what they are told to type instead.

use crate::cli::{Account, WRITES_A_FILE, failed, succeeded, text};
use mountfs_host::{Access, FileStore, GrantKey, GrantStore as _, Kept};
use std::fs;
use std::process::Output;

fn mountfs(account: &Account, arguments: &[&str]) -> Output {
    account.mountfs().args(arguments).output().unwrap()
}

/// An account with an app, a folder and a file.
fn account() -> Account {
    let account = Account::new();
    account.wasm("app.wasm", WRITES_A_FILE);
    fs::create_dir(account.path("notes")).unwrap();
    fs::write(account.path("notes/file"), "").unwrap();
    account
}

#[test]
fn a_verb_that_is_not_there() {
    let account = account();
    failed(&mountfs(&account, &["rnu", "app.wasm"]), 2, &["rnu", "'run'"]);
    failed(&mountfs(&account, &["doctr"]), 2, &["'doctor'"]);
    failed(&mountfs(&account, &["grants", "lst"]), 2, &["'list'"]);
    failed(&mountfs(&account, &["build", "app.wasm", "-o", "app"]), 2, &["npx mountfs build"]);
    failed(&mountfs(&account, &["app.wasm"]), 2, &["to run an app: mountfs run app.wasm"]);
    assert!(!failed(&mountfs(&account, &["xyzzy"]), 2, &["xyzzy"]).contains("tip"));
}

#[test]
fn an_app_that_is_not_there() {
    let account = account();
    for name in ["app", "ap.wasm", "aap.wasm", "apq"] {
        failed(&mountfs(&account, &["run", name]), 125, &["cannot read the app", "did you mean app.wasm?"]);
    }
    failed(&mountfs(&account, &["compose", "app", "-o", "x.wasm"]), 1, &["did you mean app.wasm?"]);
    failed(&mountfs(&account, &["run", "./app"]), 125, &["did you mean ./app.wasm?"]);
    failed(&mountfs(&account, &["run", "nowhere/app.wasm"]), 125, &["there is no folder nowhere"]);
    failed(&mountfs(&account, &["run", "notes"]), 125, &["name the .wasm file in it"]);
    assert!(!failed(&mountfs(&account, &["run", "python.wasm"]), 125, &["No such file"]).contains("did you mean"));
}

#[test]
fn a_file_that_is_no_app() {
    let account = account();
    let files: [(&str, &[u8], &str); 11] = [
        ("script.py", b"print(1)", "mountfs run --mount /project=. python.wasm /project/script.py"),
        ("notes/script.rb", b"puts 1", "mountfs run --mount /project=notes ruby.wasm /project/script.rb"),
        ("tool", b"#!/usr/bin/env python3\n", "it is a script: give an interpreter first"),
        ("app.wat", b" ;; text\n(module)", "wasm-tools parse app.wat -o app.wasm"),
        ("text.wasm", b"(component)", "it is WebAssembly text"),
        ("app.wasm.gz", b"\x1f\x8b\x08\x00", "gunzip"),
        ("app.zip", b"PK\x03\x04", "it is a zip archive"),
        ("app.wasm.zst", b"\x28\xb5\x2f\xfd", "unzstd"),
        ("app.cwasm", b"\x7fELF", "it is machine code"),
        ("page.wasm", b"<!DOCTYPE html>", "it is a web page"),
        ("empty.wasm", b"", "it is empty"),
    ];
    for (name, bytes, words) in files {
        fs::write(account.path(name), bytes).unwrap();
        failed(&mountfs(&account, &["run", name]), 125, &[name, "is no app", words]);
        failed(&mountfs(&account, &["compose", name, "-o", "x.wasm"]), 1, &[name, words]);
    }
    let modules = [
        ("(module (memory (export \"memory\") 1))", "it exports no `_start`"),
        ("(module (import \"env\" \"f\" (func)) (memory (export \"memory\") 1) (func (export \"_start\")))", "\"env\""),
    ];
    for (module, words) in modules {
        account.wasm("module.wasm", module);
        failed(&mountfs(&account, &["run", "module.wasm"]), 125, &["module.wasm", words, "wasm32-wasip1"]);
        failed(&mountfs(&account, &["compose", "module.wasm", "-o", "x.wasm"]), 1, &[words]);
    }
    assert!(!account.path("x.wasm").exists());
}

#[test]
fn a_folder_that_is_not_there_or_none() {
    let account = account();
    let run = |flag: &str, value: &str| mountfs(&account, &["run", flag, value, "app.wasm"]);
    for (flag, name) in [("--mount", "/x"), ("--grant", "x")] {
        let value = |folder: &str| format!("{name}={folder}");
        failed(&run(flag, &value("note")), 125, &["cannot open the folder note", "did you mean notes?"]);
        failed(&run(flag, &value("notes/file")), 125, &["it is a file: give the folder it is in, notes"]);
        failed(&run(flag, &value("elsewhere")), 125, &["make it first"]);
    }
    failed(&run("--dir", "note::/x"), 125, &["cannot preopen the folder note", "did you mean notes?"]);
    failed(&run("--dir", "notes/file::/x"), 125, &["it is a file"]);
}

#[test]
fn the_two_sides_of_a_folder_the_wrong_way_round() {
    let account = account();
    let run = |flag: &str, value: &str| mountfs(&account, &["run", flag, value, "app.wasm"]);
    failed(&run("--mount", "notes=/guest"), 125, &["the guest's name comes first: did you mean /guest=notes?"]);
    failed(&run("--mount", "~/notes=/guest"), 125, &["did you mean /guest=~/notes?"]);
    failed(&run("--dir", "/guest::notes"), 125, &["the folder comes first: did you mean notes::/guest?"]);
    failed(&run("--dir", "/guest=notes"), 125, &["did you mean --dir notes::/guest, or --mount /guest=notes?"]);
    failed(&run("--mount", "notes::/guest"), 2, &["did you mean /guest=notes?"]);
    failed(&run("--mount", "/guest"), 2, &["no `=`", "/guest=FOLDER", "GUEST=HOST"]);
    for short in ["notes", "./notes", "/notes", "notes:/notes"] {
        failed(&run("--mount", short), 2, &["no `=`: did you mean /notes=", "notes?"]);
    }
    failed(&run("--mount", "notes:/guest:ro"), 2, &["did you mean /guest=notes:ro?"]);
    failed(&run("--grant", "notes"), 2, &["did you mean pyscript=notes?"]);
    failed(&run("--mount", "guest=notes:ro"), 125, &["not absolute: did you mean /guest=notes:ro?"]);
    failed(&run("--mount", "notes=/guest:ro"), 125, &["did you mean /guest=notes:ro?"]);
    failed(&run("--mount", "/guest=notes:r"), 125, &["neither `:ro` nor `:rw`: did you mean /guest=notes:ro?"]);
    let root = failed(&run("--mount", "/=/nowhere"), 125, &["cannot open the folder /nowhere"]);
    assert!(!root.contains("comes first"), "nobody is told to mount the root of the host: {root}");
    assert_eq!(fs::read_dir(account.path("notes")).unwrap().count(), 1);
    // What can only mean one thing is done.
    succeeded(&mountfs(&account, &["run", "--mount", "//=notes:rw", "app.wasm"]));
    let python = mountfs_tests::guest("python");
    let list = ["run", "--mount", "/guest/=notes", python.to_str().unwrap(), "-c", "import os; print(os.listdir('/'))"];
    assert_eq!(succeeded(&mountfs(&account, &list)), "['guest']\n");
}

#[test]
fn an_id_with_other_characters() {
    let account = account();
    let grant = mountfs(&account, &["run", "--grant", "my notes!=notes", "app.wasm"]);
    failed(&grant, 2, &["an id has 1 to 32 characters", "my-notes- would be one"]);
    succeeded(&mountfs(&account, &["run", "--grant", "my-notes-=notes", "--mount", "/=notes", "app.wasm"]));
}

#[test]
fn a_script_that_the_app_cannot_see() {
    let account = account();
    fs::write(account.path("script.py"), "print('seen')").unwrap();
    let python = mountfs_tests::guest("python");
    let python = python.to_str().unwrap();
    let words = ["given no folder", "--mount /project=.", "/project/script.py in place of script.py"];
    failed(&mountfs(&account, &["run", python, "script.py"]), 2, &words);
    let said = succeeded(&mountfs(&account, &["run", "--mount", "/project=.", python, "/project/script.py"]));
    assert_eq!(said, "seen\n");
    let failing = mountfs(&account, &["run", python, "-c", "raise SystemExit(2)"]);
    assert!(!failed(&failing, 2, &[]).contains("folder"), "nothing was named");
    let mounted = |script: &str| mountfs(&account, &["run", "--mount", "/project=notes:ro", python, script]);
    let words =
        ["no folder that the app was given has script.py in it", "--mount /scripts=., and /scripts/script.py in"];
    failed(&mounted("script.py"), 2, &words);
    failed(&mounted("notes/script.py"), 2, &["can't open file"]);
    fs::write(account.path("notes/script.py"), "raise SystemExit(2)").unwrap();
    failed(&mounted("notes/script.py"), 2, &["the app sees notes/script.py as /project/script.py"]);
    // It saw it, and failed for a reason of its own.
    let seen = mountfs(&account, &["run", "--mount", "/=notes", python, "script.py"]);
    assert!(!failed(&seen, 2, &[]).contains("mountfs:"));
    assert!(!failed(&mounted("/project/script.py"), 2, &[]).contains("mountfs:"));
}

/// Whoever starts the app with arguments of somebody else's gives it no folder by that.
#[test]
fn options_behind_the_app_are_the_apps() {
    let account = account();
    let python = mountfs_tests::guest("python");
    let python = python.to_str().unwrap();
    let code = "import os, sys; print(sys.argv[1:], os.listdir('/')); raise SystemExit(len(sys.argv) - 2)";
    account.wasm("arguments.wasm", ARGUMENTS);
    for args in [
        &["--mount", "/p=notes"][..],
        &["--mount=/p=notes", "--help", "-h", "-v", "--"],
        &["--dir", "notes::/p"],
        &["--grant", "pyscript=notes"],
        &["--", "--mount", "/p=notes"],
        &["--no-prompt", "--app-name", "other", "--limit", "nothing", "--env", "A=b"],
    ] {
        // Python's arguments come after some of its own, and may be in the first place too.
        let words: Vec<_> = args.iter().map(|arg| format!("'{arg}'")).collect();
        let run = mountfs(&account, &[&["run", "-v", python, "-c", code], args].concat());
        assert_eq!(text(&run.stdout), format!("[{}] []\n", words.join(", ")));
        let bare = mountfs(&account, &[&["run", "arguments.wasm"], args].concat());
        assert_eq!(bare.status.code(), Some(1), "{}", text(&bare.stderr));
        assert_eq!(text(&bare.stdout), format!("arguments.wasm\0{}\0", args.join("\0")));
    }
    // And if that was not meant, it is said.
    let behind = ["run", python, "notes/script.py", "--mount", "/notes=notes"];
    failed(&mountfs(&account, &behind), 2, &["--mount stands behind the app", "go before the app"]);
    let behind = ["run", python, "--dir=notes"];
    failed(&mountfs(&account, &behind), 2, &["--dir stands behind the app"]);
    let help = succeeded(&mountfs(&account, &["run", "--help"]));
    assert!(help.contains("Options of mountfs go before the app"), "{help}");
    // Before it, they are checked.
    failed(&mountfs(&account, &["run", "-c", "arguments.wasm"]), 2, &["'-c'"]);
    failed(&mountfs(&account, &["run"]), 2, &["<APP>", "Usage: mountfs run [OPTIONS] <APP> [ARGS]..."]);
}

/// A preview 1 command that prints its arguments, each with a zero behind it, and fails.
const ARGUMENTS: &str = r#"(module
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (drop (call $sizes (i32.const 0) (i32.const 12)))
        (drop (call $args (i32.const 100) (i32.const 1000)))
        (i32.store (i32.const 8) (i32.const 1000))
        (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))
        (call $exit (i32.const 1))))"#;

#[test]
fn a_grant_that_the_app_did_not_ask_for() {
    let account = account();
    let ruby = mountfs_tests::guest("ruby");
    let run = ["run", "--grant", "pyscript=notes:ro", ruby.to_str().unwrap(), "-e", "exit 3"];
    failed(&mountfs(&account, &run), 1, &["cannot ask for folders", "try --mount /pyscript=notes:ro"]);
    let python = mountfs_tests::guest("python");
    let asks = "from mountfs import fs; await fs.mount('/local')";
    let run = |id: &str| {
        let grant = format!("{id}=notes:ro");
        mountfs(&account, &["run", "--no-prompt", "--grant", &grant, python.to_str().unwrap(), "-c", asks])
    };
    failed(&run("python"), 1, &["you gave `python`; it asked for `pyscript`", "--grant pyscript=FOLDER"]);
    assert!(!failed(&run("pyscript"), 1, &["was given to read"]).contains("you gave"));
}

#[test]
fn a_mount_point_that_nothing_is_kept_for() {
    let account = account();
    let store = FileStore::new(account.store());
    let folder = account.path("notes").canonicalize().unwrap();
    let keep = |path: &str| {
        store.put(Kept::new("app", GrantKey::new(path, "a"), &folder, Access::Read)).unwrap();
    };
    keep("/local");
    for wrong in ["/locl", "local", "/Local", "notes"] {
        failed(&mountfs(&account, &["grants", "revoke", wrong]), 1, &["no grant is kept", "did you mean /local?"]);
    }
    assert!(!failed(&mountfs(&account, &["grants", "revoke", "/else"]), 1, &["no grant"]).contains("did you mean"));
    keep("/locale\u{1b}[2J");
    let said = failed(&mountfs(&account, &["grants", "revoke", "/locale[2J"]), 1, &["did you mean"]);
    assert!(!said.contains('\u{1b}'), "{said}");
    assert_eq!(store.list().unwrap().len(), 2, "a guess revokes nothing");
}
