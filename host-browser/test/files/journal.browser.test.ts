// The journal in a real browser: what a tab had not pushed when it died, in each place and on each way there.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Browser, type Folder, type Place } from "./fixture.js";

let browser: Browser;
beforeAll(async () => void (browser = await Browser.start()), 60_000);
afterAll(() => browser?.stop(), 60_000);

const NOTHING = { files: 0n, bytes: 0n, removed: 0n, conflicts: [], failures: [] };

describe.each<Place>(["local", "opfs"])("on a folder of kind %s", (place) => {
  const on = (name: string, work: (folder: Folder) => Promise<void>) =>
    test(name, async () => work(await browser.folder(place)), 60_000);

  on("what was written and renamed is found under its last name", async (folder) => {
    await folder.write("old", "old");
    await folder.write("d/in", "in");
    const report = await folder.run(async ({ Tab, handle, bytes }) => {
      const dead = await Tab.open(handle);
      const { guest } = dead;
      const [old, inner] = [await guest.writing("old"), await guest.writing("d/in")];
      const fresh = await guest.writing("new", { create: true });
      await old.write(bytes("OLD!"), 0n);
      await guest.rename("d", "e");
      await inner.write(bytes("!"), 2n);
      await guest.rename("e", "f");
      await inner.setSize(8n);
      await fresh.write(bytes("new"), 2n);
      await guest.rename("new", "old");
      await guest.write("gone", "gone");
      await guest.unlink("gone");
      await dead.die();
      const tab = await Tab.open(handle);
      const report = await tab.recover();
      await tab.die();
      return report;
    });
    expect(report).toEqual({ ...NOTHING, files: 2n, bytes: 3n });
    expect([await folder.read("old"), await folder.read("f/in")]).toEqual(["\0\0new", "in!\0\0\0\0\0"]);
    expect(await folder.names()).toEqual(["f", "old"]);
  });

  const renamed = (what: "new" | "old", expected: string[]) =>
    on(`whichever call is the last one of a rename of a file that is ${what}, an unsynced one is not kept beside it`, async (folder) => {
      const found = await folder.run(async ({ Tab, handle, outside, watched }, what) => {
        const found: string[] = [];
        for (let last = 1, done = false; !done; last++) {
          const place = await handle.getDirectoryHandle(String(last), { create: true });
          await outside.write(place, "a", "old");
          if (what === "old") await outside.write(place, "b", "renamed");
          const died = Promise.withResolvers<void>();
          let calls: number | undefined;
          const hook = (call: string) => {
            // A lock of the browser's goes with the tab.
            if (calls === undefined || call === "abort" || ++calls <= last) return undefined;
            died.resolve();
            return new Promise(() => {});
          };
          const dead = await Tab.open(place, "read-write", (handle) => watched(handle, hook));
          await dead.guest.write("a", "mine");
          if (what === "new") await dead.guest.write("b", "renamed");
          calls = 0;
          const renamed = Promise.resolve(dead.guest.rename("b", "a")).then(() => void (done = true));
          await Promise.race([renamed, died.promise]);
          renamed.catch(() => {});
          await dead.die();
          // Once the browser has let go of what was being written.
          const a = await place.getFileHandle("a");
          const lock = { keepExistingData: true, mode: "exclusive" };
          const isFree = async () => a.createWritable(lock).then((stream) => stream.abort()).then(() => true, () => false);
          while (!(await isFree()));
          const tab = await Tab.open(place);
          const { conflicts, failures } = await tab.recover();
          await tab.die();
          const texts = [];
          for (const name of await outside.names(place)) texts.push(`${name} ${await outside.read(place, name)}`);
          found.push([...texts, conflicts.length, failures.length].join(", "));
        }
        return [...new Set(found)].sort();
      }, what);
      expect(found).toEqual(expected);
    });
  renamed("old", ["a mine, b renamed, 0, 0", "a renamed, 0, 0", "a renamed, b renamed, 0, 0"]);
  renamed("new", ["a mine, b renamed, 0, 0", "a renamed, 0, 0"]);

  on("whichever record is the last one of a rename over an unsynced file, one of the two versions is recovered", async (folder) => {
    const found = await folder.run(async ({ Tab, handle, outside }) => {
      const { prototype } = (globalThis as never as { FileSystemSyncAccessHandle: { prototype: Record<string, Function> } })
        .FileSystemSyncAccessHandle;
      const { write, truncate } = prototype;
      const found: string[] = [];
      for (let last = 0, died = true; died; last++) {
        const place = await handle.getDirectoryHandle(String(last), { create: true });
        await outside.write(place, "a", "old");
        const dead = await Tab.open(place);
        await dead.guest.write("a", "mine");
        await dead.guest.write("b", "renamed");
        let records = 0;
        died = false;
        const unlessDead = (call: Function) =>
          function (this: unknown, ...args: [{ length: number }, unknown]) {
            died ||= ++records > last;
            return died ? args[0].length : call.apply(this, args);
          };
        Object.assign(prototype, { write: unlessDead(write!), truncate: unlessDead(truncate!) });
        await dead.guest.rename("b", "a");
        const whole = !died;
        died = true;
        await dead.die();
        died = !whole;
        Object.assign(prototype, { write, truncate });
        const tab = await Tab.open(place);
        const { conflicts, failures } = await tab.recover();
        await tab.die();
        if (conflicts.length + failures.length > 0) throw new Error(`${last}: there is more than one of them`);
        found.push(await outside.read(place, "a"));
      }
      return found;
    });
    expect(found.length).toBeGreaterThan(2);
    expect([...new Set(found)].sort()).toEqual(["mine", "renamed"]);
  });

  on("a large file that was being removed is gone, or as it was, whichever call was the last one", async (folder) => {
    const found = await folder.run(async ({ Tab, handle, outside, watched, bytes }) => {
      const found: string[] = [];
      for (const removal of ["before", "after", "failed"]) {
        const place = await handle.getDirectoryHandle(removal, { create: true });
        // So large that its bytes are not kept.
        const text = "old".repeat(500_000);
        await outside.write(place, "a", text);
        const died = Promise.withResolvers<void>();
        const hook = async (call: string) => {
          if (call !== "removeEntry") return;
          if (removal === "failed") throw new DOMException("", "NotAllowedError");
          if (removal === "after") await place.removeEntry("a");
          died.resolve();
          await new Promise(() => {});
        };
        const dead = await Tab.open(place, "read-write", (handle) => watched(handle, hook));
        const file = await dead.guest.writing("a");
        await file.write(bytes("new"), 150_000n);
        const removed = Promise.resolve(dead.guest.unlink("a")).catch(() => {});
        await Promise.race([removed, died.promise]);
        await dead.die();
        const tab = await Tab.open(place);
        const { files, conflicts, failures } = await tab.recover();
        await tab.die();
        const changed = text.slice(0, 150_000) + "new" + text.slice(150_003);
        for (const name of await outside.names(place)) {
          found.push(`${removal} ${name} ${(await outside.read(place, name)) === changed}`);
        }
        found.push(`${removal} ${files} ${conflicts.length} ${failures.length}`);
      }
      return found;
    });
    expect(found).toEqual(["before a true", "before 1 0 0", "after 0 0 0", "failed a true", "failed 1 0 0"]);
  });

  on("a file of which the disk has all already is no conflict", async (folder) => {
    await folder.write("a", "one");
    await folder.write("b", "one");
    const report = await folder.run(async ({ Tab, handle, outside }) => {
      const dead = await Tab.open(handle);
      await dead.guest.append("a", " two");
      await dead.guest.write("b", "new");
      await dead.die();
      // As if it had died when the swap was done.
      await outside.write(handle, "a", "one two");
      await outside.write(handle, "b", "new");
      const tab = await Tab.open(handle);
      const report = await tab.recover();
      await tab.die();
      return report;
    });
    expect(report).toMatchObject({ conflicts: [], failures: [] });
    expect([await folder.names(), await folder.read("a"), await folder.read("b")]).toEqual([["a", "b"], "one two", "new"]);
  });

  on("a file that another program changed, removed, or put a directory in its place", async (folder) => {
    for (const name of ["changed", "removed", "replaced", "d/in"]) {
      await folder.write(name, "base");
    }
    await folder.run(async ({ Tab, handle, sleep }) => {
      const { arrayBuffer } = Blob.prototype;
      const reads: Promise<unknown>[] = [];
      Blob.prototype.arrayBuffer = function () {
        const read = arrayBuffer.call(this);
        reads.push(read);
        return read;
      };
      const dead = await Tab.open(handle);
      for (const name of ["changed", "removed", "replaced", "d/in"]) {
        await dead.guest.append(name, " and more");
      }
      // What was there before is noted when it was read.
      await Promise.all(reads);
      await sleep(0);
      Blob.prototype.arrayBuffer = arrayBuffer;
      await dead.die();
    });
    await folder.write("changed", "another");
    await folder.remove("removed");
    await folder.remove("replaced");
    await folder.write("replaced/in", "in");
    await folder.remove("d");
    const report = await folder.run(async ({ Tab, handle }) => {
      const tab = await Tab.open(handle);
      const report = await tab.recover();
      await tab.die();
      return report;
    });
    const kept = Object.fromEntries(report.conflicts.map(({ path, kept }) => [path, kept]));
    expect([Object.keys(kept).sort(), report.failures]).toEqual([["changed", "replaced"], []]);
    for (const name of [kept["changed"]!, kept["replaced"]!, "removed", "d/in"]) {
      expect(await folder.read(name)).toBe("base and more");
    }
    expect([await folder.read("changed"), await folder.read("replaced/in")]).toEqual(["another", "in"]);
  });

  on("two that were left: each is saved, and of two versions of a file both are kept", async (folder) => {
    const report = await folder.run(async ({ Tab, handle }) => {
      const tabs = [await Tab.open(handle), await Tab.open(handle)] as const;
      await tabs[0].guest.write("a", "first");
      await tabs[0].guest.sync();
      for (const [number, { guest }] of tabs.entries()) {
        await guest.write("a", `second ${number}`);
        await guest.write(`only ${number}`, "text");
      }
      for (const tab of tabs) {
        await tab.die();
      }
      const tab = await Tab.open(handle);
      const report = await tab.recover();
      const left = tab.journals.left;
      await tab.die();
      return { ...report, left };
    });
    expect(report).toMatchObject({ files: 4n, conflicts: [{ path: "a" }], failures: [], left: { files: 0, bytes: 0 } });
    const texts = [await folder.read("a"), await folder.read(report.conflicts[0]!.kept)];
    expect(texts.sort()).toEqual(["second 0", "second 1"]);
    expect(await folder.names()).toEqual(expect.arrayContaining(["only 0", "only 1"]));
  });

  on("what cannot be saved stays unsynced, and is found again by the next", async (folder) => {
    const seen = await folder.run(async ({ Tab, handle }) => {
      const dead = await Tab.open(handle);
      await dead.guest.write("a", "text");
      await dead.die();
      const { createWritable } = FileSystemFileHandle.prototype;
      FileSystemFileHandle.prototype.createWritable = async () => {
        throw new DOMException("full", "QuotaExceededError");
      };
      const tab = await Tab.open(handle);
      const full = await tab.recover();
      const state = [tab.guest.tree.unsynced(), tab.journals.left];
      FileSystemFileHandle.prototype.createWritable = createWritable;
      await tab.die();
      const last = await Tab.open(handle);
      const report = await last.recover();
      await last.die();
      return { full, state, report };
    });
    expect(seen.full.failures).toEqual([{ path: "a", reason: "there is no space left" }]);
    expect(seen.state).toEqual([{ files: 1, bytes: 4 }, { files: 0, bytes: 0 }]);
    expect(seen.report).toMatchObject({ files: 1n, bytes: 4n, failures: [] });
    expect(await folder.read("a")).toBe("text");
  });
});

