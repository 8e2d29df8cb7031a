// A folder is taken back while the guest is at anything in it: by the guest itself, by the page, by the user in the browser.
// Each call of the guest fails at once, and nothing reaches the disk after that was answered, then or later.
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Browser } from "./fixture.js";

let browser: Browser;
beforeAll(async () => void (browser = await Browser.start()), 60_000);
afterAll(() => browser?.stop(), 60_000);

/** What the guest is at, and the call of the browser that does not answer until the folder was taken back. */
const STATES: [what: string, held: string][] = [
  ["nothing", ""],
  ["an open", "getFile"],
  ["a look at a name", "getFileHandle"],
  ["a read", "arrayBuffer"],
  ["a listing", "entries"],
  ["a directory being made", "getDirectoryHandle:create"],
  ["a file being made", "getFileHandle:create"],
  ["a removal", "removeEntry"],
  ["a push before its swap file", "createWritable"],
  ["a push that writes", "write"],
  ["a push that swaps", "close"],
  ["a rename that waits for a push", "close"],
  ["a rename that copies", "createWritable"],
  ["a write that waits for room", "createWritable"],
  ["a write that waits for a sync", "close"],
];

type Who = "guest" | "page" | "user";

/** Names, bytes and times. */
function all(folder: string): unknown[] {
  return (readdirSync(folder, { recursive: true }) as string[]).sort().map((name) => {
    const stat = lstatSync(join(folder, name));
    return [name, stat.size, stat.mtimeMs, stat.isFile() && readFileSync(join(folder, name), "utf8")];
  });
}

