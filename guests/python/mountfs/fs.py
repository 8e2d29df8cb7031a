"""Mount a folder of the user's own machine, and work in it with `open()`, `os` and `pathlib`.

    from mountfs import fs

    await fs.mount("/local")                  # the user chooses a folder, once
    with open("/local/notes.txt", "a") as f:
        f.write("hello\\n")
    await fs.sync("/local")                   # everything written is in the folder now
    await fs.unmount("/local")

The functions are those of PyScript's `pyscript.fs`, with its arguments and the exceptions its users know. They are
`async` for that reason only: each is one plain call of the host, and none suspends Python's event loop.

An exception from here says what failed, for which path, why, and what to do about it. It also has two attributes for
programs: `code`, the name of the error in the interface (`"busy"`, `"not-mounted"`, `"cancelled"`, …), and `report`,
the `Report` of a sync that left something behind, else None.
"""

import contextlib
import gc
import io
import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from componentize_py_types import Err
from wit_world.imports import mounts, types

__all__ = ["mount", "sync", "unmount", "revoke", "mounted", "Mount", "Unsynced", "Report", "Conflict", "Failure"]

MODES = {"readwrite": types.Access.READ_WRITE, "read": types.Access.READ}
ROOTS = {place.name.lower(): place for place in types.StartIn}
BUFFERED = {io.BufferedRandom, io.BufferedWriter, io.TextIOWrapper}


class Unsynced(NamedTuple):
    """What the local folder does not durably have yet."""

    files: int
    bytes: int


class Mount(NamedTuple):
    """One mounted folder, as `fs.mounted[path]` and `fs.mount()` give it."""

    path: str
    """Where it is mounted."""
    id: str
    """The name of the grant."""
    mode: str
    """`"readwrite"` or `"read"`."""
    label: str
    """The folder's own name, for people. Never its path on the user's machine."""
    unsynced: Unsynced | None
    """What was written and not synced when this was looked up; None where the host cannot tell."""


class Conflict(NamedTuple):
    """A file that was changed here and by another program. Both versions are in the folder."""

    path: str
    """The file, relative to the mount."""
    kept: str
    """Where the other version is, relative to the mount."""


class Failure(NamedTuple):
    """A file or directory that could not be written. The next sync tries it again."""

    path: str
    """Relative to the mount; the mount itself is `.`."""
    reason: str
    """Why, for a person."""


class Report(NamedTuple):
    """What a sync did. `print(report)` tells it in words."""

    files: int
    """Files that were written since the sync before (every file, where the host cannot tell them apart)."""
    bytes: int
    """Bytes in those files."""
    removed: int
    """Names removed since the sync before."""
    conflicts: tuple[Conflict, ...]
    """Files changed on both sides."""
    failures: tuple[Failure, ...]
    """What could not be written. Empty when the sync is complete."""

    def __str__(self) -> str:
        files, size = "file" if self.files == 1 else "files", "byte" if self.bytes == 1 else "bytes"
        lines = [f"{self.files} {files} ({self.bytes} {size}) synced, {self.removed} removed"]
        lines += [f"  conflict: {path} (the other version is {kept})" for path, kept in self.conflicts]
        lines += [f"  failed: {path}: {reason}" for path, reason in self.failures]
        return "\n".join(lines)


