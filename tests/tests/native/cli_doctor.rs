//! `mountfs doctor`: what it finds, and that it changes nothing.

use crate::cli::{Account, WRITES_A_FILE, failed, succeeded, text};
use mountfs_host::{Access, FileStore, GrantKey, GrantStore as _, Kept};
use mountfs_tests::guest;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// A command with a cache of its own, so that nothing of this machine shows.
fn doctor(account: &Account) -> Command {
    let mut doctor = account.mountfs();
    doctor.arg("doctor").env("XDG_CACHE_HOME", account.path("cache"));
    doctor
}

/// The checks by what they are about; the command's exit code is as they say.
#[track_caller]
fn checks(doctor: &mut Command) -> BTreeMap<String, Value> {
    let output = doctor.arg("--json").output().unwrap();
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = all["checks"].as_array().unwrap();
    let problems: Vec<_> = checks.iter().filter(|check| check["status"] == "problem").collect();
    assert_eq!(all["problems"], problems.len());
    assert_eq!(output.status.code(), Some(i32::from(!problems.is_empty())));
    assert!(problems.iter().all(|problem| problem["todo"].is_string()), "each problem says what to do: {all}");
    checks.iter().map(|check| (check["about"].as_str().unwrap().to_owned(), check.clone())).collect()
}

/// The check of this name, with its status.
#[track_caller]
fn check(doctor: &mut Command, about: &str) -> (String, Value) {
    let check = checks(doctor).remove(about).expect(about);
    (check["status"].as_str().unwrap().to_owned(), check)
}

/// Each file and folder, with its content and when it was changed.
fn all(folder: &Path) -> BTreeMap<PathBuf, (Option<Vec<u8>>, SystemTime)> {
    let mut found = BTreeMap::new();
    let mut ahead = vec![folder.to_owned()];
    while let Some(path) = ahead.pop() {
        let metadata = path.symlink_metadata().unwrap();
        if metadata.is_dir() {
            ahead.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
        }
        found.insert(path.clone(), (fs::read(&path).ok(), metadata.modified().unwrap()));
    }
    found
}

#[test]
fn a_machine_that_nothing_was_done_on_has_no_problem_and_stays_as_it_is() {
    let account = Account::new();
    let before = all(&account.path(""));
    let said = succeeded(&doctor(&account).output().unwrap());
    for word in ["mountfs", env!("CARGO_PKG_VERSION"), "wasmtime 48.", "grants.json", "cache", "none to ask at", "512"]
    {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
    assert!(!said.contains("problem"), "{said}");
    assert_eq!(check(&mut doctor(&account), "grants").1["facts"]["kept"], 0);
    assert_eq!(all(&account.path("")), before);
}

#[test]
fn grants_are_counted_and_those_whose_folder_is_gone_are_named() {
    let account = Account::new();
    fs::create_dir(account.path("here")).unwrap();
    let store = FileStore::new(account.store());
    for (name, id) in [("here", "a"), ("gone", "b")] {
        let key = GrantKey::new("/local", id);
        store.put(Kept::new("app", key, account.path(name), Access::Read)).unwrap();
    }
    let before = all(&account.path(""));
    let (status, grants) = check(&mut doctor(&account), "grants");
    assert_eq!((status.as_str(), &grants["facts"]["kept"]), ("note", &Value::from(2)));
    assert_eq!(grants["facts"]["gone"].as_array().unwrap().len(), 1);
    assert!(grants["todo"].as_str().unwrap().contains("mountfs grants revoke /local --id b"), "{grants}");
    assert_eq!(all(&account.path("")), before);

    store.remove("app", &GrantKey::new("/local", "b")).unwrap();
    assert_eq!(check(&mut doctor(&account), "grants").0, "ok");
}

#[test]
fn a_store_that_is_broken_newer_or_open_to_others_is_a_problem_and_left_alone() {
    let account = Account::new();
    fs::create_dir_all(account.store().parent().unwrap()).unwrap();
    for (content, words) in [("{ broken", "cannot read"), ("{\"format\":2}", "format 2")] {
        fs::write(account.store(), content).unwrap();
        let before = all(&account.path(""));
        let (status, grants) = check(&mut doctor(&account), "grants");
        assert_eq!(status, "problem");
        assert!(grants["says"].as_str().unwrap().contains(words), "{grants}");
        assert_eq!(all(&account.path("")), before);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::write(account.store(), "{\"format\":1,\"grants\":[]}").unwrap();
        fs::set_permissions(account.store(), fs::Permissions::from_mode(0o644)).unwrap();
        let output = doctor(&account).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let chmod = text(&output.stdout).lines().find(|line| line.contains("chmod")).unwrap().trim().to_owned();
        // What it says to do is what helps.
        succeeded(&Command::new("sh").args(["-c", &chmod]).output().unwrap());
        assert_eq!(check(&mut doctor(&account), "grants").0, "ok");
    }
}

#[test]
fn a_cache_that_cannot_be_written_or_that_others_can_write_is_a_problem() {
    let account = Account::new();
    assert_eq!(check(&mut doctor(&account), "compiled").0, "ok");
    fs::write(account.path("cache"), "").unwrap();
    let (status, compiled) = check(&mut doctor(&account), "compiled");
    assert_eq!(status, "problem");
    assert!(compiled["says"].as_str().unwrap().contains("is not a folder"), "{compiled}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::remove_file(account.path("cache")).unwrap();
        fs::create_dir_all(account.path("cache/mountfs")).unwrap();
        fs::set_permissions(account.path("cache/mountfs"), fs::Permissions::from_mode(0o777)).unwrap();
        let (status, compiled) = check(&mut doctor(&account), "compiled");
        assert_eq!(status, "problem");
        assert!(compiled["todo"].as_str().unwrap().contains("chmod 700"), "{compiled}");
    }
}

#[cfg(unix)]
#[test]
fn too_few_open_files_are_a_problem() {
    let account = Account::new();
    let doctor = doctor(&account);
    for (limit, expected) in [("256", "problem"), ("1024", "ok")] {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -n $0 && exec \"$@\"", limit]).arg(doctor.get_program()).args(doctor.get_args());
        shell.envs(doctor.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let (status, files) = check(&mut shell, "open files");
        assert_eq!((status.as_str(), &files["facts"]["process"]), (expected, &limit.parse::<u64>().unwrap().into()));
    }
}

