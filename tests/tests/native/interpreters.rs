//! Real interpreters in real folders.

use mountfs_tests::{Folder, guest, root};
use std::process::{Command, Output};

fn mountfs(folder: &Folder, app: &str, arguments: &[&str]) -> Output {
    let state = tempfile::tempdir().unwrap();
    Command::new(root().join("target/debug/mountfs"))
        .env("XDG_CACHE_HOME", root().join("target/cache"))
        .env("XDG_STATE_HOME", state.path())
        .args(["run", "--no-prompt", "--mount", &format!("/={}", folder.path().display())])
        .arg(guest(app))
        .args(arguments)
        .output()
        .unwrap()
}

/// What users of Python do with files, in a Python that knows of no mounts.
const ORDINARY: &str = r#"
import csv, json, os, pathlib, shutil, tempfile, zipfile
os.chdir("/")
root = pathlib.Path("/")
assert root.joinpath("input.csv").read_text() == "name,age\nada,36\n"
with open("/input.csv", newline="") as file:
    rows = list(csv.DictReader(file))
os.makedirs("/deep/er/est")
with open("/deep/er/est/rows.json", "w") as file:
    json.dump(rows, file)
shutil.copytree("/deep", "/copy")
os.rename("/copy/er", "/copy/moved")
with zipfile.ZipFile("/all.zip", "w") as archive:
    for path in sorted(root.rglob("*.json")):
        archive.write(path, path.relative_to("/"))
with tempfile.TemporaryDirectory(dir="/") as folder:
    pathlib.Path(folder, "x").write_bytes(b"x" * 100_000)
shutil.rmtree("/deep")
with open("/log.txt", "a") as file:
    file.write("one\n")
with open("/log.txt", "a") as file:
    file.write("two\n")
print(sorted(os.listdir("/")), zipfile.ZipFile("/all.zip").namelist())
"#;

fn ordinary(app: &str) {
    let folder = Folder::with([("input.csv", "name,age\nada,36\n")]);
    let run = mountfs(&folder, app, &["-c", ORDINARY]);
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{out}{err}");
    assert!(out.contains("['all.zip', 'copy', 'input.csv', 'log.txt']"), "{out}");
    assert!(out.contains("'copy/moved/est/rows.json'"), "{out}");
    assert_eq!(folder.names(), ["all.zip", "copy", "input.csv", "log.txt"]);
    assert_eq!(folder.read("copy/moved/est/rows.json"), r#"[{"name": "ada", "age": "36"}]"#);
    assert_eq!(folder.read("log.txt"), "one\ntwo\n");
    assert_eq!(folder.read("input.csv"), "name,age\nada,36\n", "nothing the guest did not touch is changed");
}

#[test]
fn cpython_3_14_does_what_its_users_do() {
    ordinary("python");
}

#[test]
fn cpython_3_12_adapted_from_preview_1_does_so_too() {
    ordinary("python-3.12");
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