async def mount(path: str, mode: str = "readwrite", root: str = "", id: str = "pyscript") -> Mount:
    """Mounts a folder of the user's machine at `path`.

    The first time, the user is asked to choose the folder (in a browser, with a picker), or whoever runs the program
    has named it. The choice is kept under `path` and `id`, and later runs are not asked again. Nothing is copied, so
    mounting takes the same time for a folder of any size. Mounting the same again answers the same mount.

    Args:
        path: Where to mount: absolute, without `.`, `..` and empty parts, no `/` at the end. Missing parents appear.
        mode: `"readwrite"`, or `"read"`, with which every write fails.
        root: Where the picker starts: `desktop`, `documents`, `downloads`, `music`, `pictures` or `videos`. The empty
            default leaves that to the host. A host without a picker does not use it.
        id: A name for the grant, so that one path can have several, one at a time: 1 to 32 of `A-Z a-z 0-9 _ -`.

    Raises:
        ValueError: An argument is not valid, or the path is mounted already with another `id` or `mode`.
        RuntimeError: The user said no or closed the picker, the host may ask only after a click, it cannot mount, or
            another call for this path is under way. Nothing is mounted then.
    """
    path = _text("path", path)
    id = _text("id", id)
    if mode not in MODES:
        raise _error("invalid-mode", ValueError, f"cannot mount {path!r}: mode is {mode!r}; use 'readwrite' or 'read'")
    if root and root not in ROOTS:
        why = f"root is {root!r}; use '' or one of {', '.join(ROOTS)}"
        raise _error("invalid-root", ValueError, f"cannot mount {path!r}: {why}")
    options = mounts.MountOptions(access=MODES[mode], id=id, start_in=ROOTS[root] if root else None)
    try:
        return _mount(mounts.mount(path, options))
    except Err as error:
        raise _explain("mount", path, error.value, id, mode) from None


async def sync(path: str) -> Report:
    """Makes the folder and this Python agree, and waits for it.

    When it returns, all that was written below `path` is durable in the user's folder, also what Python still had in the
    buffers of open files, and changes that other programs made there are visible here. Files that this program did not
    write are not touched.

    Raises:
        KeyError: Nothing is mounted at `path`.
        ValueError: `path` cannot be a mount point.
        RuntimeError: Something could not be written. All the rest was; the exception's text and its `report` name what
            is left, and the next sync tries it again.
    """
    path = _text("path", path)
    _flush(path)
    try:
        return _report(mounts.sync(path))
    except Err as error:
        raise _explain("sync", path, error.value) from None


async def unmount(path: str) -> Report:
    """Syncs, then detaches the folder. The grant is kept: mounting again does not ask.

    Files still open below `path` fail from then on. The path can be used for another folder.

    Raises:
        KeyError: Nothing is mounted at `path`.
        ValueError: `path` cannot be a mount point.
        RuntimeError: Something could not be written (see `sync`), and the folder stays mounted.
    """
    path = _text("path", path)
    _flush(path)
    try:
        return _report(mounts.unmount(path))
    except Err as error:
        raise _explain("unmount", path, error.value) from None


async def revoke(path: str, id: str = "pyscript") -> bool:
    """Gives the folder back: syncs, detaches it, and forgets the grant, so that mounting it again asks the user again.

    Every file still open below `path` fails from then on. A mount of the same path under another `id` stays.

    Returns:
        True when there was a mount or a kept grant, False when there was nothing to revoke.

    Raises:
        ValueError: `path` or `id` is not valid.
        RuntimeError: Something could not be written before. The text and `report` say what; the folder was given back
            all the same.
    """
    path = _text("path", path)
    id = _text("id", id)
    _flush(path)
    try:
        return mounts.revoke(path, id)
    except Err as error:
        raise _explain("revoke", path, error.value, id) from None


