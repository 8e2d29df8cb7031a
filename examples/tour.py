"""A tour of `fs`: mount a folder, work in it, give it back. Reads nothing but what it mounts."""

import csv
import os
from collections import Counter
from pathlib import Path

from mountfs import fs


def step(text):
    print(f"\n-- {text}")


step("mount the folder that was granted, at /local")
mount = await fs.mount("/local")
print(f"   {mount.label!r} is at {mount.path}, {mount.mode}")

step("list it with os, walk it with pathlib")
print("  ", *sorted(os.listdir("/local")))
files = [path for path in Path("/local").rglob("*") if path.is_file()]
print(f"   {len(files)} files, {sum(path.stat().st_size for path in files):,} bytes")

step("read every file, and write what is in them with csv")
lines = Counter()
for path in files:
    lines[path.suffix or path.name] += len(path.read_bytes().splitlines())
with open("/local/lines.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["kind", "lines"])
    writer.writerows(lines.most_common())
print("   unsynced:", *fs.mounted["/local"].unsynced or ["this host cannot tell"])

step("sync: on disk, durably")
print("  ", await fs.sync("/local"))

step("unmount, and mount it again for reading only")
await fs.unmount("/local")
print("   /local exists:", os.path.exists("/local"))
await fs.mount("/local", mode="read")
with open("/local/lines.csv", newline="") as file:
    for row in list(csv.DictReader(file))[:3]:
        print(f"   {row['kind']:8} {row['lines']:>6} lines")

step("a write is refused")
try:
    open("/local/lines.csv", "a")
except OSError as error:
    print("  ", error)
else:
    raise SystemExit("a read-only folder was opened for writing")

step("revoke: the folder is given back, open files included")
held = open("/local/lines.csv")
print("   revoked:", await fs.revoke("/local"))
try:
    held.read()
except OSError as error:
    print("   the open file:", error)
else:
    raise SystemExit("a revoked folder was read")
try:
    await fs.mount("/local")
except RuntimeError as error:
    print("  ", error)
else:
    raise SystemExit("a revoked folder was mounted again")
