"""CPython as a WebAssembly command.

This package is the app that `componentize-py` makes a component of. Importing it is the build: the interpreter's memory
is kept as it is afterwards, and each run starts from there. So all that belongs to one run is taken afresh in `run`.
`componentize-py` itself refreshes `os.environ`, `sys.argv` and the seed of `random`; the seed of `hash()` is the one
thing that stays as it was built.

Exit codes are 0 to 255, as on a system; 120, as in CPython, when all went well but the last writes. 0 and 1 are what
`wasi:cli/run` answers, the others go through `exit-with-code` of `wasi:cli/exit`. `os._exit` knows 0 and 1 only.
"""

import gc
import sys

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import environment, exit

from . import stdlib

stdlib.bake_in()

# After the library, so that these come from it.
import pyscript  # noqa: E402, F401

from . import command, loop, process  # noqa: E402

loop.adapt()


class Run(exports.Run):
    """`wasi:cli/run`."""

    def run(self) -> None:
        process.start(environment.initial_cwd())
        code = command.main(sys.argv[1:])
        if not process.finish():
            code = code or 120
        if code > 1:
            exit.exit_with_code(code)
        if code:
            raise Err(None)


sys.path.clear()
sys.path_importer_cache.clear()
# The snapshot's objects live for ever: the collector need not look at them.
gc.collect()
gc.freeze()
