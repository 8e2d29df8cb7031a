// What happens a second time, or twice at once: a push after one that failed half-way, a removal when a push begins, two
// versions that need a name in the same moment.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Browser } from "./fixture.js";
import type { Guest } from "./guest.js";

let browser: Browser;
beforeAll(async () => void (browser = await Browser.start()), 60_000);
afterAll(() => browser?.stop(), 60_000);

test("what is left of a large file that was removed outside is never taken for its start", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  const large = Array.from({ length: 500_000 }, (_, line) => `line ${line}\n`).join("");
  await folder.write("large", large);
  await folder.run(async ({ Guest, handle, kept, bytes, watched }) => {
    let writes = 0;
    const full = (call: string) => {
      if (call === "write" && ++writes === 3) {
        throw new DOMException("", "QuotaExceededError");
      }
    };
    const open = Promise.withResolvers<void>();
    const reader = ReadableStreamDefaultReader.prototype;
    const { read } = reader;
    reader.read = function () {
      const first = read.call(this);
      void first.then(() => open.resolve());
      return first;
    };
    kept.guest = new Guest(watched(handle, full));
    kept.file = await kept.guest.writing("large");
    await kept.file.write(bytes("LINE"), 0n);
    // Only what is open then can be had later.
    await open.promise;
    Object.assign(reader, { read });
  });
  await folder.remove("large");
  const { first, second } = await folder.run(async ({ kept }) => {
    const first = await kept.guest.sync();
    return { first, second: await kept.guest.sync() };
  });
  expect(first.failures).toEqual([{ path: "large", reason: "there is no space left" }]);
  expect(second.failures).toEqual([]);
  const name = second.conflicts[0]?.kept ?? "large";
  const text = await folder.read(name);
  expect([text.length, text.slice(0, 4)]).toEqual([large.length, "LINE"]);
  // What cannot be had any more is zeros; nothing is anywhere else than it was.
  const wrong = [...text.slice(4)].findIndex((character, at) => character !== "\0" && character !== large[at + 4]);
  expect(wrong).toBe(-1);
});

test("a file that was removed outside is made again under its name, also when that failed before", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("a", "old");
  await folder.run(async ({ Guest, handle, kept, watched }) => {
    let full = true;
    kept.guest = new Guest(
      watched(handle, (call) => {
        if (full && call === "write") {
          full = false;
          throw new DOMException("", "QuotaExceededError");
        }
      }),
    );
    await kept.guest.append("a", " and new");
  });
  await folder.remove("a");
  const seen = await folder.run(async ({ kept: { guest } }) => {
    const { failures } = await guest.sync();
    const { conflicts } = await guest.sync();
    return { failures, conflicts };
  });
  expect(seen).toEqual({ failures: [{ path: "a", reason: "there is no space left" }], conflicts: [] });
  expect([await folder.names(), await folder.read("a")]).toEqual([["a"], "old and new"]);
});

test("a file that was removed outside and is made again by both sides is kept in both versions", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("a", "old");
  await folder.run(async ({ Guest, handle, kept, watched }) => {
    kept.guest = new Guest(watched(handle, () => {}));
    kept.file = await kept.guest.writing("a");
  });
  await folder.remove("a");
  await folder.run(async ({ kept, bytes }) => {
    const { createWritable } = FileSystemFileHandle.prototype;
    const [made, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    FileSystemFileHandle.prototype.createWritable = async function (...args) {
      FileSystemFileHandle.prototype.createWritable = createWritable;
      made.resolve();
      await go.promise;
      return createWritable.apply(this, args);
    };
    await kept.file.write(bytes("guest"), 0n);
    Object.assign(globalThis, { go, push: kept.guest.sync() });
    await made.promise;
  });
  await folder.write("a", "theirs");
  const report = await folder.run(async () => {
    const { go, push } = globalThis as never as { go: PromiseWithResolvers<void>; push: ReturnType<Guest["sync"]> };
    go.resolve();
    return push;
  });
  expect(report).toMatchObject({ failures: [], conflicts: [{ path: "a" }] });
  expect([await folder.read("a"), await folder.read(report.conflicts[0]!.kept)]).toEqual(["theirs", "guest"]);
});

