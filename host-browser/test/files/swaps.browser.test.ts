// Swap files that a browser left beside the files it wrote: they get in nobody's way.
import { utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Browser } from "./fixture.js";
import type { Kit } from "./guest.js";

let browser: Browser;
beforeAll(async () => void (browser = await Browser.start()), 60_000);
afterAll(() => browser?.stop());

test("a file of which a hundred swap files were left is written; the one that a user may have named stays", async () => {
  const folder = await browser.folder("local");
  await folder.write("a.txt", "old");
  await folder.write("a.txt.crswap", "mine");
  for (let number = 1; number < 100; number++) await folder.write(`a.txt.${number}.crswap`, "left");
  const refused = await folder.run(async ({ handle, provoked }) =>
    provoked(async () => (await handle.getFileHandle("a.txt")).createWritable()),
  );
  expect(refused.exception).toBe("AbortError");
  const report = await folder.run(async ({ Guest, handle }) => {
    const guest = new Guest(handle);
    await guest.write("a.txt", "new");
    return guest.sync();
  });
  expect(report).toMatchObject({ files: 1n, failures: [], conflicts: [] });
  expect(await folder.read("a.txt")).toBe("new");
  expect(await folder.names()).toEqual(["a.txt", "a.txt.crswap"]);
  expect(await folder.read("a.txt.crswap")).toBe("mine");
});

test("what a killed browser leaves is noted without a wait, and without a write to a database", async () => {
  const folder = await browser.folder("local");
  await folder.write("a.txt", "old");
  const seen = await folder.run(async ({ Tab, handle }) => {
    const { transaction } = IDBDatabase.prototype;
    const { open } = IDBFactory.prototype;
    const calls: string[] = [];
    IDBDatabase.prototype.transaction = function (...args) {
      calls.push("transaction");
      return transaction.apply(this, args);
    };
    IDBFactory.prototype.open = function (...args) {
      calls.push("open");
      return open.apply(this, args);
    };
    const tab = await Tab.open(handle);
    await tab.guest.write("a.txt", "new");
    await tab.guest.write("b.txt", "new");
    await tab.guest.sync();
    await tab.guest.rename("a.txt", "c.txt");
    Object.assign(IDBDatabase.prototype, { transaction });
    Object.assign(IDBFactory.prototype, { open });
    const { isEmpty } = tab.journals.swaps!;
    await tab.die();
    return { calls, isEmpty };
  });
  expect(seen).toEqual({ calls: [], isEmpty: true });
});

test("a swap file that cannot be removed stays noted, one that is gone does not", async () => {
  const folder = await browser.folder("local");
  for (const name of ["gone", "stays"]) await folder.write(name, "old");
  const seen = await folder.run(async ({ Tab, handle }) => {
    const [stream, directory] = [FileSystemWritableFileStream.prototype, FileSystemDirectoryHandle.prototype];
    const { close } = stream;
    const { removeEntry } = directory;
    // Chromium could not put it in the place of the file, and leaves it.
    stream.close = () => Promise.reject(new DOMException("", "NoModificationAllowedError"));
    const seen: boolean[] = [];
    for (const name of ["gone", "stays"]) {
      const tab = await Tab.open(handle);
      await tab.guest.write(name, "new");
      if (name === "stays") directory.removeEntry = () => Promise.reject(new DOMException("", "NotAllowedError"));
      await tab.guest.sync();
      seen.push(tab.journals.swaps!.isEmpty);
      await tab.die();
    }
    Object.assign(stream, { close });
    Object.assign(directory, { removeEntry });
    return seen;
  });
  expect(seen).toEqual([true, false]);
  expect([await folder.read("gone"), await folder.read("stays")]).toEqual(["old", "old"]);
});

