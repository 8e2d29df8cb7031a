"""The `fs` module: what it asks of the host, and what it makes of the answers."""

import io
import os
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import fake_wit  # noqa: E402
from fake_wit import host, mounts, types  # noqa: E402
from mountfs import fs  # noqa: E402

REPORT = types.SyncReport(2, 30, 1, [types.Conflict("a", "a.theirs")], [types.Failure("d/b", "no space")])
INFO = mounts.MountInfo("/local", "pyscript", types.Access.READ_WRITE, "Notes", types.Unsynced(1, 9))


class Case(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        host.__init__()

    async def error(self, call: object, kind: type[Exception], code: str, *words: str) -> Exception:
        """Awaits the call, which must raise this very type with this code, and a text with all these words."""
        with self.assertRaises(kind) as caught:
            await call
        self.assertIs(type(caught.exception), kind)
        self.assertEqual(caught.exception.code, code)
        for word in words:
            self.assertIn(word, str(caught.exception))
        return caught.exception


class Calls(Case):
    async def test_mount_defaults_are_pyscripts(self) -> None:
        host.answer = INFO
        mount = await fs.mount("/local")
        options = mounts.MountOptions(types.Access.READ_WRITE, "pyscript", None)
        self.assertEqual(host.calls, [("mount", "/local", options)])
        self.assertEqual(mount, ("/local", "pyscript", "readwrite", "Notes", (1, 9)))

    async def test_mount_passes_each_argument_on(self) -> None:
        host.answer = INFO
        await fs.mount(pathlib.PurePosixPath("/local"), "read", "downloads", "mine")
        options = mounts.MountOptions(types.Access.READ, "mine", types.StartIn.DOWNLOADS)
        self.assertEqual(host.calls, [("mount", "/local", options)])

    async def test_sync_and_unmount_answer_a_readable_report(self) -> None:
        host.answer = REPORT
        for call in fs.sync, fs.unmount:
            report = await call("/local")
            self.assertEqual(report, (2, 30, 1, (("a", "a.theirs"),), (("d/b", "no space"),)))
            for word in "2 files", "30 bytes", "1 removed", "a.theirs", "d/b: no space":
                self.assertIn(word, str(report))
        self.assertEqual(host.calls, [("sync", "/local"), ("unmount", "/local")])

    async def test_what_python_has_in_buffers_is_written_first(self) -> None:
        host.answer = REPORT
        with tempfile.TemporaryDirectory() as top:
            below, beside = os.path.join(top, "mount"), os.path.join(top, "mount-not")
            os.mkdir(below)
            for call in fs.sync, fs.unmount, fs.revoke:
                text = open(os.path.join(below, "text"), "w")
                binary = open(os.path.join(below, "binary").encode(), "w+b")
                other = open(beside, "w")
                closed = open(os.path.join(below, "closed"), "w")
                closed.close()
                for file, content in (text, "text"), (binary, b"binary"), (other, "other"):
                    file.write(content)
                await call(below)
                sizes = [os.path.getsize(file.name) for file in (text, binary, other, closed)]
                self.assertEqual(sizes, [4, 6, 0, 0], call)
                for file in text, binary, other:
                    file.close()
                os.remove(beside)

    async def test_a_detached_file_anywhere_is_no_hindrance(self) -> None:
        host.answer = REPORT
        text = io.TextIOWrapper(io.BufferedWriter(io.FileIO(os.devnull, "w")))
        buffered = text.detach()
        buffered.detach()
        await fs.sync("/local")
        self.assertEqual(host.calls, [("sync", "/local")])

    async def test_a_report_counts_as_people_do(self) -> None:
        host.answer = types.SyncReport(1, 1, 1, [], [])
        self.assertEqual(str(await fs.sync("/local")), "1 file (1 byte) synced, 1 removed")
        host.answer = types.SyncReport(0, 20, 0, [], [])
        self.assertEqual(str(await fs.sync("/local")), "0 files (20 bytes) synced, 0 removed")

    async def test_revoke_answers_whether_there_was_a_grant(self) -> None:
        for host.answer in True, False:
            self.assertIs(await fs.revoke("/local"), host.answer)
        self.assertEqual(host.calls, [("revoke", "/local", "pyscript")] * 2)

    def test_mounted_is_a_live_view_of_the_host(self) -> None:
        self.assertEqual(list(fs.mounted), [])
        host.table = [INFO, mounts.MountInfo("/ro", "mountfs", types.Access.READ, "Data", None)]
        self.assertIn("/local", fs.mounted)
        self.assertEqual(list(fs.mounted), ["/local", "/ro"])
        self.assertEqual(fs.mounted["/ro"], ("/ro", "mountfs", "read", "Data", None))
        with self.assertRaises(KeyError):
            fs.mounted["/elsewhere"]

    def test_pyscripts_name_is_the_same_module(self) -> None:
        from pyscript import fs as of_pyscript
        from pyscript.fs import mount

        self.assertIs(of_pyscript, fs)
        self.assertIs(mount, fs.mount)


class Errors(Case):
    async def test_arguments_are_refused_before_the_host_is_asked(self) -> None:
        await self.error(fs.mount("/local", mode="rw"), ValueError, "invalid-mode", "/local", "'rw'", "readwrite")
        await self.error(fs.mount("/local", root="home"), ValueError, "invalid-root", "/local", "'home'", "videos")
        await self.error(fs.sync("/\udcff"), ValueError, "invalid-path", "\\udcff")
        await self.error(fs.revoke("/local", "\udcff"), ValueError, "invalid-id", "\\udcff")
        with self.assertRaises(TypeError):
            await fs.mount(b"/local")
        self.assertEqual(host.calls, [])

    async def test_each_error_of_the_host(self) -> None:
        expected = [
            (types.Error_InvalidPath("it is not absolute"), ValueError, "invalid-path", "it is not absolute"),
            (types.Error_InvalidId("it is empty"), ValueError, "invalid-id", "it is empty"),
            (types.Error_AlreadyMounted("other"), ValueError, "already-mounted", "'other'"),
            (types.Error_AlreadyMounted("pyscript"), ValueError, "already-mounted", "'readwrite'"),
            (types.Error_Busy(), RuntimeError, "busy", "under way"),
            (types.Error_Cancelled(), RuntimeError, "cancelled", "no folder was chosen"),
            (types.Error_Denied(), RuntimeError, "denied", "did not allow"),
            (types.Error_NeedsUserActivation(), RuntimeError, "needs-user-activation", "click"),
            (types.Error_Unsupported("no picker"), RuntimeError, "unsupported", "no picker"),
            (types.Error_Other("disk on fire"), RuntimeError, "other", "disk on fire"),
        ]
        for host.answer, kind, code, why in expected:
            with self.subTest(code=code):
                await self.error(fs.mount("/local"), kind, code, "cannot mount '/local'", why)

    async def test_what_is_not_mounted_is_a_key_error(self) -> None:
        host.answer = types.Error_NotMounted()
        await self.error(fs.sync("/local"), KeyError, "not-mounted", "cannot sync '/local'")
        await self.error(fs.unmount("/local"), KeyError, "not-mounted", "cannot unmount '/local'")

    async def test_an_incomplete_sync_says_what_is_left_and_what_holds_now(self) -> None:
        host.answer = types.Error_Incomplete(REPORT)
        calls = {
            "the rest is synced": fs.sync("/local"),
            "stays mounted": fs.unmount("/local"),
            "given back all the same": fs.revoke("/local"),
        }
        for then, call in calls.items():
            error = await self.error(call, RuntimeError, "incomplete", "'/local'", then, "d/b: no space")
            self.assertEqual(error.report.failures, (("d/b", "no space"),))

    def test_the_fake_has_every_error_there_is(self) -> None:
        wit = (HERE.parents[2] / "wit" / "types.wit").read_text()
        cases = [line.strip() for line in wit.partition("variant error {")[2].partition("\n    }")[0].splitlines()]
        cases = [line.rstrip(",").partition("(")[0] for line in cases if not line.startswith("///") and line]
        names = {"Error_" + "".join(part.title() for part in case.split("-")) for case in cases}
        self.assertEqual(names, {kind.__name__ for kind in fake_wit.types.VARIANT})


if __name__ == "__main__":
    unittest.main()