describe.each(["guest", "page", "user"] satisfies Who[])("taken back by the %s", (who) => {
  test.each(STATES)("while there is %s", { timeout: 60_000 }, async (state, held) => {
    const folder = await browser.folder("local");
    await folder.write("a", "text");
    await folder.write("b", "text");
    await folder.write("large", "x".repeat(200_000));
    await folder.write("d/c", "text");
    await folder.write("d/e", "text");
    const seen = await folder.run(
      async ({ Trees, handle, watched, thrown, bytes, kept }, state, held, who) => {
        const [reached, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
        let holds = "";
        let lapsed = false;
        const hold = async (call: string) => {
          if (call === holds) {
            reached.resolve();
            await go.promise;
          }
          if (lapsed) {
            throw new DOMException("", "NotAllowedError");
          }
        };
        const { arrayBuffer } = Blob.prototype;
        Blob.prototype.arrayBuffer = async function () {
          await hold("arrayBuffer");
          return arrayBuffer.call(this);
        };
        const answers: Record<string, unknown> = {
          acquire: { ok: { handle: watched(handle, hold), access: "read-write", label: "folder" } },
          forget: { ok: true },
        };
        const window = new Proxy({}, { get: (_, name) => async () => answers[String(name)] });
        const trees = new Trees(window as never, { changed: () => {}, taken: () => {} });
        const grants = trees.interface();
        const key = { path: "/local", id: "mountfs" };
        const grant = await grants.acquire(key, "read-write", undefined);
        const root = (await grant.root()) as typeof kept.file;
        const open = (path: string, write = false, how = {}) => root.openAt({}, path, how, { read: true, write });
        const [file, other, large, directory] = [await open("a", true), await open("b", true), await open("large"), await open("d")];
        const listing = await directory.readDirectory();
        listing.readDirectoryEntry();
        const [input, output, append] = [other.readViaStream(0n), other.writeViaStream(0n), other.appendViaStream()];
        await input.read(2n);
        await output.blockingWriteAndFlush(bytes("mine"));

        const flight: Promise<unknown>[] = [];
        const begin = (call: () => unknown) => flight.push(thrown(call));
        const piece = new Uint8Array(1 << 20);
        holds = held;
        switch (state) {
          case "an open":
            begin(() => open("d/c"));
            break;
          case "a look at a name":
            begin(() => root.statAt({}, "d/none"));
            break;
          case "a read":
            begin(() => large.read(9n, 0n));
            break;
          case "a listing":
            begin(() => directory.readDirectory());
            break;
          case "a directory being made":
            begin(() => root.createDirectoryAt("new"));
            break;
          case "a file being made":
            begin(() => open("new", true, { create: true }));
            break;
          case "a removal":
            begin(() => root.unlinkFileAt("d/e"));
            break;
          case "a rename that waits for a push":
            begin(() => other.sync());
            await reached.promise;
            begin(() => root.renameAt("d/e", root, "moved"));
            break;
          case "a rename that copies":
            begin(() => root.renameAt("d/e", root, "moved"));
            break;
          case "a write that waits for room":
            holds = "";
            for (let at = 0n; at < 63n; at++) {
              await file.write(piece, at << 20n);
            }
            holds = held;
            begin(() => file.write(piece, 63n << 20n));
            begin(() => append.blockingWriteAndFlush(bytes("lost")));
            break;
          case "a write that waits for a sync":
            flight.push(trees.sync("/local").catch(() => {}));
            await reached.promise;
            begin(() => file.write(bytes("mine"), 0n));
            break;
          case "nothing":
            reached.resolve();
            break;
          default:
            begin(() => other.sync());
        }
        await reached.promise;
        /** One call of each kind. */
        const calls: [needsDisk: boolean, call: () => unknown][] = [
          [true, () => open("d/c")],
          [true, () => root.createDirectoryAt("after")],
          [true, () => open("after", true, { create: true })],
          [true, () => root.unlinkFileAt("d/c")],
          [true, () => root.renameAt("d/c", root, "after")],
          [true, () => directory.readDirectory()],
          [false, () => root.statAt({}, "d")],
          [false, () => file.stat()],
          [false, () => file.read(1n, 0n)],
          [false, () => file.write(bytes("x"), 0n)],
          [false, () => file.setSize(0n)],
          [false, () => file.setTimes({ tag: "now" }, { tag: "now" })],
          [false, () => file.sync()],
          [false, () => file.getFlags()],
          [false, () => file.readViaStream(0n)],
          [false, () => file.appendViaStream()],
          [false, () => listing.readDirectoryEntry()],
          [false, () => input.read(1n)],
          [false, () => output.blockingWriteAndFlush(bytes("x"))],
          [false, () => append.checkWrite()],
          [false, () => root.metadataHash()],
        ];
        const refused = async () => {
          const codes = [];
          for (const [needsDisk, call] of calls) {
            if (who !== "user" || needsDisk) {
              codes.push(await thrown(call));
            }
          }
          return [...new Set(codes)];
        };
        let revoked: Promise<unknown> = Promise.resolve();
        let atOnce: unknown[] = [];
        let early = false;
        if (who === "user") {
          lapsed = true;
        } else {
          revoked = who === "guest" ? grants.revoke(key) : trees.revoke(key);
        }
        if (who === "guest") {
          // Before the browser has answered anything.
          atOnce = await refused();
          void revoked.then(() => (early = true));
          for (let turns = 0; turns < 20; turns++) {
            await navigator.storage.getDirectory();
          }
        }
        const answered = early;
        go.resolve();
        const answer = await revoked;
        const after = await refused();
        Object.assign(kept, { flight, input, output, append, file, other, large, root, listing });
        const codes = await Promise.all(flight);
        Object.assign(Blob.prototype, { arrayBuffer });
        return { atOnce, answered, answer, after, codes };
      },
      state,
      held,
      who,
    );
    if (who !== "user") {
      // Of a write that is given up, the browser removes the swap file in a moment.
      const swaps = async () => (await folder.names()).filter((name) => name.endsWith(".crswap"));
      await vi.waitFor(async () => expect(await swaps()).toEqual([]), { timeout: 30_000 });
    }
    const before = all(folder.path);
    // All that is open is closed, and all that was to happen later happens now.
    await folder.run(async ({ kept }) => {
      const later: (() => void)[] = [];
      const { setTimeout } = globalThis;
      Object.assign(globalThis, { setTimeout: (call: () => void) => later.push(call) });
      Object.values(kept).forEach((one) => (one as Partial<Disposable>)[Symbol.dispose]?.());
      for (const call of later) {
        call();
      }
      Object.assign(globalThis, { setTimeout });
      // A round trip to the browser, after all that were begun.
      await navigator.storage.getDirectory();
      await navigator.locks.query();
    });
    expect(all(folder.path), "on disk, later").toEqual(before);
    const names = before.map((entry) => (entry as unknown[])[0]);
    expect(names).not.toContain("after");
    if (who === "user") {
      expect(seen.after).toEqual(["not-permitted"]);
      // A swap file may be left, which only the browser could have removed.
      const files = (before as unknown[][]).filter(([name]) => !String(name).endsWith(".crswap"));
      expect(files.map((file) => file[3])).not.toContain("mine");
    } else {
      // A stream that has told why it failed is closed.
      expect([...seen.atOnce, ...seen.after].filter((code) => code !== "closed")).toContain("no-device");
      expect([...seen.atOnce, ...seen.after].filter((code) => code !== "closed" && code !== "no-device")).toEqual([]);
      expect(seen.answer).toBe(true);
    }
    if (who === "guest" && state !== "a write that waits for a sync") {
      // It is what the guest is told, also when the browser had done it by then.
      // A change that the browser has begun is waited for, and nothing else.
      expect(seen.answered, "answered at once").toBe(["getFile", "getFileHandle", "arrayBuffer", "entries", ""].includes(held));
      const codes = new Set(seen.codes.filter((code) => code !== "closed"));
      expect([...codes]).toEqual(state === "nothing" ? [] : ["no-device"]);
    }
    if (who === "page") {
      // What was written before is not lost.
      expect(readFileSync(join(folder.path, "b"), "utf8")).toMatch(/^mine/);
    }
  });
});

test("what is taken back right after it was granted is not mounted", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("opfs");
  const seen = await folder.run(async ({ Trees, handle }) => {
    const key = { path: "/local", id: "mountfs" };
    const granted = Promise.withResolvers<void>();
    const window = new Proxy(
      {
        acquire: async () => (granted.resolve(), { ok: { handle, access: "read-write", label: "folder" } }),
        forget: async () => ({ ok: true }),
      },
      { get: (calls, name) => calls[name as "forget"] ?? (async () => {}) },
    );
    const trees = new Trees(window as never, { changed: () => {}, taken: () => {} });
    const mount = trees.interface().acquire(key, "read-write", undefined).then(() => "granted", (error: unknown) => error);
    await granted.promise;
    const revoked = await trees.revoke(key);
    return { revoked, mount: await mount, mounted: trees.mounted() };
  });
  expect(seen).toEqual({ revoked: true, mount: { tag: "denied" }, mounted: [] });
});