test("of many that look for one journal, one finds it, and the next when that one ends", async () => {
  const folder = await browser.folder("opfs");
  const found = await folder.run(async ({ Tab, handle }) => {
    const dead = await Tab.open(handle);
    await dead.guest.write("a", "text");
    await dead.die();
    const tabs = await Promise.all(Array.from({ length: 8 }, () => Tab.open(handle)));
    const counts: number[] = [];
    for (const left = new Set(tabs); left.size > 0; ) {
      const finder = await Promise.race([...left].map((tab) => tab.found.then(() => tab)));
      counts.push(tabs.reduce((sum, tab) => sum + tab.journals.left.files, 0));
      left.delete(finder);
      await finder.die();
    }
    return counts;
  });
  expect(found).toEqual(Array(8).fill(1));
});

test("tabs that begin and end beside each other lose nothing, and leave nothing", async () => {
  const folder = await browser.folder("opfs");
  const { saved, left } = await folder.run(async ({ Tab, handle }) => {
    await Promise.all(
      Array.from({ length: 12 }, async (_, number) => {
        const tab = await Tab.open(handle);
        await tab.guest.write(`file ${number}`, `text ${number}`);
        await (number % 3 ? tab.die() : tab.guest.sync().then(() => tab.die()));
      }),
    );
    const tab = await Tab.open(handle);
    let saved = 0;
    for (;;) {
      const { files } = await tab.recover();
      saved += Number(files);
      if (files === 0n) {
        break;
      }
    }
    await tab.die();
    const { storageBuckets } = navigator as never as { storageBuckets: { open(name: string): Promise<StorageManager> } };
    const bucket = await (await storageBuckets.open("mountfs-journals")).getDirectory();
    const shelf = await bucket.getDirectoryHandle("mountfs-journals-1");
    const left: string[] = [];
    for await (const [name, directory] of shelf.entries()) {
      if (name.includes(encodeURIComponent(`/${handle.name}`)) && directory.kind === "directory") {
        for await (const file of directory.keys()) {
          left.push(file);
        }
      }
    }
    return { saved, left };
  });
  expect({ saved, left }).toEqual({ saved: 8, left: [] });
  for (let number = 0; number < 12; number++) {
    expect(await folder.read(`file ${number}`)).toBe(`text ${number}`);
  }
}, 60_000);

