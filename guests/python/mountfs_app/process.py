"""The beginning and the end of a run, as the operating system and CPython's own start and exit would do them."""

import atexit
import contextlib
import gc
import io
import logging
import os
import sys
import time


def start(cwd: str | None) -> None:
    """Takes from the host what the snapshot cannot have: streams, the current directory, where modules are found."""
    # The snapshot's are unbuffered: slow, and a write that the host takes only in part loses its rest.
    lines = 1 if os.environ.get("PYTHONUNBUFFERED") else -1
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.__stdout__ = open(1, "w", lines, encoding="utf-8", closefd=False)
    sys.stderr = sys.__stderr__ = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.executable = sys.argv[0] if sys.argv else ""
    if cwd:
        # A host may name one without giving it.
        with contextlib.suppress(OSError):
            os.chdir(cwd)
    sys.path[:] = filter(None, os.environ.get("PYTHONPATH", "").split(":"))
    # A folder that the user lent gets what the program writes there, and no `__pycache__`.
    sys.dont_write_bytecode = True
    logging._startTime = time.time_ns()


def finish() -> bool:
    """Ends as CPython does, which is never finalized here: exit handlers, finalizers, and what is still in the buffers
    of files that the program left open. False when some of that could not be written."""
    atexit._run_exitfuncs()
    vars(sys.modules["__main__"]).clear()
    gc.collect()
    lost = {}
    for left in gc.get_objects():
        # By its type: a weak proxy in the list would be asked for the class of what it no longer has.
        if issubclass(type(left), io.IOBase):
            try:
                left.flush()
            except ValueError:
                pass  # It is closed, or detached from its buffer.
            except Exception as error:
                lost[getattr(left, "name", left)] = error
    for name, error in lost.items():
        print(f"python: cannot write the rest of {name!r}: {error}", file=sys.stderr)
    return not lost
