// What a guest can make the worker hold: counted and bounded, and told by an error after which it can go on.
import { readdirSync, readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Browser } from "./fixture.js";

let browser: Browser;
beforeAll(async () => void (browser = await Browser.start()), 60_000);
afterAll(() => browser?.stop(), 60_000);

test("over the limit of descriptors each call that opens is refused, changes nothing, and works again after a close", async () => {
  const folder = await browser.folder("local");
  await folder.write("a", "text");
  const seen = await folder.run(async ({ Guest, handle, InUse, thrown }) => {
    const guest = new Guest(handle);
    const inUse = new InUse({ descriptors: 4, listings: 9, mounts: 9 });
    const root = guest.tree.root(inUse) as typeof guest.root;
    const open = (path: string, how = {}, write = false) => root.openAt({}, path, how, { read: true, write });
    const file = await open("a", {}, true);
    const others = [await open("."), await open("a")];
    const calls = [
      () => open("a"),
      () => open("new", { create: true }, true),
      () => open("a", { truncate: true }, true),
      () => root.readDirectory(),
      () => file.readViaStream(0n),
      () => file.writeViaStream(0n),
      () => file.appendViaStream(),
      () => guest.tree.root(inUse),
    ];
    const refused = [];
    for (const call of calls) {
      const failed = await thrown(call);
      refused.push(failed === "not a code: Failure: insufficient-memory" ? "insufficient-memory" : failed);
    }
    // The second close of one is none of another.
    others[0]![Symbol.dispose]();
    others[0]![Symbol.dispose]();
    const again = [];
    for (const call of calls.slice(3, 7)) {
      const opened = (await call()) as Disposable;
      again.push(await thrown(calls[0]!));
      opened[Symbol.dispose]();
    }
    const last = await open("new", { create: true }, true);
    const full = await thrown(calls[0]!);
    // The guest is gone without a word.
    inUse.end();
    return { refused, again, full, after: await thrown(() => open("a")), closed: await thrown(() => last.stat()) };
  });
  expect(seen.refused).toEqual(Array(8).fill("insufficient-memory"));
  expect(seen).toMatchObject({ again: Array(4).fill("insufficient-memory"), full: "insufficient-memory", after: "insufficient-memory" });
  expect(readdirSync(folder.path).sort()).toEqual(["a", "new"]);
  expect(readFileSync(join(folder.path, "a"), "utf8")).toBe("text");
});

test("over the limit of listings a directory is not listed", async () => {
  const folder = await browser.folder("opfs");
  await folder.write("a", "text");
  const seen = await folder.run(async ({ Guest, handle, InUse, thrown }) => {
    const guest = new Guest(handle);
    const root = guest.tree.root(new InUse({ descriptors: 99, listings: 2, mounts: 9 })) as typeof guest.root;
    const first = await root.readDirectory();
    await root.readDirectory();
    const refused = await thrown(() => root.readDirectory());
    first[Symbol.dispose]();
    const next = await root.readDirectory();
    return { refused, first: first.readDirectoryEntry(), next: next.readDirectoryEntry()?.name };
  });
  expect(seen).toEqual({ refused: "insufficient-memory", first: undefined, next: "a" });
});

test("files that lost their name hold so much together, and the next keeps its name", async () => {
  const folder = await browser.folder("opfs");
  const seen = await folder.run(async ({ Guest, handle, thrown }) => {
    const guest = new Guest(handle);
    const piece = new Uint8Array(1 << 20);
    const files: Awaited<ReturnType<typeof guest.writing>>[] = [];
    const make = async () => {
      const file = await guest.writing(`f${files.length}`, { create: true });
      for (let at = 0n; at < 60n; at++) {
        await file.write(piece, at << 20n);
      }
      files.push(file);
      return thrown(() => guest.unlink(`f${files.length - 1}`));
    };
    // 240 of 256 MiB.
    const removed = [await make(), await make(), await make(), await make()];
    const refused = await make();
    const last = files[4]!;
    const more = async (count: number) => {
      for (let at = 0; at < count; at++) {
        await files[0]!.write(piece, BigInt(60 + at) << 20n);
      }
    };
    const [some, full] = [await thrown(() => more(15)), await thrown(() => more(99))];
    files[1]![Symbol.dispose]();
    const after = await thrown(() => guest.unlink("f4"));
    return { removed, refused, some, full, after, size: (await last.stat()).size, read: (await last.read(9n, 0n))[0].length };
  });
  expect(seen).toEqual({
    removed: Array(4).fill(undefined),
    refused: "insufficient-space",
    some: undefined,
    full: "insufficient-space",
    after: undefined,
    size: 60n << 20n,
    read: 9,
  });
}, 120_000);