test("a folder that ends while one in it is used: nothing more is written to it, and the other has what it sees", async () => {
  const folder = await browser.folder("local");
  await folder.write("a", "base");
  await folder.write("d/a", "base");
  const report = await folder.run(async ({ Guest, Tab, handle, sleep, pushSoon }) => {
    pushSoon();
    const outer = new Guest(handle);
    await outer.append("a", "!");
    await outer.append("d/a", "!");
    const inner = await Tab.open(await handle.getDirectoryHandle("d"), "read-write", (handle) => handle);
    await inner.guest.stat("a");
    outer.tree.end();
    // What is closed is pushed soon.
    while (inner.guest.tree.unsynced().files > 0) {
      await sleep(20);
    }
    await inner.guest.append("a", "?");
    await inner.die();
    const tab = await Tab.open(await handle.getDirectoryHandle("d"));
    const report = await tab.recover();
    await tab.die();
    return report;
  });
  expect(report).toEqual({ ...NOTHING, files: 1n, bytes: 1n });
  expect([await folder.read("a"), await folder.read("d/a")]).toEqual(["base", "base!?"]);
}, 60_000);

test("an extent in the middle of a large file: the rest is what the disk has", async () => {
  const folder = await browser.folder("local");
  const large = "x".repeat(2 << 20);
  await folder.write("large", large);
  const report = await folder.run(async ({ Tab, handle, bytes }) => {
    const dead = await Tab.open(handle);
    const file = await dead.guest.writing("large");
    await file.write(bytes("middle"), 500_000n);
    await dead.die();
    const tab = await Tab.open(handle);
    const report = await tab.recover();
    await tab.die();
    return report;
  });
  expect(report).toEqual({ ...NOTHING, files: 1n, bytes: 6n });
  expect((await folder.read("large")) === `${large.slice(0, 500_000)}middle${large.slice(500_006)}`).toBe(true);
}, 60_000);

