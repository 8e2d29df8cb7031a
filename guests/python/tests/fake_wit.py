"""A stand-in for what `componentize-py` generates, so that `mountfs.fs` can be tested by any CPython.

`host` plays the component: it records each call, and answers with, or raises, what the test put in `host.answer`.
"""

import enum
import sys
from dataclasses import dataclass, field, make_dataclass
from types import ModuleType
from typing import Any


class Err(Exception):
    """As in `componentize_py_types`: how an error of a WIT function arrives."""

    def __init__(self, value: object) -> None:
        self.value = value


@dataclass
class Host:
    answer: Any = None
    table: list[Any] = field(default_factory=list)
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def call(self, *call: object) -> object:
        self.calls.append(call)
        if isinstance(self.answer, types.VARIANT):
            raise Err(self.answer)
        return self.answer


host = Host()

types = ModuleType("wit_world.imports.types")
types.Access = enum.Enum("Access", "READ READ_WRITE", start=0)
types.StartIn = enum.Enum("StartIn", "DESKTOP DOCUMENTS DOWNLOADS MUSIC PICTURES VIDEOS", start=0)
types.Conflict = make_dataclass("Conflict", ["path", "kept"])
types.Failure = make_dataclass("Failure", ["path", "reason"])
types.SyncReport = make_dataclass("SyncReport", ["files", "bytes", "removed", "conflicts", "failures"])
types.Unsynced = make_dataclass("Unsynced", ["files", "bytes"])
for case in ["InvalidPath", "InvalidId", "AlreadyMounted", "Unsupported", "Incomplete", "Other"]:
    setattr(types, f"Error_{case}", make_dataclass(f"Error_{case}", ["value"]))
for case in ["NotMounted", "Busy", "Cancelled", "Denied", "NeedsUserActivation"]:
    setattr(types, f"Error_{case}", make_dataclass(f"Error_{case}", []))
types.VARIANT = tuple(kind for name, kind in vars(types).items() if name.startswith("Error_"))
types.Error = object

mounts = ModuleType("wit_world.imports.mounts")
mounts.MountOptions = make_dataclass("MountOptions", ["access", "id", "start_in"])
mounts.MountInfo = make_dataclass("MountInfo", ["path", "id", "access", "label", "unsynced"])
for name in ["mount", "sync", "unmount", "revoke"]:
    setattr(mounts, name, lambda *arguments, name=name: host.call(name, *arguments))
mounts.mounted = lambda: host.table

imports = ModuleType("wit_world.imports")
imports.mounts, imports.types = mounts, types
runtime_types = ModuleType("componentize_py_types")
runtime_types.Err = Err
sys.modules.update({
    "wit_world": ModuleType("wit_world"),
    "wit_world.imports": imports,
    "wit_world.imports.mounts": mounts,
    "wit_world.imports.types": types,
    "componentize_py_types": runtime_types,
})  # fmt: skip
