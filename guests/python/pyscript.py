"""The `fs` module under the name that PyScript programs know, so that they run here unchanged."""

import sys

from mountfs import fs

__all__ = ["fs"]

# PyScript's is a package; this lets `from pyscript.fs import mount` work without being one.
sys.modules["pyscript.fs"] = fs