// Minutes that the page's clock is ahead of the disk's, by which a version that is ours is recognized, or not.
describe.each([1, -1])("another program's version that comes while Chromium swaps, by a clock %i min ahead", (ahead) => {
  test.each([
    ["ours is seen before the browser says so", undefined],
    ["ours comes between its two looks", "between"],
    ["no file can be made for it at once", "make"],
    ["it cannot be written at once", "write"],
    ["the look after the swap fails", "look"],
    ["no file can be made for it before another is renamed over it", "make", true],
  ] as const)("is saved when %s", { timeout: 60_000 }, async (_, failing, saves: boolean = false) => {
    const folder = await browser.folder("local");
    await folder.write("a", "old");
    const seen = await folder.run(
      async ({ Guest, handle, outside }, failing, ahead, saves) => {
        const [stream, file, blob] = [FileSystemWritableFileStream.prototype, FileSystemFileHandle.prototype, Blob.prototype];
        const [{ close, write }, { createWritable, getFile }, open] = [stream, file, blob.stream];
        const { now } = Date;
        let [opened, closes, isOver, fails] = [0, 0, false, failing];
        let told = () => {};
        blob.stream = function () {
          opened++;
          return open.call(this);
        };
        file.getFile = async function () {
          if (fails === "between" && opened === 1 && closes === 2) {
            await outside.write(handle, "a", "guest");
          }
          if (fails === "look" && isOver) {
            fails = undefined;
            throw new DOMException("", "NotReadableError");
          }
          const found = await getFile.call(this);
          // Not before whoever asked has it.
          setTimeout(() => told());
          return found;
        };
        file.createWritable = function (...args) {
          return fails === "make" && this.name.includes("conflict") ? full() : createWritable.apply(this, args);
        };
        stream.write = function (...args) {
          return fails === "write" && isOver ? full() : write.apply(this, args);
        };
        const full = () => {
          fails = undefined;
          return Promise.reject(new DOMException("", "QuotaExceededError"));
        };
        /** Waits until it was looked at once more, with so many versions opened before. */
        const looked = (versions: number) =>
          new Promise<void>((resolve) => {
            told = () => void (opened >= versions && (told = () => resolve()));
          });
        Date.now = () => now() + ahead * 60_000;
        stream.close = async function () {
          if (closes++ > 0) return close.call(this);
          await this.abort();
          await outside.write(handle, "a", "theirs");
          await looked(1);
          if (fails !== "between") await outside.write(handle, "a", "guest");
          await looked(ahead > 0 ? 1 : 2);
          isOver = true;
        };
        try {
          const guest = new Guest(handle);
          await guest.write("a", "guest");
          const first = await guest.sync();
          // As most programs save, or once more.
          if (saves) {
            await guest.write("b", "guest");
            await guest.rename("b", "a");
          }
          const second = await guest.sync();
          return { first, second, third: await guest.sync() };
        } finally {
          Object.assign(stream, { close, write });
          Object.assign(file, { createWritable, getFile });
          Object.assign(blob, { stream: open });
          Object.assign(Date, { now });
        }
      },
      failing,
      ahead,
      saves,
    );
    const isLater = failing !== undefined && failing !== "between";
    expect([seen.first.failures.length, seen.third.failures.length]).toEqual([isLater ? 1 : 0, 0]);
    const conflicts = [seen.first, seen.second, seen.third].map((report) => report.conflicts);
    // If nothing tells that what is there is ours, it may be another program's, too.
    const expected = failing === "look" && ahead < 0 ? ["theirs", "guest"] : ["theirs"];
    expect(conflicts.map((all) => all.length)).toEqual(isLater ? [0, expected.length, 0] : [expected.length, 0, 0]);
    const kept = await Promise.all(conflicts.flat().map((conflict) => folder.read(conflict.kept)));
    expect([await folder.read("a"), ...kept]).toEqual(["guest", ...expected]);
    expect(await folder.names()).toHaveLength(1 + expected.length);
  });
});

