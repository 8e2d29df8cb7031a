"""The `python` command line, run by the CPython of these tests in a process of its own."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

APP = pathlib.Path(__file__).parent.parent / "mountfs_app"
COMMAND = "import sys, command; sys.exit(command.main(sys.argv[1:]))"


class Command(unittest.TestCase):
    def check(self, *arguments: str, code: int = 0, out: str = "", err: str | None = "", stdin: str = "") -> None:
        """Runs the command line: its exit code and output must be these, and its errors end so."""
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "prog.py").write_text("import helper, sys\nprint(__name__, sys.argv, helper.__name__)")
            pathlib.Path(folder, "helper.py").touch()
            done = subprocess.run(
                [sys.executable, "-c", COMMAND, *arguments],
                env={"PYTHONPATH": str(APP)}, cwd=folder, input=stdin, capture_output=True, text=True,
            )  # fmt: skip
        self.assertEqual((done.returncode, done.stdout), (code, out), done.stderr)
        self.assertTrue(done.stderr.endswith(err) if err else not done.stderr, done.stderr)
        self.assertNotIn(str(APP), done.stderr)

    def test_every_way_to_name_a_program(self) -> None:
        self.check("prog.py", "x", out="__main__ ['prog.py', 'x'] helper\n")
        self.check("-c", "import helper, sys; print(sys.argv)", "-c", out="['-c', '-c']\n")
        self.check("-", "x", stdin="import sys; print(sys.argv)", out="['-', 'x']\n")
        self.check(stdin="import sys; print(sys.argv)", out="['']\n")
        self.check("-m", "json.tool", stdin="[]", out="[]\n")
        self.check("-V", out=f"Python {sys.version.split()[0]}\n")

    def test_top_level_await(self) -> None:
        self.check("-c", "import asyncio; print(await asyncio.sleep(0, 'slept'))", out="slept\n")
        self.check("-c", "import asyncio; asyncio.run(asyncio.sleep(0)); print('ran')", out="ran\n")

    def test_how_a_program_ends(self) -> None:
        self.check("-c", "import sys; sys.exit(7)", code=7)
        self.check("-c", "import sys; sys.exit()")
        self.check("-c", "import sys; sys.exit('last word')", code=1, err="last word\n")
        self.check("-c", "import asyncio; await asyncio.sleep(0); 1/0", code=1, err="Error: division by zero\n")
        self.check("-c", "1 +", code=1, err="SyntaxError: invalid syntax\n")

    def test_what_cannot_be_run(self) -> None:
        self.check("-c", code=2, err="argument expected for the -c option; `-h` prints what there is\n")
        self.check("--wat", code=2, err="unknown option --wat; `-h` prints what there is\n")
        self.check("none.py", code=2, err="can't open file 'none.py': No such file or directory\n")
        self.check("-m", "none", code=1, err="(it, or its __main__, was not found)\n")


if __name__ == "__main__":
    unittest.main()