test("a folder is taken back also where the browser has no storage for journals, or that does not answer", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("opfs");
  const seen = await folder.run(async ({ Trees, handle }) => {
    const key = { path: "/local", id: "mountfs" };
    const window = new Proxy(
      {
        acquire: async () => ({ ok: { handle, access: "read-write", label: "folder" } }),
        forget: async () => ({ ok: true }),
      },
      { get: (calls, name) => calls[name as "forget"] ?? (async () => {}) },
    );
    const { storageBuckets } = navigator as never as { storageBuckets: { open(name: string): Promise<unknown> } };
    const answers = [];
    const { setTimeout } = globalThis;
    // Nobody here waits for long.
    Object.assign(globalThis, { setTimeout: (call: () => void, ms = 0) => setTimeout(call, ms / 100) });
    for (const open of [
      async () => Promise.reject(new DOMException("", "SecurityError")),
      () => new Promise(() => {}),
    ]) {
      Object.defineProperty(storageBuckets, "open", { value: open, configurable: true });
      const trees = new Trees(window as never, { changed: () => {}, taken: () => {} });
      await trees.interface().acquire(key, "read-write", undefined);
      answers.push(await trees.revoke(key).catch(String));
    }
    delete (storageBuckets as { open?: unknown }).open;
    Object.assign(globalThis, { setTimeout });
    return answers;
  });
  expect(seen).toEqual([true, true]);
});

