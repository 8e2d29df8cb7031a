/** The cells that the notebook starts with. */
export const EXAMPLES: { note: string; source: string }[] = [
  {
    note: "Choose a folder. Python sees it at /local, and nothing else of your computer.",
    source: `from pyscript import fs

await fs.mount("/local")`,
  },
  {
    note: "Everything Python knows about files works, on the files themselves: nothing was copied.",
    source: `from pathlib import Path

for path in sorted(Path("/local").iterdir()):
    size = f"{path.stat().st_size:,}" if path.is_file() else "folder"
    print(f"{size:>10}  {path.name}")`,
  },
  {
    note: "Write a table, and watch it appear in the list of files.",
    source: `import csv, math

with open("/local/waves.csv", "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["degree", "sine", "cosine"])
    for degree in range(0, 360, 10):
        angle = math.radians(degree)
        table.writerow([degree, round(math.sin(angle), 4), round(math.cos(angle), 4)])

print(open("/local/waves.csv").read()[:60], "…")`,
  },
  {
    note: "A database, in your folder.",
    source: `import sqlite3

with sqlite3.connect("/local/notes.db") as db:
    db.execute("create table if not exists notes (at text default current_timestamp, text)")
    db.execute("insert into notes (text) values ('written by CPython, in a browser')")
    rows = db.execute("select * from notes order by at desc limit 3").fetchall()

rows`,
  },
  {
    note: "Put everything on disk now. Then press Revoke, and run the second cell again.",
    source: `print(await fs.sync("/local"))`,
  },
];
