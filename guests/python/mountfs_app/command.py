"""The `python` command line: what to run, where it is found, and how it ends."""

import ast
import asyncio
import builtins
import importlib.util
import inspect
import linecache
import os
import sys
import textwrap
import traceback
from types import CodeType, ModuleType, TracebackType

USAGE = """\
usage: python [option] ... [-c cmd | -m mod | file | -] [arg] ...
Options:
-c cmd : run the program given as text
-m mod : run a library module as a program
-h     : print this help (also --help)
-V     : print the version of Python (also --version)
file   : run the program in this file
-      : run the program on standard input (the default)
arg ...: arguments of the program, in sys.argv[1:]
A program may use `await` at its top level. `from mountfs import fs` mounts folders of the user's machine.
PYTHONPATH: folders, separated by ':', that modules are looked for in, before the standard library.
"""


class UsageError(Exception):
    """The command line, not the program, is wrong."""


def main(arguments: list[str]) -> int:
    """Runs the command line, without the name of the command itself. Answers the exit code.

    A program's uncaught exception is printed, and answers 1; a `SystemExit` answers its own code. What cannot be run at
    all answers 2, as in `python` (1 for a module that is not there).
    """
    try:
        match arguments:
            case ["-h" | "--help", *_]:
                print(USAGE, end="")
                return 0
            case ["-V" | "--version", *_]:
                print("Python", sys.version.split()[0])
                return 0
            case ["-c" | "-m" as option]:
                raise UsageError(f"argument expected for the {option} option")
            case ["-c", text, *rest]:
                return run_text(textwrap.dedent(text).encode(), "<string>", ["-c", *rest])
            case ["-m", name, *rest]:
                return run_module(name, rest)
            case [] | ["-", *_]:
                return run_text(sys.stdin.buffer.read(), "<stdin>", arguments or [""])
            case [option, *_] if option.startswith("-"):
                raise UsageError(f"unknown option {option}")
            case [file, *_]:
                return run_file(file, arguments)
    except UsageError as error:
        print(f"python: {error}; `-h` prints what there is", file=sys.stderr)
        return 2


def run_text(source: bytes, name: str, argv: list[str]) -> int:
    """Runs a program that has no file. Its modules are looked for in the current directory, wherever that goes."""
    sys.path.insert(0, "")
    # So that tracebacks show its lines.
    linecache.cache[name] = (len(source), None, source.decode(errors="replace").splitlines(keepends=True), name)
    return run(source, name, argv, {})


def run_file(file: str, argv: list[str]) -> int:
    """Runs a program from a file. Its modules are looked for beside it."""
    try:
        with open(file, "rb") as f:
            source = f.read()
    except OSError as error:
        print(f"python: can't open file {file!r}: {error.strerror}", file=sys.stderr)
        return 2
    sys.path.insert(0, os.path.dirname(os.path.realpath(file)))
    path = os.path.abspath(file)
    return run(source, path, argv, {"__file__": path})


def run_module(name: str, rest: list[str]) -> int:
    """Runs a module, or a package's `__main__`, as a program. Modules are looked for in the current directory."""
    sys.path.insert(0, os.getcwd())
    try:
        spec = importlib.util.find_spec(name)
        if spec and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
        source = spec and spec.loader.get_source(spec.name)
    except (ImportError, AttributeError, ValueError) as error:
        print(f"python: cannot run module {name!r}: {error}", file=sys.stderr)
        return 1
    if source is None:
        print(f"python: no module {name!r} that can be run (it, or its __main__, was not found)", file=sys.stderr)
        return 1
    names = {"__file__": spec.origin, "__spec__": spec, "__package__": spec.parent, "__loader__": spec.loader}
    return run(source, spec.origin, [spec.origin, *rest], names)


def run(source: str | bytes, filename: str, argv: list[str], names: dict[str, object]) -> int:
    """Runs a program's source as `__main__`."""
    main = sys.modules["__main__"] = ModuleType("__main__")
    vars(main).update({"__builtins__": builtins, **names})
    sys.argv[:] = argv
    code = None
    try:
        code = compile(source, filename, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(eval(code, vars(main)))
        else:
            exec(code, vars(main))
        return 0
    except SystemExit as exit:
        return status(exit.code)
    except BaseException as error:
        report(error, code)
        return 1


def status(code: object) -> int:
    """The exit code for what `sys.exit()` was given: nothing, a number, or a last word."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def report(error: BaseException, code: CodeType | None) -> None:
    """Prints an uncaught exception, from the program's first frame on (an error in its syntax has none)."""
    tb: TracebackType | None = error.__traceback__
    while tb and tb.tb_frame.f_code is not code:
        tb = tb.tb_next
    error.__traceback__ = tb
    try:
        sys.excepthook(type(error), error, tb)
    except BaseException:
        print("Error in sys.excepthook:", file=sys.stderr)
        traceback.print_exc()
        traceback.print_exception(error)
