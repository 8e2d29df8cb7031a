//! The command `mountfs`, as a user types it.

use crate::cli_terminal::terminal;
use mountfs_host::{Access, FileStore, GrantKey, GrantStore as _, Kept};
use mountfs_tests::{Folder, guest, root};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A preview 1 command that has never heard of mountfs: it writes `hello` to `out.txt` in the first preopen, and ends
/// with the error number when it cannot.
pub(crate) const WRITES_A_FILE: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 100) "out.txt")
    (data (i32.const 200) "hello")
    (func $check (param i32) (if (local.get 0) (then (call $exit (local.get 0)))))
    (func (export "_start")
        ;; directory 3, no look-up flags, path, create and truncate, the right to write
        (call $check (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 7) (i32.const 9)
            (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 300)))
        (i32.store (i32.const 0) (i32.const 200))
        (i32.store (i32.const 4) (i32.const 5))
        (call $check (call $write (i32.load (i32.const 300)) (i32.const 0) (i32.const 1) (i32.const 8)))
        ;; then
        ))"#;

/// A user's account: its own grants, and files to name.
pub(crate) struct Account {
    home: tempfile::TempDir,
}

impl Account {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn wasm(&self, name: &str, wat: &str) -> PathBuf {
        fs::write(self.path(name), wat::parse_str(wat).unwrap()).unwrap();
        self.path(name)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("state/mountfs/grants.json")
    }

    pub(crate) fn mountfs(&self) -> Command {
        let mut command = Command::new(root().join("target/debug/mountfs"));
        command.current_dir(self.home.path()).env("HOME", self.home.path()).env("XDG_STATE_HOME", self.path("state"));
        // Compiled code is the same for all.
        command.env("XDG_CACHE_HOME", root().join("target/cache")).env_remove("RUST_LOG").env_remove("RUST_BACKTRACE");
        command.stdin(Stdio::null());
        command
    }