#[test]
fn an_app_is_told_apart_and_nothing_is_made_of_it() {
    let account = Account::new();
    account.wasm("command.wasm", WRITES_A_FILE);
    account.wasm("plain.wasm", "(component)");
    account.wasm("module.wasm", "(module (memory (export \"memory\") 1))");
    succeeded(&account.mountfs().args(["compose", "command.wasm", "-o", "composed.wasm"]).output().unwrap());
    let preopens = ["compose", "command.wasm", "-o", "preopens.wasm", "--preopen-grants"];
    succeeded(&account.mountfs().args(preopens).output().unwrap());
    account.wasm("strange.wasm", "(component (import \"a:b/c\" (instance (export \"f\" (func)))))");
    let before = all(&account.path(""));
    let python = guest("python");
    let python = python.to_str().unwrap();
    let expected = [
        ("command.wasm", "preview 1 command", "WASI preview 1", false, true),
        (python, "component", "WASI 0.2.", true, true),
        ("composed.wasm", "composed component", "WASI 0.2.", false, true),
        ("preopens.wasm", "composed component", "WASI 0.2.", false, true),
        ("plain.wasm", "component", "nothing of WASI", false, false),
        ("module.wasm", "core module", "nothing of WASI", false, false),
        ("strange.wasm", "component", "nothing of WASI", false, false),
    ];
    for (app, kind, wasi, imports_mounts, runs) in expected {
        let found = checks(doctor(&account).arg(app));
        assert_eq!(found["app"]["facts"]["kind"], kind, "{app}");
        assert!(found["imports"]["says"].as_str().unwrap().contains(wasi), "{app}: {}", found["imports"]);
        assert_eq!(found["mounts"]["facts"]["imports_mounts"], imports_mounts, "{app}");
        assert_eq!(found["mounts"]["facts"]["on_preopens"], app == "preopens.wasm", "{app}");
        assert_eq!(found["runs"]["facts"]["runs"], runs, "{app}: {}", found["runs"]);
        assert_eq!(found["starts"]["facts"]["kept"], Value::Null, "{app}");
    }
    assert_eq!(all(&account.path("")), before);
}

/// It does not compile the app, and yet says what running it would.
#[test]
fn what_it_says_of_an_app_is_what_running_it_says() {
    let account = Account::new();
    account.wasm("strange.wasm", "(component (import \"a:b/c\" (instance (export \"f\" (func)))))");
    account.wasm("library.wasm", "(component)");
    account.wasm("wrong.wasm", "(component (import \"mountfs:fs/mounts@0.1.0\" (instance (export \"f\" (func)))))");
    account.wasm("module.wasm", "(module (memory (export \"memory\") 1))");
    fs::write(account.path("script.py"), "print(1)").unwrap();
    for (app, words) in [
        ("strange.wasm", "imports what nothing here provides"),
        ("library.wasm", "is not a command"),
        ("wrong.wasm", "does not fit"),
        ("module.wasm", "it exports no `_start`"),
        ("script.py", "it is a script"),
        ("missing.wasm", "No such file"),
        ("librar.wasm", "did you mean library.wasm?"),
    ] {
        failed(&account.mountfs().args(["run", app]).output().unwrap(), 125, &[words]);
        let output = doctor(&account).arg(app).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{app}");
        let said = text(&output.stdout);
        assert!(said.contains(words), "{app}: {said}");
        // What to do is said once.
        assert_eq!(said.contains("name an app that is there"), app == "missing.wasm", "{app}: {said}");
    }
}

#[test]
fn an_app_that_was_compiled_is_known() {
    let account = Account::new();
    account.wasm("app.wasm", WRITES_A_FILE);
    fs::create_dir(account.path("work")).unwrap();
    let mut run = account.mountfs();
    run.args(["run", "--mount", "/=work", "app.wasm"]).env("XDG_CACHE_HOME", account.path("cache"));
    succeeded(&run.output().unwrap());
    let before = all(&account.path(""));
    let kept = check(doctor(&account).arg("app.wasm"), "starts").1["facts"]["kept"].clone();
    assert!(Path::new(kept.as_str().unwrap()).starts_with(account.path("cache")), "{kept}");
    assert_eq!(check(&mut doctor(&account), "compiled").1["facts"]["apps"], 1);
    assert_eq!(all(&account.path("")), before);
}
