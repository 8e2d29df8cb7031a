# What Python does in the folder, the same under mountfs and under Pyodide.
import json
import os
import time


def read(path, offset, length):
    with open(f"/local/{path}", "rb") as file:
        file.seek(offset)
        return file.read(length).decode()


def walk():
    return sum(os.stat(os.path.join(at, name)).st_size for at, _, names in os.walk("/local") for name in names)


def read_all():
    total = 0
    for at, _, names in os.walk("/local"):
        for name in names:
            with open(os.path.join(at, name), "rb") as file:
                total += len(file.read())
    return total


def overwrite(path, offset, text):
    with open(f"/local/{path}", "r+b") as file:
        file.seek(offset)
        file.write(text.encode())


def create(folder, count, text):
    os.mkdir(f"/local/{folder}")
    for number in range(count):
        with open(f"/local/{folder}/{number}.txt", "wb") as file:
            file.write(text.encode())


def measure(work):
    """Does some work, which is told as JSON, and tells what came of it."""
    arguments = json.loads(work)
    function = globals()[arguments.pop("do")]
    begun = time.perf_counter_ns()
    saw = function(**arguments)
    return json.dumps({"took": (time.perf_counter_ns() - begun) / 1e6, "saw": saw})
