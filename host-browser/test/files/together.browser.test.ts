// Two guests that use one folder at once, so that each sees what the other does: one of them writes to a file while the other
// renames it, its directory, or removes it. Nothing of that is lost, and nothing a conflict: they are no other programs.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Browser } from "./fixture.js";

let browser: Browser;
beforeAll(async () => void (browser = await Browser.start()), 60_000);
afterAll(() => browser?.stop(), 60_000);

test("a file whose directory was just being renamed when it was looked for is still there", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("d/f", "old");
  const report = await folder.run(async ({ Guest, handle, bytes }) => {
    const directory = FileSystemDirectoryHandle.prototype;
    const { removeEntry } = directory;
    const [one, other] = [new Guest(handle), new Guest(handle)];
    const file = await one.writing("d/f");
    directory.removeEntry = async function (name) {
      if (name === "d") {
        // Under its old name it is gone by now.
        one.tree.distrust([]);
        await Promise.resolve(file.stat()).catch(() => {});
      }
      return removeEntry.call(this, name);
    };
    try {
      await other.rename("d", "e");
    } finally {
      Object.assign(directory, { removeEntry });
    }
    await file.write(bytes("new"), 0n);
    return await one.sync();
  });
  expect(report).toMatchObject({ conflicts: [], failures: [] });
  expect([await folder.names(), await folder.names("e"), await folder.read("e/f")]).toEqual([["e"], ["f"], "new"]);
});

test("a file that is opened for writing while it is renamed is written under its new name", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("f", "old");
  const report = await folder.run(async ({ Guest, handle, bytes }) => {
    const directory = FileSystemDirectoryHandle.prototype;
    const { removeEntry } = directory;
    const [one, other] = [new Guest(handle), new Guest(handle)];
    await one.open("f");
    let opening: ReturnType<typeof one.writing> | undefined;
    directory.removeEntry = async function (name) {
      if (name === "f") {
        Object.assign(directory, { removeEntry });
        // It is copied by now.
        await (opening = one.writing("f"));
      }
      return removeEntry.call(this, name);
    };
    await other.rename("f", "g");
    const file = await opening!;
    await file.write(bytes("new"), 0n);
    return await one.sync();
  });
  expect(report).toMatchObject({ conflicts: [], failures: [] });
  expect([await folder.names(), await folder.read("g")]).toEqual([["g"], "new"]);
});

test("what is written to a file while it is copied to its new name is written there", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("f", "old, and more");
  const report = await folder.run(async ({ Guest, handle, bytes }) => {
    const stream = FileSystemWritableFileStream.prototype;
    const { close } = stream;
    const [one, other] = [new Guest(handle), new Guest(handle)];
    const file = await one.writing("f");
    stream.close = async function () {
      Object.assign(stream, { close });
      await file.write(bytes("new"), 0n);
      return close.call(this);
    };
    await other.rename("f", "g");
    return await one.sync();
  });
  expect(report).toMatchObject({ conflicts: [], failures: [] });
  expect([await folder.names(), await folder.read("g")]).toEqual([["g"], "new, and more"]);
});

test("what is written to a file while it is removed is read from it", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("f", "old, and more");
  const seen = await folder.run(async ({ Guest, handle, bytes, text }) => {
    const directory = FileSystemDirectoryHandle.prototype;
    const { removeEntry } = directory;
    const [one, other] = [new Guest(handle), new Guest(handle)];
    const file = await one.writing("f");
    directory.removeEntry = async function (name) {
      Object.assign(directory, { removeEntry });
      await file.write(bytes("new"), 0n);
      await file.setSize(7n);
      await file.setSize(9n);
      return removeEntry.call(this, name);
    };
    await other.unlink("f");
    return text((await file.read(20n, 0n))[0]);
  });
  expect(seen).toBe("new, an\0\0");
  expect(await folder.names()).toEqual([]);
});