test("of what was noted only what a browser left is removed: nothing older or newer, and nothing while it may not be", async () => {
  const folder = await browser.folder("local");
  const swaps = ["left", "d/left", "d/other", "older", "newer", "struck", "copy", "copy.1"].map((name) => `${name}.crswap`);
  for (const swap of swaps) await folder.write(swap, "text");
  const at = (swap: string, seconds: number) => utimesSync(join(folder.path, swap), seconds, seconds);
  at("older.crswap", Date.now() / 1000 - 10);
  at("newer.crswap", Date.now() / 1000 + 120);
  // As what is written after it was noted.
  for (const name of ["left", "d/left", "d/other", "struck"]) at(`${name}.crswap`, Date.now() / 1000 + 30);
  // To which nothing was written yet: Chromium gives it the time of the file that it is a copy of.
  await folder.write("copy", "text");
  for (const name of ["copy", "copy.crswap", "copy.1.crswap"]) at(name, 1_000_000_000);
  const read = await folder.run(async ({ Tab, handle, outside }) => {
    // As if all of this had been before this worker began.
    Object.defineProperty(performance, "timeOrigin", { configurable: true, value: Date.now() + 60_000 });
    const dead = await Tab.open(handle);
    const noted = ["left", "d/left", "gone", "older", "newer", "copy", "copy.1"];
    for (const name of noted) dead.journals.swaps!.add(`${name}.crswap`.split("/"));
    dead.journals.swaps!.add(["struck.crswap"])();
    await dead.die();
    const reader = await Tab.open(handle, "read");
    await reader.discard();
    await reader.die();
    return outside.names(handle);
  });
  expect(read).toEqual(["copy", "copy.1.crswap", "copy.crswap", "d", "left.crswap", "newer.crswap", "older.crswap", "struck.crswap"]);
  await folder.run(async ({ Tab, handle }) => {
    const tab = await Tab.open(handle);
    await tab.discard();
    await tab.die();
    Reflect.deleteProperty(performance, "timeOrigin");
  });
  expect(await folder.names()).toEqual(["copy", "d", "newer.crswap", "older.crswap", "struck.crswap"]);
  expect(await folder.names("d")).toEqual(["other.crswap"]);
});

/** What Chromium does when a directory takes the place of a file between its look and its rename: hardly ever to be met. */
const overtaken = async ({ Guest, handle, thrown }: Kit, what: "a push" | "a rename") => {
  const { prototype } = FileSystemWritableFileStream;
  const { close } = prototype;
  let times = 0;
  prototype.close = async function () {
    if (times++ > 0) return close.call(this);
    await this.abort();
    await handle.removeEntry("a.txt");
    await (await handle.getDirectoryHandle("a.txt", { create: true })).getFileHandle("a.txt.crswap", { create: true });
  };
  const guest = new Guest(handle);
  try {
    if (what === "a push") await guest.append("a.txt", " guest");
    const error = what === "a rename" ? await thrown(() => guest.rename("b.txt", "a.txt")) : undefined;
    const { conflicts, failures } = await guest.sync();
    return { error, conflicts, failures };
  } finally {
    prototype.close = close;
  }
};

test("a version that was moved into a directory in the place of its file gets the name of a conflict", async () => {
  const folder = await browser.folder("local");
  await folder.write("a.txt", "old");
  const { conflicts, failures } = await folder.run(overtaken, "a push");
  expect(failures).toEqual([]);
  expect(conflicts).toEqual([{ path: "a.txt", kept: expect.stringMatching(/^a \(conflict .*\)\.txt$/) }]);
  expect(await folder.names("a.txt")).toEqual([]);
  expect(await folder.read(conflicts[0]!.kept)).toBe("old guest");
});

test.each(["there", "new"])("a file is not removed whose copy was moved into a directory in the place of its new name, which was %s", async (before) => {
  const folder = await browser.folder("local");
  if (before === "there") await folder.write("a.txt", "old");
  await folder.write("b.txt", "renamed");
  expect(await folder.run(overtaken, "a rename")).toEqual({ error: "is-directory", conflicts: [], failures: [] });
  expect(await folder.names()).toEqual(["a.txt", "b.txt"]);
  expect(await folder.names("a.txt")).toEqual([]);
  expect(await folder.read("b.txt")).toBe("renamed");
});