class _Mounted(Mapping[str, Mount]):
    """Asks the host each time, so that mounts made by whoever runs this program are in it too."""

    def __getitem__(self, path: str) -> Mount:
        return self._now()[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def __repr__(self) -> str:
        return repr(self._now())

    @staticmethod
    def _now() -> dict[str, Mount]:
        return {info.path: _mount(info) for info in mounts.mounted()}


mounted: Mapping[str, Mount] = _Mounted()
"""What is mounted now, by path: a read-only view that is always up to date."""


def _mount(info: mounts.MountInfo) -> Mount:
    mode = next(mode for mode, access in MODES.items() if access == info.access)
    unsynced = info.unsynced and Unsynced(info.unsynced.files, info.unsynced.bytes)
    return Mount(info.path, info.id, mode, info.label, unsynced)


def _report(report: types.SyncReport) -> Report:
    conflicts = tuple(Conflict(conflict.path, conflict.kept) for conflict in report.conflicts)
    failures = tuple(Failure(failure.path, failure.reason) for failure in report.failures)
    return Report(report.files, report.bytes, report.removed, conflicts, failures)


def _flush(path: str) -> None:
    """Hands over what Python has in the buffers of files below `path`, which no host can see."""
    below = os.path.join(path, "")
    for file in [found for found in gc.get_objects() if type(found) in BUFFERED]:
        # It is closed or detached, or the current directory is gone; or it cannot be written, and then its own `flush`
        # and `close` say so.
        with contextlib.suppress(ValueError, OSError):
            name = getattr(file, "name", None)
            if isinstance(name, str | bytes) and os.path.abspath(os.fsdecode(name)).startswith(below):
                file.flush()


def _text(name: str, value: str | os.PathLike[str]) -> str:
    """A lone surrogate cannot cross into the host: the component would stop instead of raising."""
    value = os.fspath(value)
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text, not {type(value).__name__}")
    try:
        value.encode()
        return value
    except UnicodeEncodeError:
        raise _error(f"invalid-{name}", ValueError, f"{name} {value!r} is not Unicode; use another {name}") from None


def _explain(verb: str, path: str, error: types.Error, id: str = "", mode: str = "") -> Exception:
    """The exception for an error of the host: its type, and a text of what, which path, why, and what to do."""
    what = f"cannot {verb} {path!r}"
    match error:
        case types.Error_InvalidPath(why):
            return _error("invalid-path", ValueError, f"{what}: {why}; use an absolute path such as '/local'")
        case types.Error_InvalidId(why):
            return _error("invalid-id", ValueError, f"{what} with id {id!r}: {why}")
        case types.Error_NotMounted():
            return _error("not-mounted", KeyError, f"{what}: nothing is mounted there; use fs.mount() first")
        case types.Error_AlreadyMounted(other) if other == id:
            why = f"it is mounted already, not as {mode!r}; use that mount, or fs.unmount() it first"
            return _error("already-mounted", ValueError, f"{what}: {why}")
        case types.Error_AlreadyMounted(other):
            why = f"it is mounted already with id {other!r}; name that, use another path, or fs.unmount() it first"
            return _error("already-mounted", ValueError, f"{what} with id {id!r}: {why}")
        case types.Error_Busy():
            why = "another mount, unmount or revoke of it is under way; try again when that is done"
            return _error("busy", RuntimeError, f"{what}: {why}")
        case types.Error_Cancelled():
            return _error("cancelled", RuntimeError, f"{what}: no folder was chosen; call it again to ask again")
        case types.Error_Denied():
            why = "the user, or whoever runs this program, did not allow it; ask them to, then call it again"
            return _error("denied", RuntimeError, f"{what}: {why}")
        case types.Error_NeedsUserActivation():
            why = "the user can be asked only right after a click or a key press; call it from such a handler"
            return _error("needs-user-activation", RuntimeError, f"{what}: {why}")
        case types.Error_Unsupported(why):
            return _error("unsupported", RuntimeError, f"{what}: this host does not do it: {why}")
        case types.Error_Incomplete(left):
            report = _report(left)
            then = {
                "sync": "the rest is synced; remove the cause and sync again",
                "unmount": "it stays mounted; remove the cause and unmount again",
                "revoke": "the folder was given back all the same",
            }.get(verb, "remove the cause and try again")
            return _error("incomplete", RuntimeError, f"{what} completely ({then}): {report}", report)
        case types.Error_Other(why):
            return _error("other", RuntimeError, f"{what}: {why}")
    raise AssertionError(f"an error this module does not know: {error!r}")


def _error(code: str, kind: type[Exception], text: str, report: Report | None = None) -> Exception:
    error = kind(text)
    error.code = code
    error.report = report
    return error