test("a byte here and a byte there fills memory no more than many bytes do", async () => {
  const folder = await browser.folder("opfs");
  const seen = await folder.run(async ({ Guest, handle }) => {
    const guest = new Guest(handle);
    const file = await guest.writing("sparse", { create: true });
    const stream = file.writeViaStream(0n);
    let count = 0n;
    // Each in a range of its own.
    for (; stream.checkWrite() > 0n && count < 1_000_000n; count++) {
      const other = file.writeViaStream(2n * count + 1n);
      other.checkWrite();
      other.write(new Uint8Array([1]));
      other[Symbol.dispose]();
    }
    const { bytes } = guest.tree.unsynced();
    // It is not of use to write them all.
    guest.tree.end();
    return { count, bytes };
  });
  expect(Number(seen.count)).toBe(seen.bytes);
  expect(seen.bytes).toBeLessThan(300_000);
}, 120_000);

test("a write without a word before it, or of more than was allowed, fails the stream and takes nothing", async () => {
  const folder = await browser.folder("opfs");
  const seen = await folder.run(async ({ Guest, handle }) => {
    const guest = new Guest(handle);
    const file = await guest.writing("a", { create: true });
    const outcomes = [];
    const calls: ((stream: ReturnType<typeof file.appendViaStream>) => unknown)[] = [
      (stream) => stream.write(new Uint8Array(1)),
      (stream) => (stream.checkWrite(), stream.write(new Uint8Array((1 << 20) + 1))),
      (stream) => (stream.checkWrite(), stream.write(new Uint8Array(1 << 20)), stream.write(new Uint8Array(1))),
      (stream) => (stream.checkWrite(), stream.writeZeroes(1n << 63n)),
      (stream) => stream.blockingWriteZeroesAndFlush(1n << 63n),
    ];
    for (const call of calls) {
      const stream = file.writeViaStream(0n);
      try {
        await call(stream);
        outcomes.push("taken");
      } catch (error) {
        outcomes.push((error as { val?: { toDebugString(): string } }).val?.toDebugString());
      }
      stream[Symbol.dispose]();
    }
    return { outcomes, size: (await file.stat()).size, written: await file.write(new Uint8Array(9 << 20), 0n) };
  });
  expect(seen).toEqual({
    outcomes: Array(5).fill("Error: more was written than check-write allowed"),
    size: 1n << 20n,
    // The rest is for the next call.
    written: 1n << 20n,
  });
});

test("reads are as long as there is room for, whatever is asked", async () => {
  const folder = await browser.folder("local");
  await folder.write("a", "x".repeat(3 << 20));
  const seen = await folder.run(async ({ Guest, handle, thrown }) => {
    const guest = new Guest(handle);
    const file = await guest.open("a");
    const most = (1n << 64n) - 1n;
    const stream = file.readViaStream(0n);
    return {
      lengths: [(await file.read(most, 0n))[0].length, (await stream.read(most)).length, await stream.skip(most)],
      past: [await thrown(() => file.read(most, most)), await thrown(() => file.readViaStream(most)), (await file.read(1n, 1n << 50n))[1]],
    };
  });
  expect(seen).toEqual({ lengths: [1 << 20, 1 << 20, 1n << 20n], past: ["invalid", "invalid", true] });
});

test("a path of more than 4,096 bytes is too long, before it is taken apart", async () => {
  const folder = await browser.folder("opfs");
  const seen = await folder.run(async ({ Guest, handle, watched, thrown }) => {
    const calls: string[] = [];
    const guest = new Guest(watched(handle, (call) => calls.push(call)));
    const long = ["n/".repeat(2049), "ä/".repeat(1366), `${"../".repeat(10_000_000)}x`];
    const codes = [];
    for (const path of long) {
      codes.push(await thrown(() => guest.stat(path)), await thrown(() => guest.write(path, "x")), await thrown(() => guest.mkdir(path)));
    }
    return { codes, calls: [...calls], fits: await thrown(() => guest.stat("n/".repeat(2048))) };
  });
  expect(seen).toEqual({ codes: Array(9).fill("name-too-long"), calls: [], fits: "no-entry" });
});

