"""Runs modules of CPython's own tests in a folder: `cpython_tests.py FOLDER SUITE MODULE...`, SUITE being the folder that
has the package `test`. Prints one line a test, its outcome and its name, which is the same for the same behaviour of the
file system: what a mount does can be compared with what a preopened directory does. Reasons go to standard error.
"""

import importlib
import os
import sys
import unittest

folder, suite, *modules = sys.argv[1:]
sys.path.append(suite)
os.environ["TMPDIR"] = folder
os.chdir(folder)

from test import support  # noqa: E402

# Nothing that takes gigabytes or minutes.
support.use_resources = []

# What ends the program in every folder, and so would hide the tests after it.
LEFT_OUT = {
    "a name that is not UTF-8 traps in the adapter from preview 1": [
        "Pep383Tests", "test_exists", "test_invalid_paths", "test_isdir", "test_isfile", "test_islink",
        "test_ismount_non_existent", "test_lexists", "test_oserror_filename", "test_realpath_invalid_paths",
    ],
    "the stack of this build is too small": ["testRecursiveRepr", "test_recursive_repr"],
}  # fmt: skip


class Lines(unittest.TestResult):
    def tell(self, outcome: str, test: unittest.TestCase, reason: str = "") -> None:
        print(outcome, test.id(), flush=True)
        if reason:
            print(f"{outcome} {test.id()}: {reason}", file=sys.stderr)

    def addSuccess(self, test):
        self.tell("ok", test)

    def addExpectedFailure(self, test, error):
        self.tell("ok", test)

    def addUnexpectedSuccess(self, test):
        self.tell("failed", test, "it was expected to fail")

    def addSkip(self, test, reason):
        self.tell("skipped", test, reason)

    def addError(self, test, error):
        self.tell("failed", test, self._exc_info_to_string(error, test))

    addFailure = addError

    def addSubTest(self, test, subtest, error):
        if error:
            self.tell("failed", test, self._exc_info_to_string(error, test))


def leave_out(tests: unittest.TestSuite) -> None:
    for test in tests:
        if isinstance(test, unittest.TestSuite):
            leave_out(test)
            continue
        names = {type(test).__name__, test._testMethodName}
        for reason in (reason for reason, left_out in LEFT_OUT.items() if names.intersection(left_out)):
            setattr(test, test._testMethodName, unittest.skip(reason)(getattr(test, test._testMethodName)))


for module in modules:
    try:
        tests = unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(f"test.{module}"))
    except unittest.SkipTest as reason:
        print("skipped", module, flush=True)
        print(f"skipped {module}: {reason}", file=sys.stderr)
        continue
    leave_out(tests)
    tests.run(Lines())
