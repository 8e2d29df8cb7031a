"""Runs cells, one after another, in one namespace: what a notebook calls a kernel.

Each line of standard input is a cell, as JSON. What a cell prints goes to the standard streams as it is; where it ends,
a line of JSON between two control characters says how.
"""

import ast
import asyncio
import inspect
import json
import linecache
import sys
import traceback
from types import ModuleType


def main() -> None:
    module = sys.modules["__main__"] = ModuleType("__main__")
    lines = sys.stdin.buffer
    # `input()` in a cell would wait for what the page never sends.
    sys.stdin = None
    with asyncio.Runner() as runner:
        for line in lines:
            cell = json.loads(line)
            end = {"cell": cell["cell"], **run(cell, vars(module), runner)}
            sys.stdout.flush()
            sys.stderr.flush()
            sys.stdout.write(f"\x1e{json.dumps(end)}\x1f")
            sys.stdout.flush()


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