test("a journal that is full costs the guest nothing, and what it had is found", async () => {
  const folder = await browser.folder("local");
  const seen = await folder.run(async ({ Tab, handle, kept }) => {
    kept.tab = await Tab.open(handle);
    await kept.tab.guest.write("small", "text");
    return kept.tab.journals.isWhole;
  });
  await browser.quota(1 << 20);
  const full = await folder.run(async ({ kept: { tab }, thrown }) => {
    const file = await tab.guest.writing("large", { create: true });
    const code = await thrown(async () => {
      for (let at = 0n; at < 4n; at++) {
        await file.write(new Uint8Array(1 << 20), at << 20n);
      }
    });
    const { isWhole } = tab.journals;
    await tab.die();
    return { code, isWhole };
  });
  await browser.quota(undefined);
  const report = await folder.run(async ({ Tab, handle }) => {
    const tab = await Tab.open(handle);
    const report = await tab.recover();
    await tab.die();
    return report;
  });
  expect([seen, full]).toEqual([true, { code: undefined, isWhole: false }]);
  expect(report).toMatchObject({ failures: [], conflicts: [] });
  expect(await folder.read("small")).toBe("text");
}, 60_000);

test("what is being recovered when its folder ends is found by the next", async () => {
  const folder = await browser.folder("opfs");
  const seen = await folder.run(async ({ Tab, handle }) => {
    const dead = await Tab.open(handle);
    await dead.guest.write("a", "text");
    await dead.die();
    const tab = await Tab.open(handle);
    await tab.found;
    const { getFile } = FileSystemFileHandle.prototype;
    const reading = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    FileSystemFileHandle.prototype.getFile = async function () {
      reading.resolve();
      await go.promise;
      return getFile.call(this);
    };
    const recovered = tab.recover().then(() => "done", () => "failed");
    await reading.promise;
    await tab.die();
    go.resolve();
    FileSystemFileHandle.prototype.getFile = getFile;
    const outcome = await recovered;
    const next = await Tab.open(handle);
    await next.found;
    const report = await next.recover();
    await next.die();
    return { outcome, files: report.files };
  });
  expect(seen).toEqual({ outcome: "failed", files: 1n });
  expect(await folder.read("a")).toBe("text");
}, 20_000);