test("GHSA-mr2v-56j5-cmfc: times before 1970, after all others, and with too many nanoseconds end nothing", async () => {
  const folder = await browser.folder("local");
  await folder.write("a", "text");
  utimesSync(join(folder.path, "a"), new Date(-86_400_000), new Date(-86_400_000));
  const seen = await folder.run(async ({ Guest, handle, thrown }) => {
    const guest = new Guest(handle);
    const before = (await guest.stat("a")).dataModificationTimestamp;
    const set = (seconds: bigint, nanoseconds: number) =>
      thrown(() => guest.root.setTimesAt({}, "a", { tag: "no-change" }, { tag: "timestamp", val: { seconds, nanoseconds } }));
    const codes = [await set(0n, 1e9), await set(0n, 2 ** 32 - 1), await set((1n << 64n) - 1n, 0), await set(1n << 63n, 0), await set(9_223_372_036n, 0)];
    const kept = [await set(0n, 0), await set(9_223_372_035n, 999_999_999)];
    return { before, codes, kept, after: (await guest.stat("a")).dataModificationTimestamp };
  });
  expect(seen).toEqual({
    before: { seconds: 0n, nanoseconds: 0 },
    codes: Array(5).fill("invalid"),
    kept: [undefined, undefined],
    after: { seconds: 9_223_372_035n, nanoseconds: 999_999_999 },
  });
});

test("pollables that are never dropped end in a trap, and count no more when they or their guest are gone", async () => {
  const folder = await browser.folder("opfs");
  const seen = await folder.run(({ Pollable, Trees }) => {
    const make = (count: number) => Array.from({ length: count }, () => new Pollable());
    const trees = new Trees({} as never, { changed: () => {}, taken: () => {} });
    // Those of the tests before.
    trees.abandoned();
    const dropped = make(10_000);
    dropped.forEach((pollable) => pollable[Symbol.dispose]());
    make(10_000);
    let trap;
    try {
      make(1);
    } catch (error) {
      trap = String(error);
    }
    trees.abandoned();
    return { trap, again: make(10).length };
  });
  expect(seen).toEqual({ trap: "Error: the app has 10000 pollables, and the host allows no more", again: 10 });
});

test("folders over the limit of mounts are not mounted, and nobody is asked for them", async () => {
  const folder = await browser.folder("opfs");
  const seen = await folder.run(async ({ Trees, handle, thrown }) => {
    let asked = 0;
    const window = {
      acquire: async () => (asked++, { ok: { handle, access: "read-write", label: "folder" } }),
      forget: async () => ({ ok: true }),
      mountsChanged: () => {},
    };
    const trees = new Trees(window as never, { changed: () => {}, taken: () => {} }, { descriptors: 4, listings: 4, mounts: 3 });
    const grants = trees.interface();
    const acquire = async (at: number) => grants.acquire({ path: `/${at}`, id: "mountfs" }, "read-write", undefined);
    const refusal = async (call: () => Promise<unknown>) => call().then(() => "done", (error: unknown) => error);
    const held = [await acquire(0), await acquire(0), await acquire(1)];
    const refused = [await refusal(() => acquire(2)), await refusal(() => acquire(0))];
    // One that was taken back is still inUse, until the app lets go of it.
    await grants.revoke({ path: "/1", id: "mountfs" });
    refused.push(await refusal(() => acquire(2)));
    held[2]![Symbol.dispose]();
    const again = await acquire(2);
    const roots = [await again.root(), await again.root(), await again.root(), await again.root()];
    const full = await refusal(() => again.root());
    // A fresh instance begins with nothing.
    trees.abandoned();
    const fresh = trees.interface();
    const next = await fresh.acquire({ path: "/2", id: "mountfs" }, "read-write", undefined);
    return { refused, full, roots: roots.length, fresh: await thrown(() => next.root()), asked };
  });
  const other = { tag: "other", val: "3 folders are mounted, and the host allows no more: unmount one first" };
  expect(seen).toEqual({
    refused: [other, other, other],
    full: { tag: "other", val: "the host allows nothing more to be open: close something first" },
    roots: 4,
    fresh: undefined,
    asked: 3,
  });
});

test("what an instance asked for that is gone by then, nobody holds", async () => {
  const folder = await browser.folder("opfs");
  const seen = await folder.run(async ({ Trees, handle }) => {
    const answered = Promise.withResolvers<void>();
    const window = {
      acquire: async () => (await answered.promise, { ok: { handle, access: "read-write", label: "folder" } }),
    };
    const trees = new Trees(window as never, { changed: () => {}, taken: () => {} });
    const mount = trees.interface().acquire({ path: "/local", id: "mountfs" }, "read-write", undefined);
    const outcome = mount.then(() => "granted", () => "refused");
    trees.abandoned();
    answered.resolve();
    return { outcome: await outcome, mounted: trees.mounted() };
  });
  expect(seen).toEqual({ outcome: "refused", mounted: [] });
});
