"""Hands code that nobody trusts to `mountfs run`, with a folder to read and one to write, and shows what it did."""

import argparse
import difflib
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
BUILT = HERE.parent.parent / "target"
MEMORY, DESCRIPTORS = "256M", 64
CPU_SECONDS, SECONDS = 5, 120
LARGEST_FILE = 16 << 20  # bytes, of what it prints too


class Run(NamedTuple):
    """How the code ended."""

    code: int
    """Its exit code; 134 when it trapped, -9 when it was ended because its time was up."""
    output: str
    """What it printed, errors included."""


class Sandbox:
    """A folder `/data` that can be read and a folder `/out` that can be written, and nothing else: no other file, no
    network, no environment, no process."""

    def __init__(self, mountfs: str, python: str, data: Path, out: Path) -> None:
        # A name that no grant was ever kept under: what the user let other programs of this Python see, this one does
        # not.
        self.command = [
            mountfs, "run", "--no-prompt", "--app-name", f"sandbox-{uuid.uuid4()}",
            "--mount", f"/data={data}:ro", "--mount", f"/out={out}:rw",
            "--limit", f"memory={MEMORY}", "--limit", f"descriptors={DESCRIPTORS}", python,
        ]  # fmt: skip

    def warm_up(self) -> None:
        """Compiles Python, which takes a minute and is kept, so that it does not count as the code's own time."""
        if subprocess.run([*self.command, "-c", ""]).returncode != 0:
            sys.exit("driver.py: Python does not start; what mountfs says of it is above")

    def run(self, code: str, *args: str) -> Run:
        """Runs code, with arguments, until it ends or has used up its time. The arguments may be anybody's: what stands
        behind the app is the app's, and no `--mount` there gives it a folder."""
        with tempfile.TemporaryFile() as output:
            try:
                ended = subprocess.run(
                    [*self.command, "-", *args], input=code.encode(), stdout=output, stderr=subprocess.STDOUT,
                    timeout=SECONDS, preexec_fn=_limit, restore_signals=False,
                ).returncode  # fmt: skip
            except subprocess.TimeoutExpired:
                ended = -9
            output.seek(0)
            return Run(ended, output.read().decode(errors="replace"))


def _limit() -> None:
    """What mountfs leaves to the system: time, and the size of a file. A write past that is an error: Python has the
    signal ignored, and `restore_signals=False` leaves it so."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))


def files(folder: Path) -> dict[str, bytes]:
    """Every file in a folder. A link is told by where it points, and never followed: who made it is not trusted."""
    found = {}
    for place, folders, names in os.walk(folder):
        for path in (Path(place, name) for name in folders + names):
            if path.is_symlink():
                found[str(path.relative_to(folder))] = f"-> {os.readlink(path)}\n".encode()
            elif path.is_file():
                found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def digest(folder: Path) -> str:
    """One number for all that is in a folder."""
    return hashlib.sha256(repr(sorted(files(folder).items())).encode()).hexdigest()[:16]


def show_changes(before: dict[str, bytes], after: dict[str, bytes]) -> None:
    """What was made, changed and removed, with the lines that differ."""
    for path in sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path)):
        old, new = before.get(path, b""), after.get(path, b"")
        verb = "made" if path not in before else "removed" if path not in after else "changed"
        print(f"    {verb} {path}: {len(old):,} bytes before, {len(new):,} now")
        if b"\0" not in old + new:
            texts = [text.decode(errors="replace").splitlines() for text in (old, new)]
            lines = list(difflib.unified_diff(*texts, n=0, lineterm=""))[3:15]
            print(*(f"      {line[:100]}" for line in lines), sep="\n")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mountfs", help="the command; by default that of PATH, else that of this checkout")
    options.add_argument("--python", help="the interpreter; by default the python.wasm beside this, else of this checkout")
    given = options.parse_args()
    mountfs = given.mountfs or shutil.which("mountfs") or str(BUILT / "debug/mountfs")
    beside = HERE / "python.wasm"
    python = given.python or str(beside if beside.exists() else BUILT / "guests/python.wasm")
    if not shutil.which(mountfs):
        sys.exit(f"driver.py: there is no command {mountfs}: install it (cargo install mountfs), or name it with --mountfs")
    if not Path(python).is_file():
        sys.exit(f"driver.py: there is no file {python}: name a python.wasm with --python")
    escaped = []
    with tempfile.TemporaryDirectory() as place:
        data, out, secret = Path(place, "data"), Path(place, "out"), Path(place, "secret")
        data.mkdir()
        out.mkdir()
        secret.write_text("the neighbour's")
        (data / "sales.csv").write_text("fruit,sold\napples,12\npears,30\napples,8\n")
        (out / "report.md").write_text("# Sales\n\nNothing was counted yet.\n")
        sandbox = Sandbox(mountfs, python, data, out)
        sandbox.warm_up()
        untouched = digest(data)

        def attempt(title: str, script: str, *args: str, wanted: str) -> None:
            print(f"\n-- {title}")
            before = files(out)
            ended = sandbox.run((HERE / script).read_text(), *args)
            said = ended.output.strip()
            last = said.rpartition("\n")[2][:80]
            print(f"    exit code {ended.code}, {len(said):,} characters printed, at last: {last}")
            show_changes(before, files(out))
            same = digest(data) == untouched and secret.read_text() == "the neighbour's"
            print(f"    /data is {'as it was' if same else 'CHANGED'}")
            if not same or wanted not in f"{said} ({ended.code})" or secret.read_text() in said:
                escaped.append(title)

        attempt("useful code", "useful.py", wanted="20 apples (0)")
        for title, attack, wanted in [
            ("reads /etc/passwd", "passwd", "FileNotFoundError"),
            ("goes up with ..", "up", "PermissionError"),
            ("goes up through a link of its own", "link", "PermissionError"),
            ("changes what it may only read", "write", "Read-only file system"),
            ("mounts a folder for itself", "mount", "did not allow it"),
            ("connects to the network", "network", "gaierror"),
            ("starts a process", "process", "does not support processes"),
            ("takes all memory", "memory", "MemoryError"),
            ("opens a thousand files", "files", "Out of memory"),
            ("fills the disk with one file", "disk", "I/O error"),
            ("prints without end", "print", "no play"),
            ("loops for ever", "loop", "(-9)"),
        ]:
            attempt(title, "hostile.py", attack, wanted=wanted)
    print(f"\n{'ESCAPED, or not as expected: ' + ', '.join(escaped) if escaped else 'All was contained.'}")
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())
