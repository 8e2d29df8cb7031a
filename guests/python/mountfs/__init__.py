"""Folders of the user's own machine, mounted into this Python: see `mountfs.fs`."""

from . import fs

__all__ = ["fs"]