test.each([
  // By a push beside the guest's work, of which nobody hears.
  ["is tried again if it fits into memory", 500_000, true],
  ["is told of by the next sync if it does not", 3_000_000, true],
  ["is told of once by the sync that tried", 3_000_000, false],
])("another program's version of which only the first part could be saved %s", { timeout: 60_000 }, async (_, size, isSoon) => {
  const folder = await browser.folder("local");
  await folder.write("a", "old");
  const [first, second] = await folder.run(
    async ({ Guest, handle, overtaken, pushSoon }, size, isSoon) => {
      if (isSoon) pushSoon();
      const guest = new Guest(handle);
      const stream = FileSystemWritableFileStream.prototype;
      const { write } = stream;
      const failed = Promise.withResolvers<void>();
      return overtaken(handle, { theirs: "t".repeat(size) }, async ({ over }) => {
        await guest.write("a", "guest");
        const first = isSoon ? undefined : guest.sync();
        await over;
        let writes = 0;
        stream.write = function (...args) {
          if (++writes < 2) return write.apply(this, args);
          Object.assign(stream, { write });
          failed.resolve();
          return Promise.reject(new DOMException("", "QuotaExceededError"));
        };
        await failed.promise;
        return [await (first ?? guest.sync()), await guest.sync()];
      });
    },
    size,
    isSoon,
  );
  expect([await folder.read("a"), second!.failures, second!.conflicts]).toEqual(["guest", [], []]);
  if (size > 1024 * 1024) {
    const reason = "another program's version of it was replaced, and could not be kept: there is no space left";
    expect(first).toMatchObject({ conflicts: [], failures: [{ path: "a", reason }] });
  } else {
    expect(first!.failures).toEqual([]);
    expect(await folder.read(first!.conflicts[0]!.kept)).toBe("t".repeat(size));
  }
});

test("another program's version is not saved once nobody is left who may write", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("a", "old");
  const opened = await folder.run(async ({ Guest, handle, overtaken, pushSoon, sleep }) => {
    pushSoon();
    const [writer, reader] = [new Guest(handle), new Guest(handle, "read")];
    return overtaken(handle, { theirs: "theirs", meanwhile: () => writer.tree.end() }, async ({ over, opened }) => {
      await reader.read("a");
      // It is pushed soon after it was closed, for whoever uses the folder.
      await writer.write("a", "guest");
      await over;
      // Long enough for a copy.
      await sleep(300);
      return opened();
    });
  });
  expect(opened).toBe(1);
  expect(await folder.names()).toEqual(["a"]);
});

test("what a guest writes is not lost when the push of one that has gone ends after that", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("a", "old");
  const failures = await folder.run(async ({ Guest, handle, pushSoon }) => {
    pushSoon();
    const stream = FileSystemWritableFileStream.prototype;
    const { close } = stream;
    const [closing, go, closed] = Array.from({ length: 3 }, () => Promise.withResolvers<void>()) as [
      PromiseWithResolvers<void>, PromiseWithResolvers<void>, PromiseWithResolvers<void>,
    ];
    stream.close = async function () {
      Object.assign(stream, { close });
      closing.resolve();
      await go.promise;
      await close.call(this);
      closed.resolve();
    };
    try {
      const reader = new Guest(handle, "read");
      await reader.read("a");
      const gone = new Guest(handle);
      await gone.write("a", "of the one that has gone");
      // It is pushed soon after it was closed, for whoever uses the folder.
      await closing.promise;
      gone.tree.end();
      const guest = new Guest(handle);
      await guest.write("a", "of the one that came");
      go.resolve();
      await closed.promise;
      return (await guest.sync()).failures;
    } finally {
      Object.assign(stream, { close });
    }
  });
  expect(failures).toEqual([]);
  const texts = await Promise.all((await folder.names()).map((name) => folder.read(name)));
  expect(texts).toContain("of the one that came");
});

test("a file that could not be removed is later what it is by then, also when it has no name any more", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("a", "old");
  const seen = await folder.run(async ({ Guest, handle, watched, thrown }) => {
    let fails = true;
    const guest = new Guest(watched(handle, (call) => {
      if (call === "removeEntry" && fails) throw new DOMException("", "NoModificationAllowedError");
    }));
    const file = await guest.writing("a");
    const code = await thrown(() => guest.unlink("a"));
    fails = false;
    // More than is taken into memory.
    await file.setSize(65n << 20n);
    await guest.unlink("a");
    return { code, size: (await file.stat()).size };
  });
  expect(seen).toEqual({ code: "busy", size: 65n << 20n });
});

test("a directory is not replaced by another while what the guest wrote in it is not on disk", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  for (const name of ["d/in", "e/f"]) await folder.write(name, "old");
  await folder.run(async ({ Guest, handle, kept }) => {
    kept.guest = new Guest(handle);
    await kept.guest.unlink("d/in");
    await kept.guest.append("e/f", " and new");
  });
  await folder.remove("e/f");
  const seen = await folder.run(async ({ kept: { guest }, thrown }) => {
    const code = await thrown(() => guest.rename("d", "e"));
    return { code, failures: (await guest.sync()).failures };
  });
  expect(seen).toEqual({ code: "not-empty", failures: [] });
  expect([await folder.names(), await folder.read("e/f")]).toEqual([["d", "e"], "old and new"]);
});

