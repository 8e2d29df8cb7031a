//! What a hostile guest makes the host hold: the peak of the process, beside that of one that does nothing.
//! `HOSTILE_TIMES` multiplies what it does.
#![cfg(target_os = "linux")]

use mountfs_tests::{Folder, guest, root};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

/// Mebibytes that an attack may add to the peak. A page of text is not an attack, and a gigabyte is one.
const MOST: u64 = 32;

/// Nothing of it is kept in the guest, whose own memory would count too.
const ATTACKS: [(&str, &str); 8] = [
    (
        "opens without end",
        "
files = []
for _ in range(20_000 * times):
    try: files.append(os.open('/local/file', os.O_RDONLY))
    except OSError: pass",
    ),
    (
        "listings of a large directory",
        "
listings = []
for _ in range(200 * times):
    try:
        listings.append(os.scandir('/local/large'))
        next(listings[-1])
    except OSError: pass",
    ),
    (
        "mounts without end",
        "
for number in range(2_000 * times):
    try: await fs.mount(f'/mounts/{number}', id='given')
    except Exception: pass",
    ),
    (
        "revokes without end",
        "
for number in range(5_000 * times):
    try: await fs.revoke(f'/{number}' + 'x' * 4000, id='given')
    except Exception: pass",
    ),
    (
        "names that are not there",
        "
for number in range(20_000 * times):
    try: os.stat(f'/local/{number}')
    except OSError: pass",
    ),
    (
        "paths of a megabyte",
        "
path = '/local/' + 'a/' * 500_000
for number in range(50 * times):
    try: os.stat(path)
    except OSError: pass",
    ),
    (
        "a storm of writes",
        "
block = bytes(1 << 16)
files = [open(f'/local/new{number}', 'wb', buffering=0) for number in range(100)]
for number in range(5_000 * times):
    file = files[number % 100]
    file.seek(0)
    file.write(block)",
    ),
    (
        "files made and removed while open",
        "
files = []
for number in range(2_000 * times):
    try:
        files.append(open('/local/removed', 'wb', buffering=0))
        files[-1].write(b'x' * 4096)
        os.remove('/local/removed')
    except OSError: pass",
    ),
];

/// The peak of a run, in MiB.
fn peak(folder: &Folder, attack: &str) -> u64 {
    let times = std::env::var("HOSTILE_TIMES").unwrap_or_else(|_| "1".into());
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(root().join("target/debug/mountfs"));
    command
        .env("HOME", home.path())
        .env("XDG_STATE_HOME", home.path())
        .env("XDG_CACHE_HOME", root().join("target/cache"));
    let folder = folder.path().display().to_string();
    command.args(["run", "--mount", &format!("/local={folder}"), "--grant", &format!("given={folder}")]);
    let script = format!(
        "import os, sys\nfrom mountfs import fs\ntimes = {times}\n{attack}\nprint('done', flush=True)\ninput()"
    );
    command.arg(guest("python")).args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "done\n", "after {attack}");
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert!(child.wait().unwrap().success(), "after {attack}");
    peak >> 10
}

#[test]
fn the_host_holds_no_more_than_its_limits_let_it() {
    let folder = Folder::with([("file", "text")]);
    fs::create_dir(folder.path().join("large")).unwrap();
    for number in 0..20_000 {
        fs::File::create(folder.path().join(format!("large/a file with a name of some length {number}"))).unwrap();
    }
    let calm = peak(&folder, "");
    let mut over = Vec::new();
    for (name, attack) in ATTACKS {
        let more = peak(&folder, attack).saturating_sub(calm);
        println!("{name}: {more} MiB over {calm} MiB");
        if more > MOST {
            over.push(format!("{name}: {more} MiB"));
        }
    }
    assert!(over.is_empty(), "{over:?} over {calm} MiB");
}
