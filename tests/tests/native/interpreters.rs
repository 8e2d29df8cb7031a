//! Real interpreters in real folders: what the users of each language do, from `tests/scripts/`.

use mountfs_tests::{Folder, guest, root};
use std::fs;
use std::process::Command;

/// Runs a language's script in a folder, and notes the facts it found for `docs/compatibility.md`.
fn users_of(interpreter: &str, script: &str) {
    let folder = Folder::with([("input.csv", "name,age\nada,36\ngrace,45\n")]);
    let state = tempfile::tempdir().unwrap();
    let run = Command::new(root().join("target/debug/mountfs"))
        .env("XDG_CACHE_HOME", root().join("target/cache"))
        .env("XDG_STATE_HOME", state.path())
        .args(["run", "--no-prompt", "--mount", &format!("/local={}", folder.path().display())])
        .args(["--mount", &format!("/scripts={}:ro", root().join("tests/scripts").display())])
        .arg(guest(interpreter))
        .arg(format!("/scripts/{script}"))
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{out}{err}");
    let facts: Vec<_> = out.lines().filter_map(|line| line.strip_prefix("ok ")).collect();
    for fact in ["list", "read", "write", "append", "rename", "remove", "make-directories", "remove-directories"] {
        assert!(facts.contains(&fact), "{fact} is not among {facts:?}");
    }
    assert_eq!(folder.read("folder/inner/moved.txt"), "One\ntwo\n");
    assert_eq!(folder.read("people.json").trim_end(), r#"[["ada",36],["grace",45]]"#);
    assert_eq!(folder.read("input.csv"), "name,age\nada,36\ngrace,45\n", "nothing the guest did not touch is changed");
    let noted = root().join("target/compatibility/interpreters/native");
    fs::create_dir_all(&noted).unwrap();
    fs::write(noted.join(interpreter).with_added_extension("json"), serde_json::to_string(&facts).unwrap()).unwrap();
}

#[test]
fn cpython_3_14() {
    users_of("python", "python.py");
}

#[test]
fn cpython_3_12() {
    users_of("python-3.12", "python.py");
}

#[test]
fn ruby_3_4() {
    users_of("ruby", "ruby.rb");
}

#[test]
fn micropython_1_27() {
    users_of("micropython", "micropython.py");
}

#[test]
fn quickjs_0_15() {
    users_of("quickjs", "quickjs.js");
}

#[test]
fn a_second_start_finds_its_compiled_code() {
    // What the first start compiled is kept: there is a file for it, and the second start adds none.
    let folder = Folder::new();
    let cache = tempfile::tempdir().unwrap();
    let files = || {
        let mut open = vec![cache.path().to_owned()];
        let mut count = 0;
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                match entry.file_type().unwrap().is_dir() {
                    true => open.push(entry.path()),
                    // Statistics are kept beside it.
                    false => count += usize::from(!entry.path().to_string_lossy().ends_with(".stats")),
                }
            }
        }
        count
    };
    let app = folder.path().join("app.wasm");
    std::fs::write(&app, wat::parse_str(super::cli::WRITES_A_FILE).unwrap()).unwrap();
    let run = || {
        let status = Command::new(root().join("target/debug/mountfs"))
            .env("XDG_CACHE_HOME", cache.path())
            .env("XDG_STATE_HOME", cache.path().join("state"))
            .args(["run", "--mount", &format!("/={}", folder.path().display())])
            .arg(&app)
            .status()
            .unwrap();
        assert!(status.success());
    };
    run();
    let first = files();
    assert!(first > 0);
    run();
    assert_eq!(files(), first);
}