test("a file that is removed when its push is about to begin stays removed", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("d/a", "old");
  const seen = await folder.run(async ({ Guest, handle, watched, thrown }) => {
    const [asked, go, gone, on] = Array.from({ length: 4 }, () => Promise.withResolvers<void>()) as [
      PromiseWithResolvers<void>, PromiseWithResolvers<void>, PromiseWithResolvers<void>, PromiseWithResolvers<void>,
    ];
    let removing = false;
    const guest = new Guest(
      watched(handle, async (call, name) => {
        if (removing && call === "getDirectoryHandle" && name === "d") {
          removing = false;
          asked.resolve();
          await go.promise;
        }
        if (call === "getFileHandle:create" && name === "a") {
          gone.resolve();
          await on.promise;
        }
      }),
    );
    await guest.append("d/a", "new");
    removing = true;
    const removal = thrown(() => guest.unlink("d/a"));
    await asked.promise;
    // The push begins while the removal looks for the directory.
    const push = guest.sync();
    await new Promise((resolve) => setTimeout(resolve));
    go.resolve();
    await Promise.race([gone.promise, removal]);
    on.resolve();
    return { code: await removal, failures: (await push).failures, left: await guest.sync(), names: await guest.list("d") };
  });
  expect(seen).toMatchObject({ code: undefined, failures: [], names: [] });
  expect(await folder.names("d")).toEqual([]);
});

test.each(["local", "opfs"] as const)("two tabs that keep their versions in the same moment keep both (%s)", { timeout: 120_000 }, async (place) => {
  const folder = await browser.folder(place);
  for (let round = 0; round < 10; round++) {
    const name = `a ${round}`;
    await folder.write(name, "old");
    const tellsOf = await folder.run(
      async ({ Guest, handle, watched, outside }, name) => {
        const now = () => 1_800_000_000_000;
        const guests = Array.from({ length: 4 }, () => new Guest(watched(handle, () => {}), "read-write", { now }));
        for (const [number, guest] of guests.entries()) {
          await guest.write(name, `version ${number}`);
        }
        await outside.write(handle, name, "outside");
        const reports = await Promise.all(guests.map((guest) => guest.sync()));
        guests.forEach(({ tree }) => tree.end());
        return reports.map(({ conflicts, failures }) => ({ conflicts, failures }));
      },
      name,
    );
    expect(tellsOf.flatMap(({ failures }) => failures)).toEqual([]);
    const texts = await Promise.all(tellsOf.flatMap(({ conflicts }) => conflicts.map(({ kept }) => folder.read(kept))));
    expect([await folder.read(name), ...texts].sort()).toEqual(["outside", ...[0, 1, 2, 3].map((number) => `version ${number}`)]);
  }
});

test("two versions of a file in one folder that need a name in the same moment get two", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("a", "old");
  const report = await folder.run(async ({ Tab, handle }) => {
    const dead = await Tab.open(handle);
    await dead.guest.write("a", "of the tab that died");
    await dead.die();
    const tab = await Tab.open(handle);
    await tab.guest.write("a", "of this tab");
    const { createWritable } = FileSystemFileHandle.prototype;
    FileSystemFileHandle.prototype.createWritable = async () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    // Neither can be pushed yet, so both are dirty.
    await tab.recover();
    FileSystemFileHandle.prototype.createWritable = createWritable;
    Object.assign(globalThis, { tab });
    return tab.guest.tree.unsynced().files;
  });
  expect(report).toBe(2);
  await folder.write("a", "outside");
  const synced = await folder.run(async () => {
    const { tab } = globalThis as never as { tab: { guest: { sync(): Promise<{ conflicts: { kept: string }[]; failures: unknown[] }> }; die(): Promise<void> } };
    const report = await tab.guest.sync();
    await tab.die();
    return report;
  });
  expect(synced.failures).toEqual([]);
  const texts = await Promise.all(synced.conflicts.map(({ kept }) => folder.read(kept)));
  expect([...texts].sort()).toEqual(["of the tab that died", "of this tab"]);
  expect(await folder.read("a")).toBe("outside");
});
