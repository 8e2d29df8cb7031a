"""Runs cells, one after another, in one namespace: what a notebook calls a kernel.

Each line of standard input is a cell, as JSON. What a cell prints goes to the standard streams as it is. What the page
has to know, how a cell ended or that it wants a line from the user, is a line of JSON after a mark that the page chose,
which nothing else prints by accident.
"""

import ast
import asyncio
import inspect
import io
import json
import linecache
import sys
import traceback
from types import ModuleType
from typing import BinaryIO

MARK = sys.argv[1]


class Answers(io.RawIOBase):
    """Standard input as the cells have it: each line that one reads is asked of the user."""

    def __init__(self, lines: BinaryIO) -> None:
        self.lines = lines
        self.rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        if not self.rest:
            tell(asks=True)
            answer = json.loads(self.lines.readline())
            # `None` is the end of the input, as Ctrl+D is in a terminal; who reads on is asked again, as there.
            self.rest = b"" if answer is None else f"{answer}\n".encode()
        size = min(len(buffer), len(self.rest))
        buffer[:size], self.rest = self.rest[:size], self.rest[size:]
        return size


def main() -> None:
    module = sys.modules["__main__"] = ModuleType("__main__")
    lines = sys.stdin.detach()
    # The cells come there: one that read from it itself would take the next one for its answer.
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.BufferedReader(Answers(lines)), encoding="utf-8")
    with asyncio.Runner() as runner:
        for line in lines:
            cell = json.loads(line)
            tell(cell=cell["cell"], **run(cell, vars(module), runner))


def tell(**what: object) -> None:
    """Tells the page, after everything that was printed before."""
    sys.__stderr__.flush()
    sys.__stdout__.write(f"{MARK}{json.dumps(what)}\n")
    sys.__stdout__.flush()


def run(cell: dict, names: dict, runner: asyncio.Runner) -> dict:
    """Runs a cell. Answers the text of its last line's value, or of its error."""
    file = f"<cell {cell['cell']}>"
    source = cell["source"]
    # So that tracebacks show its lines.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    try:
        tree = ast.parse(source, file)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(";"):
            last = ast.Expression(tree.body.pop().value)
        execute(tree, file, "exec", names, runner)
        value = execute(last, file, "eval", names, runner) if last else None
        if value is None:
            return {}
        names["_"] = value
        return {"value": repr(value)}
    except SystemExit:
        return {}
    except BaseException as error:
        return {"error": explain(error, file)}


def execute(tree: ast.AST, file: str, mode: str, names: dict, runner: asyncio.Runner) -> object:
    code = compile(tree, file, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    value = eval(code, names)
    if code.co_flags & inspect.CO_COROUTINE:
        return runner.run(value)
    return value


def explain(error: BaseException, file: str) -> str:
    """The traceback from the cell's own lines on."""
    tb = error.__traceback__
    while tb and tb.tb_frame.f_code.co_filename != file:
        tb = tb.tb_next
    return "".join(traceback.format_exception(type(error), error, tb))


main()
