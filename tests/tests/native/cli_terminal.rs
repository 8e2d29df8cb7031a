//! The command at a terminal, which Python makes.

use crate::cli::{Account, text};
use std::process::Command;

/// What a command ends with and shows at a terminal, when this is typed: one answer for each question.
pub(crate) fn terminal(command: &Command, keys: &[&str]) -> (i32, String) {
    let driver = r#"
import os, pty, select, sys, time
keys, command = sys.argv[1].split("|"), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)
seen, asked, deadline = b"", 0, time.monotonic() + 120
while time.monotonic() < deadline:
    if not select.select([terminal], [], [], 0.3)[0]:
        # One answer for each question, once all of it is there: what is typed before that does not count.
        if keys and seen.count(b"?") > asked:
            asked = seen.count(b"?")
            os.write(terminal, keys.pop(0).encode().decode("unicode_escape").encode())
        continue
    try:
        chunk = os.read(terminal, 4096)
    except OSError:
        break
    if not chunk:
        break
    seen += chunk
sys.stdout.buffer.write(seen)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;
    let output = with_python(command, &["-c", driver, &keys.join("|")]).output().unwrap();
    (output.status.code().unwrap(), text(&output.stdout))
}

/// Python with these arguments, and the command as the last of them.
fn with_python(command: &Command, arguments: &[&str]) -> Command {
    let mut python = Command::new("python3");
    python.args(arguments).arg(command.get_program()).args(command.get_args()).env("TERM", "xterm");
    python.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => python.env(name, value),
            None => python.env_remove(name),
        };
    }
    python
}

const COLOURS: &str = "\u{1b}[";

#[test]
fn colours_are_shown_at_a_terminal_and_not_with_no_color() {
    let account = Account::new();
    for arguments in [&["run", "missing.wasm"][..], &["doctor"], &["run", "--mount"]] {
        let mut command = account.mountfs();
        let (_, seen) = terminal(command.args(arguments).env_remove("NO_COLOR"), &[]);
        assert!(seen.contains(COLOURS), "{seen}");
        let (_, seen) = terminal(command.env("NO_COLOR", "1"), &[]);
        assert!(!seen.contains(COLOURS), "{seen}");
        let output = command.env_remove("NO_COLOR").output().unwrap();
        let all = text(&output.stdout) + &text(&output.stderr);
        assert!(!all.contains(COLOURS) && !all.is_empty(), "{all}");
    }
}

#[test]
fn at_a_terminal_an_app_can_ask() {
    let account = Account::new();
    let (_, seen) = terminal(account.mountfs().arg("doctor"), &[]);
    assert!(seen.contains("can ask you"), "{seen}");
}

#[cfg(target_os = "linux")]
mod progress {
    use super::with_python;
    use crate::cli::{Account, WRITES_A_FILE, named};
    use mountfs_tests::Folder;
    use mountfs_tests::faults::{Faults, Plan};
    use std::fs;
    use std::io::Read as _;
    use std::process::{Command, Stdio};

    const SAYS: &[u8] = b"making durable";

    /// The number of the call that makes the file durable.
    fn fsync(faults: &Faults, command: &mut Command) -> usize {
        faults.plan(Plan::None);
        faults.under(|| assert!(command.status().unwrap().success()));
        faults.calls().iter().position(|call| call.name == "fsync").expect("it makes it durable") + 1
    }

    #[test]
    fn what_takes_long_is_said_at_a_terminal() {
        let (folder, account) = (Folder::new(), Account::new());
        let mut command = account.mountfs();
        command.args(["run", "--mount", &named("/", &folder)]).arg(account.wasm("app.wasm", WRITES_A_FILE));
        let faults = Faults::over(&folder.path());
        faults.plan(Plan::Hold(fsync(&faults, &mut command)));
        fs::remove_file(folder.path().join("out.txt")).unwrap();
        // If nothing is ever said, it ends all the same.
        let driver = "import pty, signal, sys; signal.alarm(120); sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
        let mut spawn = with_python(&command, &["-c", driver]);
        faults.under(|| {
            let mut run = spawn.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            assert!(faults.wait_until_held());
            // It comes while the call does not return.
            let (mut seen, mut byte) = (Vec::new(), [0]);
            while !seen.ends_with(SAYS) {
                assert_eq!(run.stdout.as_mut().unwrap().read(&mut byte).unwrap(), 1, "it ended");
                seen.extend(byte);
            }
            faults.release();
            // The line is cleared.
            let mut rest = Vec::new();
            run.stdout.take().unwrap().read_to_end(&mut rest).unwrap();
            assert!(rest.ends_with(b"\x1b[2K") || rest.ends_with(b"\r"), "{}", rest.escape_ascii());
            assert!(run.wait().unwrap().success());
        });
        assert_eq!(folder.read("out.txt"), "hello");
    }
}
