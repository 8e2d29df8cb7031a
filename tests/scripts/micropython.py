# MicroPython's users in a folder; README.md says what is common to all interpreters.
#
# Leaves nothing besides.

import errno
import json
import os

FOLDER, FILE = 0x4000, 0x8000


def ok(fact):
    print("ok", fact)


def read(path):
    with open(path) as file:
        return file.read()


def write(path, text, mode="w"):
    with open(path, mode) as file:
        file.write(text)


def fails(code, action, *arguments):
    try:
        action(*arguments)
    except OSError as error:
        assert error.errno == code, error
    else:
        raise AssertionError("it succeeded")


assert os.listdir("/local") == ["input.csv"], os.listdir("/local")
ok("list")

rows = [line.split(",") for line in read("/local/input.csv").split()[1:]]
people = [[name, int(age)] for name, age in rows]
assert people == [["ada", 36], ["grace", 45]], people
ok("read")

write("/local/notes.txt", "one\n")
with open("/local/people.json", "w") as file:
    json.dump(people, file, separators=(",", ":"))
assert read("/local/notes.txt") == "one\n"
ok("write")

write("/local/notes.txt", "two\n", "a")
assert read("/local/notes.txt") == "one\ntwo\n"
ok("append")

write("/local/notes.txt", b"O", "r+b")
assert read("/local/notes.txt") == "One\ntwo\n"
ok("update")

status = os.stat("/local/notes.txt")
assert status[0] & 0xF000 == FILE and status[6] == 8, status
assert os.stat("/local")[0] & 0xF000 == FOLDER
ok("stat")

os.mkdir("/local/folder")
os.mkdir("/local/folder/inner")
assert os.listdir("/local/folder") == ["inner"]
ok("make-directories")

os.rename("/local/notes.txt", "/local/folder/inner/moved.txt")
assert "notes.txt" not in os.listdir("/local")
assert read("/local/folder/inner/moved.txt") == "One\ntwo\n"
ok("rename")

fails(errno.ENOENT, open, "/local/notes.txt")
ok("missing")

ENOTEMPTY = 55  # as WASI counts; `errno` here does not name it
fails(ENOTEMPTY, os.rmdir, "/local/folder")
ok("not-empty")

write("/local/gone.txt", "")
os.remove("/local/gone.txt")
assert sorted(os.listdir("/local")) == ["folder", "input.csv", "people.json"]
ok("remove")

os.mkdir("/local/gone")
os.rmdir("/local/gone")
assert "gone" not in os.listdir("/local")
ok("remove-directories")

kinds = {entry[0]: entry[1] for entry in os.ilistdir("/local")}
assert kinds == {"folder": FOLDER, "input.csv": FILE, "people.json": FILE}, kinds
ok("ilistdir")

with open("/local/people.json") as file:
    assert json.load(file) == people
ok("json")