test("what cannot be read hides nothing else that was left", async () => {
  const folder = await browser.folder("opfs");
  await folder.run(async ({ Tab, handle }) => {
    await (await Tab.open(handle)).die();
    const { storageBuckets } = navigator as never as { storageBuckets: { open(name: string): Promise<StorageManager> } };
    const bucket = await (await storageBuckets.open("mountfs-journals")).getDirectory();
    const shelf = await bucket.getDirectoryHandle("mountfs-journals-1");
    for await (const [name, directory] of shelf.entries()) {
      if (name.includes(encodeURIComponent(`/${handle.name}`)) && directory.kind === "directory") {
        // Many, so that the other one is hardly listed before all of them.
        for (let one = 0; one < 50; one++) {
          await directory.getFileHandle(`${crypto.randomUUID()} broken.0`, { create: true });
        }
      }
    }
    const dead = await Tab.open(handle);
    await dead.guest.write("a", "text");
    await dead.die();
    const { getFile } = FileSystemFileHandle.prototype;
    FileSystemFileHandle.prototype.getFile = async function () {
      if (this.name.endsWith("broken.0")) {
        throw new DOMException("", "NotReadableError");
      }
      return getFile.call(this);
    };
    const tab = await Tab.open(handle);
    // A lock is let go of a moment after its tab is dead.
    await tab.found;
    await tab.recover();
    await tab.die();
    FileSystemFileHandle.prototype.getFile = getFile;
  });
  expect(await folder.read("a")).toBe("text");
});

test("a mount asks the browser for little, and finds its place again when the site's data was cleared", async () => {
  const folder = await browser.folder("opfs");
  const seen = await folder.run(async ({ Tab, handle }) => {
    await (await Tab.open(handle)).die();
    const calls: string[] = [];
    const undo: (() => void)[] = [];
    for (const type of ["StorageBucketManager", "StorageBucket", "FileSystemDirectoryHandle", "FileSystemFileHandle"]) {
      const { prototype } = (globalThis as never as Record<string, { prototype: Record<string, unknown> }>)[type]!;
      for (const name of ["open", "getDirectory", "getDirectoryHandle", "getFileHandle", "createSyncAccessHandle"]) {
        const call = prototype[name] as undefined | ((...args: unknown[]) => unknown);
        if (!call) continue;
        prototype[name] = function (...args: unknown[]) {
          calls.push(name);
          return call.apply(this, args);
        };
        undo.push(() => (prototype[name] = call));
      }
    }
    const tab = await Tab.open(handle);
    const counted = [...calls];
    undo.forEach((one) => one());
    await tab.die();
    const { storageBuckets } = navigator as never as { storageBuckets: { delete(name: string): Promise<void> } };
    await storageBuckets.delete("mountfs-journals");
    const again = await Tab.open(handle);
    const { isWhole } = again.journals;
    await again.die();
    return { counted: counted.sort(), isWhole };
  });
  expect(seen.counted).toEqual([
    ...Array(3).fill("createSyncAccessHandle"),
    "getDirectoryHandle",
    ...Array(3).fill("getFileHandle"),
  ]);
  expect(seen.isWhole).toBe(true);
});