test("what was not pushed before is not written on behalf of a mount for reading", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("a", "old");
  const seen = await folder.run(async ({ Guest, handle }) => {
    const { prototype } = FileSystemFileHandle;
    const { createWritable } = prototype;
    const [writer, reader] = [new Guest(handle), new Guest(handle, "read")];
    await writer.write("a", "mine");
    await reader.read("a");
    prototype.createWritable = () => Promise.reject(new DOMException("", "NoModificationAllowedError"));
    const { failures } = await writer.sync();
    writer.tree.end();
    prototype.createWritable = createWritable;
    return [failures.length, (await reader.sync()).files];
  });
  expect(seen).toEqual([1, 0n]);
  expect(await folder.read("a")).toBe("old");
});

test("a push that nobody waits for ends with the mount it was written through, also while another uses the folder", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("a", "old");
  await folder.write("d/b", "text");
  await folder.run(async ({ Guest, handle, pushSoon }) => {
    pushSoon();
    const { prototype } = FileSystemWritableFileStream;
    const { write } = prototype;
    const [reached, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const [writer, other] = [new Guest(handle), new Guest(await handle.getDirectoryHandle("d"))];
    await writer.list("d");
    await other.list();
    prototype.write = async function (...args) {
      reached.resolve();
      await go.promise;
      return write.apply(this, args);
    };
    // It is pushed a second after it was closed.
    await writer.write("a", "mine");
    await reached.promise;
    writer.tree.end();
    go.resolve();
    await writer.tree.settled();
    prototype.write = write;
    await other.sync();
  });
  // The browser removes the swap file in a moment.
  await vi.waitFor(async () => expect(await folder.names()).toEqual(["a", "d"]), { timeout: 30_000 });
  expect(await folder.read("a")).toBe("old");
});

test("a write that was let in before a pause fails in it, and is not lost in silence", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("a", "old");
  const seen = await folder.run(async ({ Guest, handle, bytes, thrown }) => {
    const guest = new Guest(handle);
    const file = await guest.writing("a");
    const stream = file.writeViaStream(0n);
    const room = stream.checkWrite();
    const [one, other] = [guest.tree.pause(), guest.tree.pause()];
    const code = await thrown(() => stream.write(bytes("mine")));
    let written = false;
    const writing = Promise.resolve(file.write(bytes("mine"), 0n)).then(() => (written = true));
    one();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = written;
    other();
    await writing;
    return { room: room > 0n, code, before };
  });
  expect(seen).toEqual({ room: true, code: "busy", before: false });
});

test("a push that is about to make its swap file makes none any more", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("a", "text");
  const calls = await folder.run(async ({ Guest, handle, watched, bytes }) => {
    const calls: string[] = [];
    const hook = (call: string, name: string) => {
      calls.push(call);
      // The swap file is about to be noted.
      if (name === "a.crswap") guest.tree.end();
    };
    const guest = new Guest(watched(handle, hook));
    const file = await guest.writing("a");
    await file.write(bytes("mine"), 0n);
    await guest.sync();
    return calls;
  });
  expect(calls).toContain("getFileHandle");
  expect(calls).not.toContain("createWritable");
});

test("a folder is taken back also while what a browser left in it cannot be looked for", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  const report = await folder.run(async ({ Guest, handle }) => {
    const [{ getAll }, { setTimeout }] = [IDBObjectStore.prototype, globalThis];
    IDBObjectStore.prototype.getAll = () => ({}) as IDBRequest;
    Object.assign(globalThis, { setTimeout: (call: () => void, ms = 0) => setTimeout(call, ms / 100) });
    const report = await new Guest(handle).sync();
    Object.assign(IDBObjectStore.prototype, { getAll });
    Object.assign(globalThis, { setTimeout });
    return report;
  });
  expect(report.failures).toEqual([]);
});
