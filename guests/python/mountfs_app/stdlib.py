"""The standard library, inside the component.

A component made by `componentize-py` has no files of its own: it is a snapshot of the interpreter's memory, taken after
the app was imported. So the library's sources are kept in that memory, compressed, with an importer for them, and the
modules that programs use most are imported before the snapshot, so that they cost nothing at run time.

Not there, because this build of CPython lacks the C extension: bz2, lzma, compression.zstd, ctypes, ssl (and with it
https), curses, readline, mmap, fcntl, pwd, grp, resource, termios (so pty and tty), syslog, tkinter, turtle,
concurrent.interpreters, most of multiprocessing; dbm has `dumb` and `sqlite3`. Left out for size: idlelib, ensurepip,
venv. There, but WebAssembly has neither threads nor processes: threading, concurrent.futures and subprocess start
nothing, and `asyncio.to_thread` fails. There, but without data: zoneinfo; put the package `tzdata` on PYTHONPATH.
"""

import importlib
import linecache
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from importlib.abc import SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import ModuleType

# Not `os.__file__`: that module is frozen into CPython, and names a place that is not there.
ROOT = os.path.dirname(linecache.__file__)

LEFT_OUT = {
    "config-3.14-wasm32-wasi", "ctypes", "curses", "ensurepip", "idlelib", "site-packages", "tkinter", "turtle.py",
    "turtledemo", "venv", "__pycache__",
}  # fmt: skip

# The common modules; what they import comes along. Others are compiled when a program imports them.
IMPORTED = """
    abc argparse array ast asyncio atexit base64 binascii bisect calendar cmath codecs collections.abc colorsys
    concurrent.futures configparser contextlib contextvars copy csv dataclasses datetime dbm.dumb dbm.sqlite3 decimal
    difflib dis doctest email.message email.parser email.policy encodings.ascii encodings.cp1252 encodings.idna
    encodings.latin_1 encodings.utf_16 encodings.utf_8_sig enum errno filecmp fileinput fnmatch fractions functools gc
    getopt gettext glob graphlib gzip hashlib heapq hmac html.parser http.client importlib.metadata importlib.resources
    importlib.util inspect io ipaddress itertools json keyword linecache locale logging.config logging.handlers marshal
    math mimetypes numbers operator optparse os pathlib pickle pkgutil platform plistlib pprint queue random re reprlib
    runpy sched secrets select selectors shelve shlex shutil signal socket sqlite3 stat statistics string
    string.templatelib struct sysconfig tarfile tempfile textwrap threading time timeit token tokenize tomllib traceback
    types typing unicodedata unittest unittest.mock urllib.parse urllib.request uuid warnings weakref
    xml.dom.minidom xml.etree.ElementTree xml.sax zipfile zipimport zlib zoneinfo
""".split()


class Library(SourceLoader):
    """Finds and loads the standard library's modules from memory. Tracebacks and `inspect` get their sources too."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        for folder in [ROOT] if path is None else path:
            stem = f"{folder}/{name.rpartition('.')[2]}"
            for file in (f"{stem}/__init__.py", f"{stem}.py"):
                if file in self.files:
                    return spec_from_file_location(name, file, loader=self)
        return None

    def get_filename(self, fullname: str) -> str:
        name = fullname.replace(".", "/")
        return next(file for file in (f"{ROOT}/{name}/__init__.py", f"{ROOT}/{name}.py") if file in self.files)

    def get_data(self, path: str) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(path)
        return zlib.decompress(self.files[path])


def bake_in() -> None:
    """Takes the library into memory. To be called once, while the app is imported for the snapshot."""
    library = Library({file: zlib.compress(_read(file), 9) for file in _sources()})
    # First among the finders while the library itself is imported, then last: a program's own modules win, as always.
    sys.meta_path.insert(0, library)
    for name in IMPORTED:
        importlib.import_module(name)
    sys.meta_path.remove(library)
    sys.meta_path.append(library)
    # What was imported before has a loader that looks for files that are gone at run time.
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file in library.files:
            module.__loader__ = module.__spec__.loader = library


def _sources() -> Iterator[str]:
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in LEFT_OUT]
        yield from (f"{folder}/{name}" for name in files if name.endswith(".py") and name not in LEFT_OUT)


def _read(file: str) -> bytes:
    with open(file, "rb") as f:
        return f.read()
