"""CPython's users in a folder; README.md says what is common to all interpreters.

Leaves besides: `people.db`, a table `people` of two rows; `all.zip` with `people.json` and `folder/inner/moved.txt`;
`copy/`, a copy of `folder/`; nothing of the temporary files.
"""

import csv
import errno
import json
import os
import shutil
import sqlite3
import stat
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path

local = Path("/local")


def ok(fact):
    print("ok", fact)


def fails(code, action, *arguments):
    try:
        action(*arguments)
    except OSError as error:
        assert error.errno == code, error
    else:
        raise AssertionError(f"{action.__name__}{arguments} succeeded")


assert os.listdir("/local") == ["input.csv"], os.listdir("/local")
ok("list")

with open("/local/input.csv", newline="") as file:
    people = [(row["name"], int(row["age"])) for row in csv.DictReader(file)]
assert people == [("ada", 36), ("grace", 45)], people
ok("read")

with open("/local/notes.txt", "w") as file:
    file.write("one\n")
with open("/local/people.json", "w") as file:
    json.dump(people, file, separators=(",", ":"))
assert open("/local/notes.txt").read() == "one\n"
ok("write")

with open("/local/notes.txt", "a") as file:
    file.write("two\n")
assert open("/local/notes.txt").read() == "one\ntwo\n"
ok("append")

with open("/local/notes.txt", "r+b") as file:
    file.write(b"O")
assert open("/local/notes.txt").read() == "One\ntwo\n"
ok("update")

# What many programs ask before they write.
assert all(os.access(path, os.R_OK | os.W_OK) for path in ("/local", "/local/notes.txt"))

status = os.stat("/local/notes.txt")
assert stat.S_ISREG(status.st_mode) and status.st_size == 8, status
assert stat.S_ISDIR(os.stat("/local").st_mode)
ok("stat")

os.makedirs("/local/folder/inner")
assert os.listdir("/local/folder") == ["inner"]
ok("make-directories")

os.rename("/local/notes.txt", "/local/folder/inner/moved.txt")
assert not os.path.exists("/local/notes.txt")
assert open("/local/folder/inner/moved.txt").read() == "One\ntwo\n"
ok("rename")

fails(errno.ENOENT, open, "/local/notes.txt")
ok("missing")

fails(errno.ENOTEMPTY, os.rmdir, "/local/folder")
ok("not-empty")

local.joinpath("gone.txt").touch()
os.remove("/local/gone.txt")
assert sorted(os.listdir("/local")) == ["folder", "input.csv", "people.json"]
ok("remove")

os.makedirs("/local/gone/too")
os.removedirs("/local/gone/too")
assert not local.joinpath("gone").exists()
ok("remove-directories")

with open("/local/input.csv", newline="") as file:
    assert list(csv.reader(file)) == [["name", "age"], ["ada", "36"], ["grace", "45"]]
ok("csv")

shutil.copytree("/local/folder", "/local/copy")
assert os.stat("/local/copy/inner/moved.txt").st_mtime == os.stat("/local/folder/inner/moved.txt").st_mtime
ok("copytree")

found = sorted(path.relative_to(local).as_posix() for path in local.rglob("*.[tj]*"))
assert found == ["copy/inner/moved.txt", "folder/inner/moved.txt", "people.json"], found
ok("pathlib")

with tempfile.TemporaryDirectory(dir="/local") as folder:
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        file.write(b"x" * 100_000)
        file.flush()
        assert os.stat(file.name).st_size == 100_000
    assert os.listdir(folder) == []
assert not os.path.exists(folder)
ok("tempfile")

with zipfile.ZipFile("/local/all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for path in ["people.json", "folder/inner/moved.txt"]:
        archive.write(local / path, path)
with zipfile.ZipFile("/local/all.zip") as archive:
    assert archive.testzip() is None and len(archive.namelist()) == 2
ok("zip")

with closing(sqlite3.connect("/local/people.db")) as database:
    with database:
        database.execute("create table people (name text primary key, age integer)")
        database.executemany("insert into people values (?, ?)", people)
    with database:
        database.execute("update people set age = age + 1 where name = 'ada'")
with closing(sqlite3.connect("/local/people.db")) as database:
    rows = database.execute("select name, age from people order by name").fetchall()
    assert rows == [("ada", 37), ("grace", 45)], rows
    assert database.execute("pragma integrity_check").fetchone() == ("ok",)
assert not os.path.exists("/local/people.db-journal")
ok("sqlite")