    fn python(&self, arguments: &[&str], code: &str) -> Output {
        self.mountfs().arg("run").args(arguments).arg(guest("python")).args(["-c", code]).output().unwrap()
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Fails the test with the command's own words.
#[track_caller]
pub(crate) fn succeeded(output: &Output) -> String {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{}\n{out}{err}", output.status);
    out
}

/// The exit code is as expected, and each of the words is in the error.
#[track_caller]
pub(crate) fn failed(output: &Output, code: i32, words: &[&str]) -> String {
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{err}");
    for word in words {
        assert!(err.contains(word), "{word:?} is not in: {err}");
    }
    assert!(!err.contains("panicked") && !err.contains("RUST_BACKTRACE"), "{err}");
    err
}

pub(crate) fn named(name: &str, folder: &Folder) -> String {
    format!("{name}={}", folder.path().display())
}

#[test]
fn run_with_the_root_mounted_works_for_a_preview_1_program() {
    let (account, folder) = (Account::new(), Folder::new());
    let app = account.wasm("app.wasm", WRITES_A_FILE);
    let run = account.mountfs().args(["run", "--mount", &named("/", &folder)]).arg(app).output().unwrap();
    succeeded(&run);
    assert_eq!(folder.read("out.txt"), "hello");
}

#[test]
fn a_program_that_was_given_nothing_sees_nothing() {
    let account = Account::new();
    let app = account.wasm("app.wasm", WRITES_A_FILE);
    let run = account.mountfs().arg("run").arg(&app).output().unwrap();
    assert!(!run.status.success());
    assert_eq!(fs::read_dir(account.home.path()).unwrap().count(), 1, "only the app itself");
}

#[test]
fn a_read_only_mount_is_read_only() {
    let (account, folder) = (Account::new(), Folder::new());
    let app = account.wasm("app.wasm", WRITES_A_FILE);
    let mount = format!("{}:ro", named("/", &folder));
    let run = account.mountfs().args(["run", "--mount", &mount]).arg(app).output().unwrap();
    assert_eq!(run.status.code(), Some(1));
    assert!(folder.names().is_empty());
}

#[test]
fn exit_codes_are_the_guests() {
    let account = Account::new();
    for code in [0, 1, 3, 125, 200] {
        let app = format!(
            "(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))
            (memory (export \"memory\") 1) (func (export \"_start\") (call $exit (i32.const {code}))))"
        );
        let app = account.wasm("exit.wasm", &app);
        let run = account.mountfs().arg("run").arg(app).output().unwrap();
        // The adapter knows success and failure only; the Python app gives the code itself.
        assert_eq!(run.status.code().map(|code| code.min(1)), Some(code.min(1)));
        assert_eq!(account.python(&[], &format!("raise SystemExit({code})")).status.code(), Some(code));
    }
}

/// Nothing that can be said, and nobody to say it to, changes how it ends.
#[cfg(target_os = "linux")]
#[test]
fn exit_codes_stay_when_nothing_can_be_printed() {
    let account = Account::new();
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let code = |arguments: &[&str]| {
        let python = root().join("target/guests/python.wasm");
        let mut command = account.mountfs();
        command.arg("-vv").args(arguments.iter().map(|word| word.replace("python.wasm", python.to_str().unwrap())));
        command.stdout(full()).stderr(full()).status().unwrap().code().unwrap()
    };
    assert_eq!(code(&["run", "no-such-app.wasm"]), 125);
    assert_eq!(code(&["run", "--no-prompt", "python.wasm", "-c", "raise SystemExit(7)"]), 7);
    let asks = "from mountfs import fs\ntry: await fs.mount('/local')\nexcept RuntimeError: raise SystemExit(9)";
    assert_eq!(code(&["run", "--no-prompt", "python.wasm", "-c", asks]), 9);
    assert_eq!(code(&["compose", "no-such-app.wasm", "-o", "x"]), 1);
}

#[test]
fn a_tilde_is_the_home_folder_also_after_the_equals_sign() {
    let account = Account::new();
    let app = account.wasm("app.wasm", WRITES_A_FILE);
    fs::create_dir(account.path("work")).unwrap();
    succeeded(&account.mountfs().args(["run", "--mount", "/=~/work"]).arg(app).output().unwrap());
    assert_eq!(fs::read_to_string(account.path("work/out.txt")).unwrap(), "hello");
}

#[test]
fn a_grant_narrower_than_asked_for_is_refused_and_says_so() {
    let (account, folder) = (Account::new(), Folder::new());
    let grant = format!("{}:ro", named("pyscript", &folder));
    let run = account.python(&["--grant", &grant], "from mountfs import fs; await fs.mount('/local')");
    failed(&run, 1, &["refused to read and write: the folder was given to read"]);
}

#[test]
fn a_trap_is_said_and_what_was_written_is_kept() {
    let (account, folder) = (Account::new(), Folder::new());
    let app = account.wasm("trap.wasm", &WRITES_A_FILE.replace(";; then", "unreachable"));
    let run = account.mountfs().args(["run", "--mount", &named("/", &folder)]).arg(app).output().unwrap();
    failed(&run, 134, &["trap.wasm trapped", "unreachable"]);
    assert_eq!(folder.read("out.txt"), "hello");
}

#[test]
fn arguments_and_environment_reach_the_guest_and_nothing_else_does() {
    let account = Account::new();
    let code = "import os, sys; print(sys.argv[1:], os.environ.get('A'), os.environ.get('B'), os.environ.get('HOME'))";
    let run = account
        .mountfs()
        .env("B", "two")
        .args(["run", "--env", "A=one", "--env", "B"])
        .arg(guest("python"))
        .args(["-c", code, "--flag", "x"])
        .output()
        .unwrap();
    assert_eq!(succeeded(&run), "['--flag', 'x'] one two None\n");
}

#[test]
fn a_grant_answers_the_guests_own_mount() {
    let (account, folder) = (Account::new(), Folder::with([("file", "text")]));
    let code = "
from mountfs import fs
await fs.mount('/anywhere')
print(open('/anywhere/file').read(), fs.mounted['/anywhere'].label)
open('/anywhere/new', 'w').write('written')
await fs.unmount('/anywhere')";
    let run = account.python(&["--grant", &named("pyscript", &folder)], code);
    assert_eq!(succeeded(&run), "text inside\n");
    assert_eq!(folder.read("new"), "written");
    assert!(!account.store().exists(), "what the command line grants is for this run");
}

#[test]
fn without_a_terminal_a_request_is_refused_and_says_how_to_grant() {
    let account = Account::new();
    let code = "from pyscript import fs\nawait fs.mount('/local')";
    let run = account.python(&[], code);
    failed(&run, 1, &["was refused: there is no terminal to ask at", "--grant pyscript=FOLDER", "RuntimeError"]);
    failed(&account.python(&["--no-prompt"], code), 1, &["was refused: --no-prompt"]);
}

#[test]
fn a_request_cannot_forge_a_prompt() {
    let account = Account::new();
    let code = r"from pyscript import fs; await fs.mount('/a\x1b[2J\nmountfs: all is well')";
    let err = failed(&account.python(&[], code), 1, &["was refused"]);
    let said = err.lines().find(|line| line.contains("was refused")).unwrap();
    assert!(!said.contains('\u{1b}') && said.contains(r"\u{1b}"), "{said}");
}

#[test]
fn grants_are_listed_and_revoked() {
    let account = Account::new();
    fs::create_dir_all(account.store().parent().unwrap()).unwrap();
    let kept = |app: &str, id: &str| {
        format!(r#"{{"app":"{app}","path":"/local","id":"{id}","folder":"/home/ada","access":"read-write"}}"#)
    };
    let all = format!(r#"{{"format":1,"grants":[{},{}]}}"#, kept("one", "a"), kept("one", "b"));
    fs::write(account.store(), all).unwrap();

    let list = succeeded(&account.mountfs().arg("grants").output().unwrap());
    assert_eq!(list.lines().count(), 2);
    assert!(list.lines().all(|line| line.contains("/home/ada") && line.contains("read and write")), "{list}");
    let json = succeeded(&account.mountfs().args(["grants", "list", "--json"]).output().unwrap());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[1]["id"], "b");

    let revoke = |arguments: &[&str]| account.mountfs().args(["grants", "revoke"]).args(arguments).output().unwrap();
    succeeded(&revoke(&["/local", "--id", "a"]));
    failed(&revoke(&["/local", "--id", "a"]), 1, &["no grant is kept for \"/local\"", "--mount", "this time"]);
    let revoked = succeeded(&revoke(&["/local", "--json"]));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&revoked).unwrap()[0]["id"], "b");
    assert_eq!(succeeded(&account.mountfs().args(["grants", "list", "--json"]).output().unwrap()), "[]\n");
}

#[test]
fn a_revoke_cuts_off_an_app_that_runs() {
    let (account, folder) = (Account::new(), Folder::with([("file", "text"), ("other", "other")]));
    let key = GrantKey::new("/local", "pyscript");
    let kept = Kept::new("app", key, folder.path().canonicalize().unwrap(), Access::ReadWrite);
    FileStore::new(account.store()).put(kept).unwrap();
    let code = "
import errno, os, sys
from mountfs import fs

def why(call):
    try:
        call()
    except OSError as error:
        return errno.errorcode[error.errno]

await fs.mount('/local')
held = open('/local/file', 'r+b', buffering=0)
held.write(b'before')
other = os.open('/local/other', os.O_RDWR)
print('written', flush=True)
sys.stdin.readline()
print(why(lambda: held.write(b'lost')), why(lambda: os.pwrite(other, b'lost', 0)), why(lambda: os.fstat(other)))
print(why(lambda: open('/local/new', 'w')), why(lambda: os.listdir('/local')), why(lambda: os.remove('/local/other')))
try:
    await fs.sync('/local')
except KeyError as error:
    print(error.code, list(fs.mounted))";
    let mut run = account.mountfs();
    run.args(["run", "--no-prompt", "--app-name", "app"]).arg(guest("python")).args(["-c", code]);
    let mut run = run.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(run.stdout.take().unwrap());
    let mut said = String::new();
    out.read_line(&mut said).unwrap();
    if said != "written\n" {
        drop(run.stdin.take());
        panic!("{said}{}", text(&run.wait_with_output().unwrap().stderr));
    }

    let revoke = account.mountfs().args(["grants", "revoke", "/local"]).output().unwrap();
    succeeded(&revoke);
    assert!(text(&revoke.stderr).contains("cut off"), "{}", text(&revoke.stderr));
    run.stdin.take().unwrap().write_all(b"\n").unwrap();

    let mut said = String::new();
    out.read_to_string(&mut said).unwrap();
    let ended = run.wait_with_output().unwrap();
    succeeded(&ended);
    let lines: Vec<_> = said.lines().collect();
    // Its libc does not ask a stream for the code.
    assert_eq!(lines, ["EIO ENODEV ENODEV", "ENODEV ENODEV ENODEV", "not-mounted []"]);
    assert!(text(&ended.stderr).contains("cut off"), "{}", text(&ended.stderr));
    assert_eq!(folder.read("file"), "before");
    assert_eq!(folder.read("other"), "other");
    assert_eq!(folder.names(), ["file", "other"]);
}

#[test]
fn a_corrupt_store_is_an_error_and_kept_aside() {
    let account = Account::new();
    fs::create_dir_all(account.store().parent().unwrap()).unwrap();
    fs::write(account.store(), "{ broken").unwrap();
    let words = ["cannot be read", "grants.corrupt-1.json", "unchanged"];
    failed(&account.python(&[], "print(1)"), 125, &words);
    let aside = account.store().with_file_name("grants.corrupt-1.json");
    assert_eq!(fs::read_to_string(&aside).unwrap(), "{ broken");
    fs::write(account.store(), "[]").unwrap();
    failed(&account.mountfs().arg("grants").output().unwrap(), 1, &["grants.corrupt-2.json"]);
    assert_eq!(fs::read_to_string(&aside).unwrap(), "{ broken", "the first is as it was");
}

#[test]
fn bad_input_is_an_error_that_says_what_to_do() {
    let (account, folder) = (Account::new(), Folder::with([("file", "")]));
    let app = account.wasm("app.wasm", WRITES_A_FILE);
    let run = |arguments: &[&str], app: &Path| account.mountfs().arg("run").args(arguments).arg(app).output().unwrap();

    failed(&run(&[], Path::new("missing.wasm")), 125, &["cannot read the app missing.wasm", "No such file"]);
    let no_folder = format!("/local={}/file", folder.path().display());
    failed(&run(&["--mount", &no_folder], &app), 125, &["cannot open the folder", "inside/file"]);
    failed(&run(&["--mount", "/local=nowhere"], &app), 125, &["cannot open the folder nowhere"]);
    failed(&run(&["--grant", "id=nowhere"], &app), 125, &["cannot open the folder nowhere"]);
    failed(&run(&["--dir", "nowhere::/x"], &app), 125, &["cannot preopen the folder nowhere"]);
    failed(&run(&["--mount", &named("/a/../b", &folder)], &app), 125, &["cannot mount", "`..`"]);
    failed(&run(&["--mount", &named("local", &folder)], &app), 125, &["not absolute"]);
    failed(&run(&["--mount", "no-equals-sign"], &app), 2, &["no `=`", "--mount"]);
    failed(&run(&["--mont", "x"], &app), 2, &["--mount"]);
    let twice = [named("/a", &folder), named("/a", &Folder::new())];
    failed(&run(&["--mount", &twice[0], "--mount", &twice[1]], &app), 125, &["two --mount for /a"]);
    failed(&run(&["--grant", &named("/local", &folder)], &app), 2, &["an id has", "--mount /local="]);

    fs::write(account.path("text.wasm"), "print('hello')").unwrap();
    failed(&run(&[], &account.path("text.wasm")), 125, &["text.wasm", "not WebAssembly"]);
    fs::write(account.path("cut.wasm"), &fs::read(guest("python")).unwrap()[..100_000]).unwrap();
    failed(&run(&[], &account.path("cut.wasm")), 125, &["cut.wasm"]);
    let strange = account.wasm("strange.wasm", "(component (import \"a:b/c\" (instance (export \"f\" (func)))))");
    failed(&run(&[], &strange), 125, &["strange.wasm", "imports what nothing here provides", "a:b/c"]);
    let library = account.wasm("library.wasm", "(component)");
    failed(&run(&[], &library), 125, &["library.wasm is not a command", "wasi:cli/run"]);
    assert_eq!(folder.names(), ["file"]);
}

#[test]
fn compose_writes_a_component_that_runs() {
    let (account, folder) = (Account::new(), Folder::new());
    let app = account.wasm("app.wasm", WRITES_A_FILE);
    let compose = |arguments: &[&str]| account.mountfs().arg("compose").args(arguments).output().unwrap();
    let quiet = compose(&["app.wasm", "-o", "composed.wasm"]);
    assert_eq!(succeeded(&quiet) + &text(&quiet.stderr), "");
    let (_, seen) = terminal(account.mountfs().args(["compose", "app.wasm", "-o", "composed.wasm"]), &[]);
    assert!(seen.contains("wrote composed.wasm, ") && seen.contains("KiB"), "{seen}");
    let mount = named("/", &folder);
    succeeded(&account.mountfs().args(["run", "--mount", &mount, "composed.wasm"]).output().unwrap());
    assert_eq!(folder.read("out.txt"), "hello");

    failed(&compose(&["app.wasm", "-o", "app.wasm"]), 1, &["is the app itself"]);
    failed(&compose(&["composed.wasm", "-o", "x.wasm"]), 1, &["composed before"]);
    failed(&compose(&["app.wasm", "-o", "nowhere/x.wasm"]), 1, &["cannot write nowhere/x.wasm"]);
    account.wasm("wrong.wasm", "(component (import \"mountfs:fs/mounts@0.1.0\" (instance (export \"f\" (func)))))");
    failed(&compose(&["wrong.wasm", "-o", "x.wasm"]), 1, &["mountfs:fs/mounts@0.1.0", "does not fit"]);
    assert!(!account.path("x.wasm").exists());
    assert_eq!(fs::read(app).unwrap(), wat::parse_str(WRITES_A_FILE).unwrap());
}

/// Whoever reads a log learns what took so long; at a terminal there is a line that goes away again.
#[test]
fn that_a_large_app_is_compiled_is_said_once() {
    let account = Account::new();
    let small = account.wasm("small.wasm", WRITES_A_FILE);
    let data = format!("(data (i32.const 1000) \"{}\")", "x".repeat(5 << 20));
    let large = WRITES_A_FILE.replace("(memory (export \"memory\") 1)", "(memory (export \"memory\") 100)");
    let large = account.wasm("large.wasm", &large.replace("(func $check", &format!("{data} (func $check")));
    fs::create_dir(account.path("work")).unwrap();
    let says = |app: &Path| {
        let mut run = account.mountfs();
        run.args(["run", "--mount", "/=work"]).arg(app).env("XDG_CACHE_HOME", account.path("cache"));
        let run = run.output().unwrap();
        succeeded(&run) + &text(&run.stderr)
    };
    assert_eq!(says(&small), "");
    assert_eq!(says(&large), "mountfs: compiling large.wasm, once (a minute or so)\n");
    assert_eq!(says(&large), "", "it is found");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Whoever can write there could have put other code in its place.
        fs::set_permissions(account.path("cache/mountfs"), fs::Permissions::from_mode(0o777)).unwrap();
        let said = says(&large);
        assert!(said.contains("others can write") && said.contains("compiling large.wasm"), "{said}");
    }
}

#[test]
fn on_preopen_grants_a_preopen_is_seen_only_while_it_is_mounted() {
    let (account, folder) = (Account::new(), Folder::with([("file", "text")]));
    let python = guest("python");
    let compose =
        account.mountfs().arg("compose").arg(python).args(["-o", "anywhere.wasm", "--preopen-grants"]).output();
    succeeded(&compose.unwrap());
    let code = "
import os
from mountfs import fs
async def refused(call):
    try:
        await call
    except RuntimeError as error:
        return error.code
print(os.listdir('/'), await refused(fs.mount('/other')))
await fs.mount('/local')
open('/local/new', 'w').write('new')
print((await fs.sync('/local')).files, os.listdir('/'))
held = open('/local/file')
await fs.unmount('/local')
print(os.listdir('/'))
await fs.mount('/local')
print(await fs.revoke('/local', 'other'), await fs.revoke('/local'), await fs.revoke('/local'))
print(await refused(fs.mount('/local')), await refused(fs.mount('/local', id='other')))";
    let preopen = format!("{}::/local", folder.path().display());
    let run = account.mountfs().args(["run", "--dir", &preopen, "anywhere.wasm", "-c", code]).output().unwrap();
    assert_eq!(succeeded(&run), "[] denied\n2 ['local']\n[]\nFalse True False\ndenied denied\n");
    assert_eq!(folder.read("new"), "new");
}

#[test]
fn help_completions_and_manual_pages_are_there() {
    let account = Account::new();
    for verb in
        [&["--help"][..], &["run", "--help"], &["compose", "--help"], &["grants", "--help"], &["doctor", "--help"]]
    {
        assert!(succeeded(&account.mountfs().args(verb).output().unwrap()).contains("Usage: mountfs"));
    }
    let help = succeeded(&account.mountfs().arg("--help").output().unwrap());
    assert!(help.contains("mountfs man FOLDER"), "{help}");
    assert!(succeeded(&account.mountfs().arg("--version").output().unwrap()).starts_with("mountfs 0."));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = succeeded(&account.mountfs().args(["completions", shell]).output().unwrap());
        assert!(script.contains("mountfs"), "{shell}");
    }

    let man = |arguments: &[&str]| account.mountfs().arg("man").args(arguments).output().unwrap();
    assert!(succeeded(&man(&[])).contains(".TH mountfs 1"));
    succeeded(&man(&["man/man1"]));
    for page in ["mountfs", "mountfs-run", "mountfs-doctor", "mountfs-grants-revoke"] {
        let text = fs::read_to_string(account.path("man/man1").join(page).with_extension("1")).unwrap();
        assert!(text.contains(&format!(".TH {page} 1")), "{page}");
    }
    fs::write(account.path("file"), "").unwrap();
    failed(&man(&["file"]), 1, &["cannot write manual pages to file"]);
}

/// Types at a terminal, at which an app runs.
fn at_a_terminal(account: &Account, code: &str, keys: &[&str]) -> (i32, String) {
    let mut run = account.mountfs();
    run.arg("run").arg(guest("python")).args(["-c", code]);
    terminal(&run, keys)
}

#[test]
fn a_prompt_says_who_asks_for_what_and_its_answer_is_kept_when_the_user_says_so() {
    let (account, folder) = (Account::new(), Folder::with([("file", "from the folder")]));
    let code = "from mountfs import fs\nawait fs.mount('/local')\nprint(open('/local/file').read())";
    let path = format!("{}\\r", folder.path().display());
    // The folder; then down twice, to "yes, and next time too".
    let (exit, seen) = at_a_terminal(&account, code, &[&path, "\\x1b[B\\x1b[B\\r"]);
    assert_eq!(exit, 0, "{seen}");
    for word in [
        "python.wasm asks for a folder",
        "/local (id pyscript)",
        "read and write",
        "from the folder",
        "arrow keys",
        "every script",
    ] {
        assert!(seen.contains(word), "{word:?} is not in: {seen}");
    }
    let (exit, seen) = at_a_terminal(&account, code, &[]);
    assert_eq!(exit, 0, "{seen}");
    assert!(!seen.contains("asks for a folder"), "{seen}");

    let list = succeeded(&account.mountfs().args(["grants", "list"]).output().unwrap());
    assert!(list.contains(folder.path().to_str().unwrap()), "{list}");
    succeeded(&account.mountfs().args(["grants", "revoke", "/local", "--id", "pyscript"]).output().unwrap());
    // Nothing for a folder is no folder.
    let (exit, seen) = at_a_terminal(&account, code, &["\\r"]);
    assert_eq!(exit, 1, "{seen}");
    assert!(seen.contains("no folder was chosen"), "{seen}");
    // A folder, and then no.
    let (exit, seen) = at_a_terminal(&account, code, &[&path, "\\r"]);
    assert_eq!(exit, 1, "{seen}");
    assert!(seen.contains("did not allow it"), "{seen}");
}

/// An app cannot have the user type the answer to a question that is not there yet.
#[test]
fn what_was_typed_before_a_question_does_not_answer_it() {
    let (account, folder) = (Account::new(), Folder::with([("file", "text")]));
    let kept = Kept::new("app", GrantKey::new("/local", "pyscript"), folder.path(), Access::Read);
    FileStore::new(account.store()).put(kept).unwrap();
    let code = "
import time
from mountfs import fs
print('press the arrow and Enter to go on?', flush=True)
time.sleep(1)
await fs.mount('/local')";
    let mut run = account.mountfs();
    run.args(["run", "--app-name", "app"]).arg(guest("python")).args(["-c", code]);
    let (exit, seen) = terminal(&run, &["\\x1b[B\\r", "\\r"]);
    assert!(seen.contains("Let it read and write"), "{seen}");
    assert_eq!(exit, 1, "{seen}");
    assert!(seen.contains("did not allow it"), "{seen}");
}

#[test]
fn an_app_meets_the_limits_it_was_given() {
    let (account, folder) = (Account::new(), Folder::with([("file", "text")]));
    let mount = format!("/local={}", folder.path().display());
    let open_many = "
files = []
try:
    while True: files.append(open('/local/file'))
except OSError as error:
    print(error.strerror, len(files))
files.clear()
print(open('/local/file').read())";
    let run = account.python(&["--mount", &mount, "--limit", "descriptors=20"], open_many);
    // The mount's own directory is one; Python's standard library is inside the app.
    assert_eq!(succeeded(&run), "Out of memory 19\ntext\n");

    let allocate = "
try: bytes(200 << 20)
except MemoryError: print('no memory')
print(len(bytes(20 << 20)))";
    let run = account.python(&["--limit", "memory=128M"], allocate);
    assert_eq!(succeeded(&run), "no memory\n20971520\n");
    let run = account.python(&["--limit", "memory=1M"], allocate);
    failed(&run, 125, &["cannot run python.wasm: it needs at least 25 MiB to start: raise --limit memory"]);

    for (wrong, why) in [("memory", "NAME=VALUE"), ("disk=1", "there is no limit"), ("mounts=many", "no count")] {
        failed(&account.python(&["--limit", wrong], ""), 2, &[wrong, why]);
    }
}
