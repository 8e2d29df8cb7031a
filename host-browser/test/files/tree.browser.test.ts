// The file system on real handles: on a local folder, with the bytes checked on disk, and on the origin's private one.
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Browser, type Folder, type Place } from "./fixture.js";

let browser: Browser;
beforeAll(async () => void (browser = await Browser.start()), 60_000);
afterAll(() => browser?.stop(), 60_000);

const EMPTY = { files: 0n, bytes: 0n, removed: 0n, conflicts: [], failures: [] };

test("QuotaExceededError, no space: insufficient-space, and what was written is kept until there is room", async () => {
  const folder = await browser.folder("opfs");
  await folder.write("other", "text");
  await browser.quota(1 << 20);
  const full = await folder.run(async ({ Guest, handle, thrown, kept }) => {
    kept.guest = new Guest(handle);
    kept.file = await kept.guest.writing("big", { create: true });
    await kept.file.write(new Uint8Array(1 << 20).fill(1), 0n);
    await kept.file.write(new Uint8Array(1 << 20).fill(1), 1n << 20n);
    return { code: await thrown(() => kept.file.sync()), report: await kept.guest.sync() };
  });
  await browser.quota(undefined);
  const after = await folder.run(async ({ kept }) => ({
    report: await kept.guest.sync(),
    size: (await kept.guest.stat("big")).size,
  }));
  expect(full.code).toBe("insufficient-space");
  expect(full.report.failures).toEqual([{ path: "big", reason: "there is no space left" }]);
  expect(after).toEqual({ report: { ...EMPTY, files: 1n, bytes: 2n << 20n }, size: 2n << 20n });
  expect(await folder.read("other")).toBe("text");
}, 60_000);

describe("a local folder", () => {
  const on = (name: string, work: (folder: Folder) => Promise<void>, limit = 60_000) =>
    test(name, async () => work(await browser.folder("local")), limit);

  on("links on disk are neither seen nor followed, and fail nothing else", async (folder) => {
    await folder.write("a", "text");
    await folder.write("d/in", "in");
    mkdirSync(`${folder.path}-secret`);
    writeFileSync(`${folder.path}-secret/in`, "secret");
    symlinkSync("a", join(folder.path, "good"));
    symlinkSync("nowhere", join(folder.path, "dangling"));
    symlinkSync("loop", join(folder.path, "loop"));
    symlinkSync(`${folder.path}-secret`, join(folder.path, "out"));
    symlinkSync(`${folder.path}-secret/in`, join(folder.path, "d/link"));
    const seen = await folder.run(async ({ Guest, handle, thrown }) => {
      const guest = new Guest(handle);
      await guest.append("a", "!");
      return {
        list: await guest.list(),
        codes: [
          await thrown(() => guest.read("good")),
          await thrown(() => guest.stat("loop")),
          await thrown(() => guest.read("out/in")),
          await thrown(() => guest.write("out/new", "x")),
          await thrown(() => guest.write("d/link", "x")),
          await thrown(() => guest.mkdir("out")),
          await thrown(() => guest.read("out/in")),
          await thrown(() => guest.open("good", { create: true })),
          await thrown(() => guest.open("d/link", { create: true })),
          await thrown(() => guest.unlink("d/in")),
          await thrown(() => guest.rmdir("d")),
        ],
        dangling: await thrown(() => guest.mkdir("dangling")),
        report: await guest.sync(),
      };
    });
    // Where a link is, there is nothing for the guest, and nothing can be made.
    const gone = Array(9).fill("no-entry");
    expect(seen.codes).toEqual([...gone, undefined, "not-empty"]);
    // Chromium 148 says that something is there.
    expect(["no-entry", "exist"]).toContain(seen.dangling);
    expect(seen.list).toEqual(["a", "d/"]);
    expect(seen.report).toEqual({ ...EMPTY, files: 1n, bytes: 1n, removed: 1n });
    expect(await folder.read("a")).toBe("text!");
    expect(readdirSync(`${folder.path}-secret`)).toEqual(["in"]);
    expect(readFileSync(`${folder.path}-secret/in`, "utf8")).toBe("secret");
  });

  on("a directory that was replaced by a link is not written through, nor a file", async (folder) => {
    await folder.write("d/e/a", "text");
    await folder.write("b", "text");
    const secret = `${folder.path}-secret`;
    mkdirSync(join(secret, "e"), { recursive: true });
    writeFileSync(join(secret, "e/a"), "secret");
    await folder.run(async ({ Guest, handle, kept }) => {
      kept.guest = new Guest(handle);
      kept.file = await kept.guest.writing("d/e/a");
      await kept.file.write(new Uint8Array([33]), 4n);
      await kept.guest.append("b", "!");
      await kept.guest.open("d/e");
    });
    rmSync(join(folder.path, "d"), { recursive: true });
    symlinkSync(secret, join(folder.path, "d"));
    rmSync(join(folder.path, "b"));
    symlinkSync(join(secret, "e/a"), join(folder.path, "b"));
    const seen = await folder.run(async ({ kept: { guest }, thrown }) => ({
      codes: [
        await thrown(() => guest.write("d/e/new", "x")),
        await thrown(() => guest.mkdir("d/e/new")),
        await thrown(() => guest.unlink("d/e/a")),
        await thrown(() => guest.rename("d/e/a", "stolen")),
      ],
      failed: (await guest.sync()).failures.map(({ path }) => path).sort(),
    }));
    expect(seen).toEqual({ codes: Array(4).fill("no-entry"), failed: ["b", "d/e/a"] });
    expect(readdirSync(join(secret, "e"))).toEqual(["a"]);
    expect(readFileSync(join(secret, "e/a"), "utf8")).toBe("secret");
  });

  on("names that the browser refuses fail alone, when the guest chooses them", async (folder) => {
    const names = ["a?b", "x.lnk", "trailing.", "~x", "CON", "desktop.ini", " space", "a\\b"];
    const long = "n".repeat(250);
    for (const name of [...names.slice(0, 5), "neighbour"]) {
      await folder.write(`d/${name}`, "on disk");
    }
    writeFileSync(Buffer.from(`${folder.path}/d/no\xffutf8`, "latin1"), "on disk");
    const seen = await folder.run(
      async ({ Guest, handle, thrown }, names, long) => {
        const guest = new Guest(handle);
        const codes: Record<string, unknown[]> = {};
        for (const name of names) {
          codes[name] = [
            await thrown(() => guest.write(name, "x")),
            await thrown(() => guest.mkdir(name)),
            await thrown(() => guest.stat(name)),
          ];
        }
        await guest.write("good", "text");
        return {
          codes,
          report: await guest.sync(),
          list: await guest.list("d"),
          rename: [await thrown(() => guest.rename("good", "a?b")), await thrown(() => guest.rename("good", long))],
          long: await thrown(() => guest.write(long, "x")),
          rmdir: await thrown(() => guest.rmdir("d")),
          read: await guest.read("good"),
        };
      },
      names,
      long,
    );
    expect(seen).toEqual({
      codes: Object.fromEntries(names.map((name) => [name, ["invalid", "invalid", "no-entry"]])),
      report: { ...EMPTY, files: 1n, bytes: 4n },
      list: ["neighbour"],
      rename: ["invalid", "name-too-long"],
      long: "name-too-long",
      rmdir: "not-empty",
      read: "text",
    });
    expect(await folder.names()).toEqual(["d", "good"]);
    expect(await folder.read("good")).toBe("text");
  });

  on("a directory with hidden entries is not removed, and a rename leaves only them behind", async (folder) => {
    await folder.write("d/x.lnk", "hidden");
    await folder.write("d/a", "text");
    const codes = await folder.run(async ({ Guest, handle, thrown }) => {
      const guest = new Guest(handle);
      const renamed = await thrown(() => guest.rename("d", "e"));
      return [renamed, await guest.read("e/a"), await guest.list("d"), await thrown(() => guest.rmdir("d"))];
    });
    expect(codes).toEqual(["not-empty", "text", [], "not-empty"]);
    expect(await folder.names("d")).toEqual(["x.lnk"]);
  });

  on("a swap file may be the user's: it keeps its directory, in which all else is written and removed", async (folder) => {
    await folder.write("d/notes.crswap", "the user's");
    await folder.write("d/a", "text");
    const code = await folder.run(async ({ Guest, handle, thrown }) => {
      const guest = new Guest(handle);
      await guest.write("d/a", "written");
      await guest.sync();
      await guest.unlink("d/a");
      return await thrown(() => guest.rmdir("d"));
    });
    expect(code).toBe("not-empty");
    expect(await folder.read("d/notes.crswap")).toBe("the user's");
  });

  on("10,000 files are opened as a tree without a call", async (folder) => {
    for (let directory = 0; directory < 100; directory++) {
      mkdirSync(join(folder.path, `d${directory}`));
      for (let file = 0; file < 100; file++) {
        writeFileSync(join(folder.path, `d${directory}/f${file}`), "text");
      }
    }
    const seen = await folder.run(async ({ Guest, handle, watched, frozen }) => {
      const calls: string[] = [];
      const guest = new Guest(watched(handle, (call, name) => calls.push(`${call} ${name}`)));
      const opened = calls.length;
      const clock = frozen();
      const text = await guest.read("d57/f42");
      clock.melt();
      const first = calls.length;
      await guest.append("d57/f42", "!");
      const report = await guest.sync();
      const after = calls.length;
      const syncAgain = await guest.sync();
      const walk = performance.now();
      let files = 0;
      for (const directory of await guest.list()) {
        for (const file of await guest.list(directory)) {
          files += Number((await guest.stat(directory + file)).size) >= 4 ? 1 : 0;
        }
      }
      console.log(`walk and stat 10,000 ${Math.round(performance.now() - walk)} ms`);
      return { opened, text, first, report, idle: calls.length - after > 0 && Number(syncAgain.files) === 0, files };
    });
    expect(seen).toEqual({
      opened: 0,
      text: "text",
      // The directory, the file and its snapshot, and the directory once more with that.
      first: 4,
      report: { ...EMPTY, files: 1n, bytes: 1n },
      idle: true,
      files: 10_000,
    });
    expect(await folder.read("d57/f42")).toBe("text!");
  });

  on(
    "a sparse file of 5 GiB is opened, read in its middle and appended to",
    async (folder) => {
      const size = 5 * 1024 ** 3;
      const path = join(folder.path, "big");
      const file = openSync(path, "w");
      writeSync(file, "middle", size / 2);
      ftruncateSync(file, size);
      closeSync(file);
      const seen = await folder.run(async ({ Guest, handle, bytes, text }, size) => {
        const guest = new Guest(handle);
        const began = performance.now();
        const file = await guest.writing("big");
        const middle = text((await file.read(6n, BigInt(size / 2)))[0]);
        const stream = file.appendViaStream();
        await stream.blockingWriteAndFlush(bytes("the end"));
        const end = text((await file.read(10n, BigInt(size - 3)))[0]);
        const read = performance.now();
        const report = await guest.sync();
        console.log(
          `5 GiB: opened and read ${Math.round(read - began)} ms, pushed ${Math.round(performance.now() - read)} ms`,
        );
        return { middle, end, report, size: (await file.stat()).size };
      }, size);
      expect(seen).toEqual({
        middle: "middle",
        end: "\0\0\0the end",
        report: { ...EMPTY, files: 1n, bytes: 7n },
        size: BigInt(size + 7),
      });
      expect(statSync(path).size).toBe(size + 7);
      const buffer = Buffer.alloc(7);
      const check = openSync(path, "r");
      readSync(check, buffer, 0, 7, size);
      closeSync(check);
      expect(buffer.toString()).toBe("the end");
    },
    300_000,
  );
});

describe("an exception of the browser, provoked on a local folder", () => {
  type Provoked = { exception: string | undefined; code: unknown };

  /** One line of the table: what is thrown, when, and what the guest is told. It fails nothing else. */
  const row = (exception: string, when: string, code: string, work: (folder: Folder) => Promise<Provoked>) =>
    test(`${exception}, ${when}: ${code}`, async () => {
      const folder = await browser.folder("local");
      await folder.write("neighbour", "text");
      await folder.run(({ Guest, handle, kept }) => void (kept.guest = new Guest(handle)));
      expect(await work(folder)).toEqual({ exception, code });
      const report = await folder.run(async ({ kept: { guest } }) => {
        await guest.append("neighbour", "!");
        return guest.sync();
      });
      expect(report.failures.filter(({ path }) => path === "neighbour")).toEqual([]);
      expect(await folder.read("neighbour")).toBe("text!");
    }, 60_000);

  row("NotFoundError", "gone", "no-entry", async (folder) => {
    await folder.write("a", "text");
    await folder.run(({ kept }) => kept.guest.read("a"));
    await folder.remove("a");
    return folder.run(({ kept: { guest }, provoked }) => provoked(() => guest.read("a")));
  });

  row("TypeMismatchError", "a directory where a file is wanted", "is-directory", async (folder) => {
    await folder.write("d/a", "text");
    return folder.run(({ kept: { guest }, provoked }) => provoked(() => guest.writing("d")));
  });

  row("TypeMismatchError", "a file where a directory is wanted", "not-directory", async (folder) => {
    await folder.write("a", "text");
    return folder.run(({ kept: { guest }, provoked }) => provoked(() => guest.read("a/below")));
  });

  row("InvalidModificationError", "directory not empty", "not-empty", async (folder) => {
    await folder.write("d/a", "text");
    return folder.run(({ kept: { guest }, provoked }) => provoked(() => guest.rmdir("d")));
  });

  row("InvalidModificationError", "directory with hidden entries only", "not-empty", async (folder) => {
    await folder.write("d/x.lnk", "hidden");
    return folder.run(({ kept: { guest }, provoked }) => provoked(() => guest.rmdir("d")));
  });

  row("NoModificationAllowedError", "locked", "busy", async (folder) => {
    await folder.write("a", "text");
    return folder.run(async ({ kept: { guest }, handle, provoked }) => {
      const lock = await (await handle.getFileHandle("a")).createWritable({ mode: "exclusive" } as object);
      const file = await guest.writing("a");
      await file.setSize(2n);
      const answer = await provoked(() => file.sync());
      await lock.abort();
      return answer;
    });
  });

  row("NoModificationAllowedError", "EACCES on create", "access", async (folder) => {
    await folder.write("d/a", "text");
    folder.restrict("d", 0o555);
    return folder.run(({ kept: { guest }, provoked }) => provoked(() => guest.write("d/new", "text")));
  });

  row("NoModificationAllowedError", "EACCES on write, for the file", "access", async (folder) => {
    await folder.write("a", "text");
    folder.restrict("a", 0o444);
    return folder.run(async ({ kept: { guest }, provoked }) => {
      const file = await guest.writing("a");
      await file.setSize(2n);
      return provoked(() => file.sync());
    });
  });

  row("NoModificationAllowedError", "EACCES on write, for its directory", "access", async (folder) => {
    await folder.write("d/a", "text");
    folder.restrict("d", 0o555);
    return folder.run(async ({ kept: { guest }, provoked }) => {
      const file = await guest.writing("d/a");
      await file.setSize(2n);
      return provoked(() => file.sync());
    });
  });

  test("NoModificationAllowedError, EACCES on list: access", async () => {
    const folder = await browser.folder("local");
    await folder.write("d/a", "text");
    folder.restrict("d", 0o333);
    const code = await folder.run(({ Guest, handle, thrown }) => thrown(() => new Guest(handle).list("d")));
    expect(code).toBe("access");
  });

  test("NotReadableError, stale snapshot: another is taken, and read", async () => {
    const folder = await browser.folder("local");
    await folder.write("a", "x".repeat(200_000));
    await folder.run(async ({ Guest, handle, kept }) => {
      kept.file = await new Guest(handle).open("a");
      await kept.file.read(10n, 0n);
    });
    await folder.write("a", "y".repeat(200_001));
    const seen = await folder.run(async ({ kept: { file }, provoked, text }) => {
      let read = "";
      const answer = await provoked(async () => void (read = text((await file.read(10n, 199_995n))[0])));
      return { ...answer, read };
    });
    expect(seen).toEqual({ exception: "NotReadableError", code: undefined, read: "yyyyyy" });
  });

  row("NotReadableError", "EACCES on read", "access", async (folder) => {
    await folder.write("a", "text");
    folder.restrict("a", 0);
    return folder.run(({ kept: { guest }, provoked }) => provoked(() => guest.read("a")));
  });

  test("NotAllowedError, permission gone: not-permitted", async () => {
    const asking = await Browser.start("ask");
    try {
      const folder = await asking.folder("local");
      await folder.write("a", "text");
      const seen = await folder.run(async ({ Guest, handle, provoked }) => {
        const guest = new Guest(handle);
        const [read, list] = [await guest.read("a"), await guest.list()];
        const made = await provoked(() => guest.write("new", "text"));
        const removed = await provoked(() => guest.unlink("a"));
        await guest.append("a", "!");
        return { read, list, made, removed, failures: (await guest.sync()).failures };
      });
      const refused = { exception: "NotAllowedError", code: "not-permitted" };
      const failures = [{ path: "a", reason: "the permission for this folder has lapsed" }];
      expect(seen).toEqual({ read: "text", list: ["a"], made: refused, removed: refused, failures });
      expect(await folder.names()).toEqual(["a"]);
      expect(await folder.read("a")).toBe("text");
    } finally {
      await asking.stop();
    }
  }, 60_000);

  row("InvalidStateError", "EACCES on remove", "access", async (folder) => {
    await folder.write("d/a", "text");
    folder.restrict("d", 0o555);
    return folder.run(({ kept: { guest }, provoked }) => provoked(() => guest.unlink("d/a")));
  });

  row("InvalidStateError", "a path too long", "name-too-long", (folder) =>
    folder.run(async ({ kept: { guest }, provoked }) => {
      // No system takes a path of more than 4,096 bytes, and the guest can come there step by step.
      const name = "d".repeat(200);
      for (let at = guest.root; ; at = await at.openAt({}, name, { directory: true }, { read: true })) {
        const answer = await provoked(() => at.createDirectoryAt(name));
        if (answer.code) {
          return answer;
        }
      }
    }),
  );

  row("AbortError", "parent vanished before close", "no-entry", async (folder) => {
    await folder.write("d/a", "text");
    await folder.run(async ({ Guest, handle, watched, kept, provoked }) => {
      const gate = new Promise<void>((resolve) => (kept.go = resolve));
      await new Promise<void>((reached) => {
        kept.guest = new Guest(watched(handle, (call) => (call === "close" ? (reached(), gate) : undefined)));
        kept.going = kept.guest.writing("d/a").then(async (file) => {
          await file.setSize(2n);
          return provoked(() => file.sync());
        });
      });
    });
    await folder.remove("d");
    return folder.run(async ({ kept }) => {
      kept.go();
      return (await kept.going) as Provoked;
    });
  });

  row("TypeError", "name not allowed", "invalid", (folder) =>
    folder.run(({ kept: { guest }, provoked }) => provoked(() => guest.write("a?b", "text"))),
  );
});

for (const place of ["local", "opfs"] satisfies Place[]) {
  describe(place, () => {
    const on = (name: string, work: (folder: Folder) => Promise<void>) =>
      test(name, async () => work(await browser.folder(place)), 60_000);

    on("what is written is read at once, and on disk after a sync", async (folder) => {
      await folder.write("d/old", "old text");
      const seen = await folder.run(async ({ Guest, handle }) => {
        const guest = new Guest(handle);
        await guest.write("new", "new text");
        await guest.append("d/old", " and more");
        const read = [await guest.read("new"), await guest.read("d/old")];
        const before = guest.tree.unsynced();
        const report = await guest.sync();
        return {
          read,
          before,
          report,
          after: guest.tree.unsynced(),
          again: await guest.sync(),
          list: await guest.list(),
        };
      });
      expect(seen.read).toEqual(["new text", "old text and more"]);
      expect(seen.before).toEqual({ files: 2, bytes: 17 });
      expect(seen.report).toEqual({ ...EMPTY, files: 2n, bytes: 17n });
      expect(seen.after).toEqual({ files: 0, bytes: 0 });
      expect(seen.again).toEqual(EMPTY);
      expect(seen.list).toEqual(["d/", "new"]);
      expect(await folder.read("new")).toBe("new text");
      expect(await folder.read("d/old")).toBe("old text and more");
      expect(await folder.names()).toEqual(["d", "new"]);
    });

    on("nothing is read when a tree is opened", async (folder) => {
      await folder.write("a", "text");
      const calls = await folder.run(async ({ Guest, handle, watched, frozen }) => {
        const calls: string[] = [];
        const guest = new Guest(watched(handle, (call, name) => calls.push(`${call} ${name}`)));
        guest.root.getFlags();
        const opened = calls.length;
        const clock = frozen();
        await guest.read("a");
        clock.melt();
        return { opened, calls };
      });
      expect(calls.opened).toBe(0);
      expect(calls.calls).toEqual(["getFileHandle a", "getFile a"]);
    });

    on("a directory is not removed while it has what the guest wrote, whatever another program removed", async (folder) => {
      await folder.write("d/a", "base");
      await folder.run(async ({ Guest, handle, kept, bytes }) => {
        kept.guest = new Guest(handle);
        kept.file = await kept.guest.writing("d/a");
        await kept.file.write(bytes("BASE!"), 0n);
      });
      await folder.remove("d/a");
      const seen = await folder.run(async ({ kept: { guest }, thrown }) => ({
        code: await thrown(() => guest.rmdir("d")),
        files: (await guest.sync()).files,
        left: guest.tree.unsynced(),
      }));
      expect(seen).toEqual({ code: "not-empty", files: 1n, left: { files: 0, bytes: 0 } });
      expect(await folder.read("d/a")).toBe("BASE!");
    });

    on("what another program does is seen, and never undone", async (folder) => {
      await folder.write("kept", "1");
      await folder.write("deleted", "2");
      await folder.write("edited", "old");
      await folder.run(async ({ Guest, handle, kept }) => {
        const guest = (kept.guest = new Guest(handle));
        for (const name of await guest.list()) {
          await guest.read(name);
        }
        await guest.write("ours", "3");
      });
      await folder.write("added", "4");
      await folder.write("edited", "new!");
      await folder.remove("deleted");
      const seen = await folder.run(async ({ kept: { guest }, thrown }) => ({
        edited: await guest.read("edited"),
        deleted: await thrown(() => guest.read("deleted")),
        made: await thrown(async () => {
          await guest.mkdir("deleted");
          await guest.rmdir("deleted");
        }),
        report: await guest.sync(),
        list: await guest.list(),
      }));
      expect(seen).toEqual({
        edited: "new!",
        deleted: "no-entry",
        made: undefined,
        report: { ...EMPTY, files: 1n, bytes: 1n, removed: 1n },
        list: ["added", "edited", "kept", "ours"],
      });
      expect(await folder.names()).toEqual(["added", "edited", "kept", "ours"]);
    });

    on("two trees on one folder, or one in the other, are one", async (folder) => {
      await folder.write("d/inner", "text");
      const seen = await folder.run(async ({ Guest, handle }) => {
        const [one, other] = [new Guest(handle), new Guest(handle)];
        await one.write("file", "written");
        const below = new Guest(await handle.getDirectoryHandle("d"));
        await one.write("d/new", "deep");
        const all = {
          read: await other.read("file"),
          below: await below.read("new"),
          same: (await one.hash("file")) === (await other.hash("file")),
          sameBelow: (await one.hash("d/inner")) === (await below.hash("inner")),
          differ: (await one.hash("file")) !== (await one.hash("d")),
          reportBelow: await below.sync(),
          report: await other.sync(),
        };
        one.tree.end();
        return { ...all, after: await other.read("file") };
      });
      expect(seen).toEqual({
        read: "written",
        below: "deep",
        same: true,
        sameBelow: true,
        differ: true,
        after: "written",
        reportBelow: { ...EMPTY, files: 1n, bytes: 4n },
        report: { ...EMPTY, files: 2n, bytes: 11n },
      });
    });

    on("a small file that is open for writing is in memory: no change outside can mix with what is written", async (folder) => {
      await folder.write("a", "base");
      const early = await folder.run(async ({ Guest, handle, kept }) => {
        const { arrayBuffer } = Blob.prototype;
        const [reading, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
        Blob.prototype.arrayBuffer = async function () {
          reading.resolve();
          await go.promise;
          return arrayBuffer.call(this);
        };
        kept.guest = new Guest(handle);
        let isOpen = false;
        const opening = kept.guest.writing("a").then((file) => ((kept.file = file), (isOpen = true)));
        await reading.promise;
        for (let turns = 0; turns < 20; turns++) {
          await navigator.storage.getDirectory();
        }
        const early = isOpen;
        go.resolve();
        await opening;
        Blob.prototype.arrayBuffer = arrayBuffer;
        return early;
      });
      expect(early).toBe(false);
      await folder.write("a", "outside");
      const text = await folder.run(async ({ kept: { file }, bytes, text }) => {
        await file.write(bytes("B"), 0n);
        return text((await file.read(9n, 0n))[0]);
      });
      expect(text).toBe("Base");
    });

    on("both sides edited: both versions are kept, and the guest's descriptor stays with its own", async (folder) => {
      await folder.write("notes.txt", "base");
      await folder.run(async ({ Guest, handle, kept }) => {
        const guest = (kept.guest = new Guest(handle, "read-write", {
          now: () => new Date(2026, 0, 2, 3, 4, 5).getTime(),
        }));
        await guest.read("notes.txt");
        kept.file = await guest.writing("notes.txt");
        await kept.file.write(new TextEncoder().encode("G"), 0n);
      });
      await folder.write("notes.txt", "outside");
      const seen = await folder.run(async ({ kept: { guest, file }, text }) => ({
        own: text((await file.read(100n, 0n))[0]),
        report: await guest.sync(),
        still: text((await file.read(100n, 0n))[0]),
        again: await guest.sync(),
        theirs: await guest.read("notes.txt"),
      }));
      const name = "notes (conflict 2026-01-02 030405).txt";
      expect(seen.own).toBe("Gase");
      expect(seen.still).toBe("Gase");
      expect(seen.report).toEqual({
        ...EMPTY,
        files: 1n,
        bytes: 1n,
        conflicts: [{ path: "notes.txt", kept: name }],
      });
      expect(seen.again).toEqual(EMPTY);
      expect(seen.theirs).toBe("outside");
      expect(await folder.names()).toEqual([name, "notes.txt"]);
      expect(await folder.read("notes.txt")).toBe("outside");
      expect(await folder.read(name)).toBe("Gase");
    });

    // In the browser, the lock of the push keeps others out: only another program can come between.
    const onLocal = (name: string, work: (folder: Folder) => Promise<void>) => place === "local" && on(name, work);

    onLocal("a file changed outside during the push is a conflict too, and leaves no swap file", async (folder) => {
      await folder.write("a.txt", "base");
      await folder.run(async ({ Guest, handle, watched, kept }) => {
        const gate = new Promise<void>((resolve) => (kept.go = resolve));
        const reached = new Promise<void>((resolve) => {
          kept.guest = new Guest(
            watched(handle, (call) => {
              if (call === "write") {
                resolve();
                return gate;
              }
              return undefined;
            }),
          );
        });
        await kept.guest.append("a.txt", " more");
        kept.going = kept.guest.sync();
        await reached;
      });
      await folder.write("a.txt", "outside");
      const report = await folder.run(async ({ kept }) => {
        kept.go();
        return (await kept.going) as Awaited<ReturnType<typeof kept.guest.sync>>;
      });
      expect(report.failures).toEqual([]);
      expect(report.conflicts).toHaveLength(1);
      expect(await folder.read("a.txt")).toBe("outside");
      expect(await folder.read(report.conflicts[0]!.kept)).toBe("base more");
      expect(await folder.names()).toHaveLength(2);
    });

    onLocal(
      "its directory vanishes during the push: the file stays dirty, and comes back with the next",
      async (folder) => {
        await folder.write("d/a.txt", "base");
        await folder.run(async ({ Guest, handle, watched, kept }) => {
          const gate = new Promise<void>((resolve) => (kept.go = resolve));
          const reached = new Promise<void>((resolve) => {
            kept.guest = new Guest(
              watched(handle, (call) => {
                if (call === "close") {
                  resolve();
                  return gate;
                }
                return undefined;
              }),
            );
          });
          await kept.guest.append("d/a.txt", " more");
          kept.going = kept.guest.sync();
          await reached;
        });
        await folder.remove("d");
        const reports = await folder.run(async ({ kept }) => {
          kept.go();
          const first = (await kept.going) as Awaited<ReturnType<typeof kept.guest.sync>>;
          return [first, await kept.guest.sync()] as const;
        });
        expect(reports[0].failures).toEqual([{ path: "d/a.txt", reason: "it or its folder was removed meanwhile" }]);
        expect(reports[1]).toEqual({ ...EMPTY, files: 1n, bytes: 5n });
        expect(await folder.read("d/a.txt")).toBe("base more");
        expect(await folder.names("d")).toEqual(["a.txt"]);
      },
    );

    on("deleted outside while dirty: what the guest wrote comes back whole", async (folder) => {
      await folder.write("d/a", "base");
      await folder.run(async ({ Guest, handle, kept }) => {
        const guest = (kept.guest = new Guest(handle));
        await guest.append("d/a", " more");
      });
      await folder.remove("d");
      const report = await folder.run(({ kept }) => kept.guest.sync());
      expect(report).toEqual({ ...EMPTY, files: 1n, bytes: 5n });
      expect(await folder.read("d/a")).toBe("base more");
    });

    on("a name turned from file to directory outside", async (folder) => {
      await folder.write("was-file", "1");
      await folder.write("was-directory/in", "2");
      await folder.run(async ({ Guest, handle, kept }) => {
        const guest = (kept.guest = new Guest(handle));
        await guest.list();
        await guest.append("was-file", "guest");
      });
      await folder.remove("was-file");
      await folder.write("was-file/below", "3");
      await folder.remove("was-directory");
      await folder.write("was-directory", "4");
      const seen = await folder.run(async ({ kept: { guest } }) => ({
        report: await guest.sync(),
        file: await guest.read("was-directory"),
        below: await guest.read("was-file/below"),
      }));
      expect(seen.file).toBe("4");
      expect(seen.below).toBe("3");
      expect(seen.report.conflicts).toHaveLength(1);
      expect(await folder.read(seen.report.conflicts[0]!.kept)).toBe("1guest");
    });

    on("a name turned from file to directory and back by the guest", async (folder) => {
      await folder.write("file", "1");
      await folder.write("directory/in", "2");
      await folder.run(async ({ Guest, handle }) => {
        const guest = new Guest(handle);
        await guest.unlink("file");
        await guest.mkdir("file");
        await guest.write("file/in", "3");
        await guest.unlink("directory/in");
        await guest.rmdir("directory");
        await guest.write("directory", "4");
        await guest.sync();
      });
      expect(await folder.read("file/in")).toBe("3");
      expect(await folder.read("directory")).toBe("4");
    });

    on("times that were set are kept, and do not keep a file from being written", async (folder) => {
      const seen = await folder.run(async ({ Guest, handle }) => {
        const guest = new Guest(handle);
        const old = { tag: "timestamp" as const, val: { seconds: 1_000_000n, nanoseconds: 5 } };
        await guest.write("a", "text");
        await guest.root.setTimesAt({}, "a", { tag: "no-change" }, old);
        const set = (await guest.stat("a")).dataModificationTimestamp;
        await guest.sync();
        const synced = (await guest.stat("a")).dataModificationTimestamp;
        await guest.rename("a", "b");
        const renamed = (await guest.stat("b")).dataModificationTimestamp;
        await guest.append("b", "!");
        const written = (await guest.stat("b")).dataModificationTimestamp!;
        await guest.sync();
        const after = (await guest.stat("b")).dataModificationTimestamp!;
        return {
          times: [set, synced, renamed],
          isNew: written.seconds > 1_700_000_000n,
          stays: written.seconds === after.seconds && written.nanoseconds === after.nanoseconds,
        };
      });
      const old = { seconds: 1_000_000n, nanoseconds: 5 };
      expect(seen).toEqual({ times: [old, old, old], isNew: true, stays: true });
      expect(await folder.read("b")).toBe("text!");
    });

    on("a file that is open and unflushed is on disk after a sync, and after fsync", async (folder) => {
      await folder.run(async ({ Guest, handle, kept, bytes }) => {
        const guest = (kept.guest = new Guest(handle));
        kept.file = await guest.writing("log", { create: true });
        const stream = kept.file.appendViaStream();
        stream.checkWrite();
        stream.write(bytes("one "));
        await guest.sync();
        stream.write(bytes("two"));
      });
      expect(await folder.read("log")).toBe("one ");
      await folder.run(({ kept }) => kept.file.sync());
      expect(await folder.read("log")).toBe("one two");
    });

    on("what is closed is on disk soon, and counted by the next sync", async (folder) => {
      await folder.run(async ({ Guest, handle, sleep, pushSoon, kept }) => {
        pushSoon();
        const guest = (kept.guest = new Guest(handle));
        await guest.write("a", "12345");
        while (guest.tree.unsynced().files > 0) await sleep(20);
      });
      expect(await folder.read("a")).toBe("12345");
      expect(await folder.run(({ kept }) => kept.guest.sync())).toEqual({ ...EMPTY, files: 1n, bytes: 5n });
    });

    on("a read-only tree refuses every change", async (folder) => {
      await folder.write("a", "text");
      const codes = await folder.run(async ({ Guest, handle, thrown }) => {
        const guest = new Guest(handle, "read");
        const now = { tag: "now" as const };
        const file = await guest.open("a");
        const codes = [
          await thrown(() => guest.writing("a")),
          await thrown(() => guest.open("new", { create: true })),
          await thrown(() => guest.open("a", { truncate: true })),
          await thrown(() =>
            guest.open(".", { directory: true }, { read: true, write: false, mutateDirectory: true } as never),
          ),
          await thrown(() => guest.mkdir("d")),
          await thrown(() => guest.unlink("a")),
          await thrown(() => guest.rmdir("a")),
          await thrown(() => guest.rename("a", "b")),
          await thrown(() => guest.root.setTimesAt({}, "a", now, now)),
          await thrown(() => guest.root.symlinkAt("a", "b")),
          await thrown(() => guest.root.linkAt({}, "a", guest.root, "b")),
          await thrown(() => file.writeViaStream(0n)),
          await thrown(() => file.appendViaStream()),
          await thrown(() => file.write(new Uint8Array(1), 0n)),
          await thrown(() => file.setSize(0n)),
          await thrown(() => file.setTimes(now, now)),
        ];
        return { codes: [...new Set(codes)], flags: guest.root.getFlags(), read: await guest.read("a") };
      });
      expect(codes).toEqual({ codes: ["read-only"], flags: { read: true, mutateDirectory: false }, read: "text" });
      expect(await folder.names()).toEqual(["a"]);
    });

    on("after the end everything fails with no-device, and nothing reaches the disk", async (folder) => {
      await folder.write("a", "text");
      await folder.write("d/b", "b");
      const seen = await folder.run(async ({ Guest, handle, watched, thrown, bytes, pushSoon }) => {
        pushSoon();
        let hang: Promise<unknown> | undefined;
        const guest = new Guest(watched(handle, async (call) => call === "getFileHandle" && (await hang)));
        const file = await guest.writing("a");
        const directory = await guest.open("d");
        const listing = await directory.readDirectory();
        const [input, output, append] = [file.readViaStream(0n), file.writeViaStream(0n), file.appendViaStream()];
        await file.write(bytes("lost"), 0n);
        let go = () => {};
        hang = new Promise<void>((resolve) => (go = resolve));
        const flight = thrown(() => guest.stat("d/b"));
        guest.tree.end();
        go();
        const codes = [
          await flight,
          await thrown(() => file.read(1n, 0n)),
          await thrown(() => file.write(bytes("x"), 0n)),
          await thrown(() => file.stat()),
          await thrown(() => file.sync()),
          await thrown(() => file.readViaStream(0n)),
          await thrown(() => file.getFlags()),
          await thrown(() => listing.readDirectoryEntry()),
          await thrown(() => guest.stat(".")),
          await thrown(() => input.read(1n)),
          await thrown(() => output.checkWrite()),
          await thrown(() => append.blockingWriteAndFlush(bytes("x"))),
        ];
        output[Symbol.dispose]();
        file[Symbol.dispose]();
        return { codes: [...new Set(codes)], failures: (await guest.sync()).failures };
      });
      expect(seen.codes).toEqual(["no-device"]);
      expect(seen.failures).toEqual([{ path: ".", reason: "the folder was taken back" }]);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(await folder.read("a")).toBe("text");
    });

    on("while a tree is paused, what would change a file's bytes waits, and fails when the folder goes", async (folder) => {
      await folder.write("a", "text");
      const seen = await folder.run(async ({ Guest, handle, thrown, bytes, text, sleep }) => {
        const guest = new Guest(handle);
        const file = await guest.writing("a");
        const changes = () => [
          thrown(() => file.write(bytes("TEXT!"), 0n)),
          thrown(() => file.setSize(5n)),
          thrown(() => guest.writing("a", { truncate: true })),
        ];
        const now = async () => text((await file.read(9n, 0n))[0]);
        let resume = guest.tree.pause();
        const waiting = changes();
        const settled = await Promise.race([...waiting, sleep(200).then(() => "none")]);
        const paused = await now();
        resume();
        const done = [await Promise.all(waiting), await now()];
        resume = guest.tree.pause();
        const lost = changes();
        await guest.sync();
        guest.tree.end();
        resume();
        return { settled, paused, done, lost: await Promise.all(lost) };
      });
      expect(seen).toEqual({
        settled: "none",
        paused: "text",
        done: [[undefined, undefined, undefined], ""],
        lost: Array(3).fill("no-device"),
      });
    });

    on("a push under way when the tree ends is cut off", async (folder) => {
      await folder.write("a", "text");
      const report = await folder.run(async ({ Guest, handle, watched }) => {
        const guest = new Guest(
          watched(handle, async (call) => {
            if (call === "write") {
              guest.tree.end();
            }
          }),
        );
        await guest.write("a", "lost");
        return await guest.sync();
      });
      expect(report.failures).toEqual([{ path: "a", reason: "the folder was taken back" }]);
      // The browser removes the swap file in a moment.
      await vi.waitFor(async () => expect(await folder.names()).toEqual(["a"]), { timeout: 30_000 });
      expect(await folder.read("a")).toBe("text");
    });

    on("one file's failure stops no other, is reported, and a retry converges", async (folder) => {
      const reports = await folder.run(async ({ Guest, handle, watched }) => {
        let full = true;
        const guest = new Guest(
          watched(handle, (call, name) => {
            if (full && call === "write" && name === "b") {
              throw new DOMException("", "QuotaExceededError");
            }
          }),
        );
        for (const name of ["a", "b", "c"]) {
          await guest.write(name, `text of ${name}`);
        }
        const first = await guest.sync();
        const left = guest.tree.unsynced();
        full = false;
        return { first, left, read: await guest.read("b"), second: await guest.sync() };
      });
      expect(reports.first.failures).toEqual([{ path: "b", reason: "there is no space left" }]);
      expect(reports.first.conflicts).toEqual([]);
      expect(reports.left).toEqual({ files: 1, bytes: 9 });
      expect(reports.read).toBe("text of b");
      expect(reports.second).toEqual({ ...EMPTY, files: 1n, bytes: 9n });
      expect(await folder.names()).toEqual(["a", "b", "c"]);
      expect(await folder.read("b")).toBe("text of b");
    });

    on("each exception of the browser is its code, and fails nothing else", async (folder) => {
      await folder.write("a", "text");
      const codes = await folder.run(async ({ Guest, handle, watched, thrown }) => {
        let error: Error | undefined;
        let at = "";
        const guest = new Guest(
          watched(handle, (call) => {
            if (error && call === at) {
              throw error;
            }
          }),
        );
        const attempt = async (call: string, name: string, work: () => unknown) => {
          [at, error] = [call, name === "TypeError" ? new TypeError() : new DOMException("", name)];
          const code = await thrown(work);
          error = undefined;
          return `${name}: ${code}`;
        };
        const save = async () => {
          const file = await guest.writing("a");
          await file.setSize(1n);
          await file.sync();
        };
        return [
          await attempt("getFile", "NotFoundError", () => guest.read("a")),
          await attempt("getFile", "NotReadableError", () => guest.read("a")),
          await attempt("createWritable", "NoModificationAllowedError", save),
          await attempt("getFileHandle:create", "NoModificationAllowedError", () => guest.write("new", "x")),
          await attempt("getFileHandle:create", "TypeError", () => guest.write("new", "x")),
          await attempt("getDirectoryHandle:create", "NotAllowedError", () => guest.mkdir("d")),
          await attempt("createWritable", "NotAllowedError", save),
          await attempt("write", "QuotaExceededError", async () => {
            const file = await guest.writing("a");
            await file.write(new Uint8Array(1), 0n);
            await file.sync();
          }),
          await attempt("close", "AbortError", save),
          await attempt("removeEntry", "InvalidStateError", () => guest.unlink("a")),
          await attempt("removeEntry", "InvalidModificationError", () => guest.unlink("a")),
          await attempt("getFileHandle", "SecurityError", () => guest.stat("b")),
          await attempt("getFileHandle", "UnknownError", () => guest.stat("b")),
          await guest.sync().then((report) => report.failures.length),
        ];
      });
      expect(codes).toEqual([
        "NotFoundError: no-entry",
        "NotReadableError: access",
        "NoModificationAllowedError: busy",
        "NoModificationAllowedError: access",
        "TypeError: invalid",
        "NotAllowedError: not-permitted",
        "NotAllowedError: not-permitted",
        "QuotaExceededError: insufficient-space",
        "AbortError: no-entry",
        "InvalidStateError: access",
        "InvalidModificationError: not-empty",
        "SecurityError: not-permitted",
        "UnknownError: io",
        0,
      ]);
    });

    on("a call that hangs is busy, and what it opens later is closed", async (folder) => {
      await folder.write("a", "text");
      const seen = await folder.run(async ({ Guest, handle, watched, thrown }) => {
        const [go, aborted] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
        let slow = true;
        const guest = new Guest(
          watched(handle, async (call) => {
            if (slow && call === "createWritable") await go.promise;
            if (call === "abort") setTimeout(aborted.resolve);
          }),
          "read-write",
          { patience: 5000 },
        );
        const file = await guest.writing("a");
        await file.setSize(1n);
        const code = await thrown(() => file.sync());
        slow = false;
        go.resolve();
        await aborted.promise;
        let report = await guest.sync();
        // Until it is closed, no other is opened.
        for (let tries = 0; report.failures.length > 0 && tries < 100; tries++) report = await guest.sync();
        return { code, report };
      });
      expect(seen).toEqual({ code: "busy", report: { ...EMPTY, files: 1n } });
      expect(await folder.read("a")).toBe("t");
      expect(await folder.names()).toEqual(["a"]);
    });

    on("files are cut, extended, written past their end and appended to", async (folder) => {
      await folder.write("a", "0123456789");
      const seen = await folder.run(async ({ Guest, handle, bytes, text, thrown }) => {
        const guest = new Guest(handle);
        const file = await guest.writing("a");
        const all = async () => text((await file.read(100n, 0n))[0]).replaceAll("\0", "_");
        const steps = [];
        await file.setSize(4n);
        steps.push(await all());
        await file.setSize(8n);
        steps.push(await all());
        await file.write(bytes("XY"), 10n);
        steps.push(await all());
        await file.write(bytes("ab"), 3n);
        steps.push(await all(), String((await file.stat()).size));
        await file.sync();
        steps.push(await all());
        const stream = file.appendViaStream();
        stream.checkWrite();
        stream.write(bytes("!"));
        const other = await guest.open("a");
        steps.push(text((await other.read(100n, 10n))[0]));
        const [none, end] = await file.read(10n, 500n);
        return {
          steps,
          none: none.length,
          end,
          codes: [
            await thrown(() => file.read(1n, 2n ** 64n - 1n)),
            await thrown(() => file.write(bytes("x"), 2n ** 64n - 1n)),
            await thrown(() => file.setSize(2n ** 63n - 1n)),
            await thrown(() => other.write(bytes("x"), 0n)),
          ],
          report: await guest.sync(),
        };
      });
      expect(seen.steps).toEqual(["0123", "0123____", "0123______XY", "012ab_____XY", "12", "012ab_____XY", "XY!"]);
      expect(seen.codes).toEqual(["invalid", "file-too-large", "file-too-large", "bad-descriptor"]);
      expect([seen.none, seen.end]).toEqual([0, true]);
      expect(await folder.read("a")).toBe("012ab\0\0\0\0\0XY!");
    });

    on("opening makes, empties and insists as it is told", async (folder) => {
      await folder.write("file", "text");
      await folder.write("d/in", "");
      const codes = await folder.run(async ({ Guest, handle, thrown }) => {
        const guest = new Guest(handle);
        await guest.writing("new", { create: true, exclusive: true });
        const onDisk = (await handle.getFileHandle("new")).name;
        const codes = [
          onDisk,
          await thrown(() => guest.writing("new", { create: true, exclusive: true })),
          await thrown(() => guest.open("file", { directory: true })),
          await thrown(() => guest.writing("d")),
          await thrown(() => guest.open("missing")),
          await thrown(() => guest.open("file/below")),
          await thrown(() => guest.open("file/")),
          await thrown(() => guest.writing("new2/", { create: true })),
          await thrown(() => guest.mkdir("file")),
          await thrown(() => guest.mkdir("missing/d")),
          await thrown(() => guest.rmdir("file")),
          await thrown(() => guest.rmdir("d")),
          await thrown(() => guest.unlink("d")),
          await thrown(() => guest.root.readlinkAt("file")),
          await thrown(() => guest.root.readlinkAt("missing")),
          await thrown(() => guest.root.symlinkAt("file", "link")),
          await thrown(() => guest.root.linkAt({}, "file", guest.root, "link")),
          await thrown(() => guest.stat("..")),
          await thrown(() => guest.stat("d/../../x")),
          await thrown(() => guest.stat("/file")),
          await thrown(() => guest.stat("missing/../file")),
          await thrown(() => guest.stat("a\0b")),
          await thrown(() => guest.stat("x".repeat(300))),
          await thrown(() => guest.write("a.crswap", "x")),
          (await guest.stat("d/../file")).type,
        ];
        const truncated = await guest.writing("file", { truncate: true });
        return { codes, size: (await truncated.stat()).size };
      });
      expect(codes.size).toBe(0n);
      expect(codes.codes).toEqual([
        "new",
        "exist",
        "not-directory",
        "is-directory",
        "no-entry",
        "not-directory",
        "not-directory",
        "is-directory",
        "exist",
        "no-entry",
        "not-directory",
        "not-empty",
        "is-directory",
        "invalid",
        "no-entry",
        "unsupported",
        "unsupported",
        "not-permitted",
        "not-permitted",
        "not-permitted",
        "no-entry",
        "invalid",
        "name-too-long",
        "invalid",
        "regular-file",
      ]);
    });

    on("swap files are neither listed nor found", async (folder) => {
      if (place === "local") {
        await folder.write("a.txt.crswap", "left by a browser that died");
      }
      await folder.write("a.txt", "text");
      const seen = await folder.run(async ({ Guest, handle, thrown }) => {
        const guest = new Guest(handle);
        return [
          await guest.list(),
          await thrown(() => guest.stat("a.txt.crswap")),
          await thrown(() => guest.unlink("a.txt.crswap")),
        ];
      });
      expect(seen).toEqual([["a.txt"], "no-entry", "no-entry"]);
    });

    on("a removed file that is open can still be used", async (folder) => {
      await folder.write("a", "text");
      const seen = await folder.run(async ({ Guest, handle, bytes, text, thrown }) => {
        const guest = new Guest(handle);
        const file = await guest.writing("a");
        await guest.unlink("a");
        await file.write(bytes("!"), 4n);
        return [text((await file.read(10n, 0n))[0]), await thrown(() => guest.stat("a")), await guest.sync()];
      });
      expect(seen).toEqual(["text!", "no-entry", { ...EMPTY, removed: 1n }]);
      expect(await folder.names()).toEqual([]);
    });

    on("a listing fetches the attributes of its files, many at a time", async (folder) => {
      for (let number = 0; number < 100; number++) {
        await folder.write(`file${number}`, "x".repeat(number));
      }
      const seen = await folder.run(async ({ Guest, handle, watched }) => {
        let [now, most, calls] = [0, 0, 0];
        const guest = new Guest(
          watched(handle, async (call) => {
            if (call === "getFile") {
              calls++;
              most = Math.max(most, ++now);
              await new Promise((resolve) => setTimeout(resolve, 5));
              now--;
            }
          }),
        );
        const names = await guest.list();
        const sizes = [];
        for (const name of names) {
          sizes.push(Number((await guest.stat(name)).size) === Number(name.slice(4)));
        }
        return { most, calls, all: sizes.every(Boolean), count: names.length };
      });
      expect(seen).toMatchObject({ all: true, count: 100 });
      expect(seen.most).toBeGreaterThanOrEqual(16);
      // The guest may ask for one before its turn.
      expect(seen.calls).toBeLessThan(110);
    });

    on("files are renamed, with what is dirty and who has them open", async (folder) => {
      await folder.write("a", "a text");
      await folder.write("target", "old");
      await folder.write("d/in", "");
      const seen = await folder.run(async ({ Guest, handle, bytes, text, thrown }) => {
        const guest = new Guest(handle);
        const file = await guest.writing("a");
        const replaced = await guest.open("target");
        const hash = await guest.hash("a");
        await file.write(bytes("A"), 0n);
        await guest.rename("a", "target");
        const same = (await guest.hash("target")) === hash;
        await file.write(bytes("!"), 6n);
        await guest.rename("target", "d/moved");
        await guest.write("tmp", "saved");
        await guest.rename("tmp", "d/in");
        return {
          same,
          read: text((await file.read(100n, 0n))[0]),
          old: text((await replaced.read(100n, 0n))[0]),
          codes: [
            await thrown(() => guest.rename("missing", "x")),
            await thrown(() => guest.rename("d/in", "d")),
            await thrown(() => guest.rename("d", "d/in")),
            await thrown(() => guest.rename("d", "d/below")),
            await thrown(() => guest.rename("d/in", "x/")),
            await thrown(() => guest.rename("d/in", "x.crswap")),
            await thrown(() => guest.rename(".", "x")),
            await thrown(() => guest.rename("d/in", "d/in")),
          ],
          report: await guest.sync(),
          list: await guest.list("d"),
        };
      });
      expect(seen.same).toBe(true);
      expect([seen.read, seen.old]).toEqual(["A text!", "old"]);
      expect(seen.codes).toEqual([
        "no-entry",
        "not-empty",
        "invalid",
        "invalid",
        "not-directory",
        "invalid",
        "busy",
        undefined,
      ]);
      expect(seen.report.failures).toEqual([]);
      expect(seen.report.conflicts).toEqual([]);
      expect(seen.list).toEqual(["in", "moved"]);
      expect(await folder.names()).toEqual(["d"]);
      expect(await folder.read("d/moved")).toBe("A text!");
      expect(await folder.read("d/in")).toBe("saved");
    });

    on("directories are renamed whole", async (folder) => {
      await folder.write("d/a", "1");
      await folder.write("d/e/b", "2");
      await folder.write("full/x", "");
      const seen = await folder.run(async ({ Guest, handle, bytes, text, thrown }) => {
        const guest = new Guest(handle);
        const file = await guest.writing("d/e/b");
        const inner = await guest.open("d/e");
        await file.write(bytes("dirty"), 1n);
        await guest.mkdir("empty");
        const full = await thrown(() => guest.rename("d", "full"));
        await guest.rename("d", "empty");
        await file.write(bytes("!"), 6n);
        const read = text((await file.read(100n, 0n))[0]);
        const list = await inner.statAt({}, "b");
        await guest.sync();
        return { full, read, size: list.size, list: await guest.list("empty"), top: await guest.list() };
      });
      expect(seen).toEqual({
        full: "not-empty",
        read: "2dirty!",
        size: 7n,
        list: ["a", "e/"],
        top: ["empty/", "full/"],
      });
      expect(await folder.read("empty/e/b")).toBe("2dirty!");
      expect(await folder.names()).toEqual(["empty", "full"]);
    });

    on("only the case of a name is changed", async (folder) => {
      await folder.write("readme", "text");
      await folder.write("d/in", "in");
      await folder.run(async ({ Guest, handle }) => {
        const guest = new Guest(handle);
        await guest.rename("readme", "README");
        await guest.rename("d", "D");
      });
      expect(await folder.names()).toEqual(["D", "README"]);
      expect(await folder.read("README")).toBe("text");
      expect(await folder.read("D/in")).toBe("in");
    });

    on("no third name is needed where the disk tells case apart", async (folder) => {
      await folder.write("d/a", "new");
      await folder.write("D/A", "other");
      await folder.write("d/A", "old");
      const made = await folder.run(async ({ Guest, handle, watched }) => {
        const made: string[] = [];
        const guest = new Guest(watched(handle, (call, name) => void (call === "getFileHandle:create" && made.push(name))));
        await guest.rename("d/a", "d/A");
        await guest.rename("d/A", "D/A");
        await guest.rename("D/A", "D/a");
        return made;
      });
      expect(made).toEqual(["A", "A", "a"]);
      expect([await folder.names("d"), await folder.names("D"), await folder.read("D/a")]).toEqual([[], ["a"], "new"]);
    });

    const dyingRename = (target: string) => async (folder: Folder) => {
      const states = await folder.run(async ({ Guest, handle, watched, outside, thrown }, to) => {
        const states = [];
        for (let dies = 1; dies < 200; dies++) {
          for (const name of await outside.names(handle)) {
            await outside.remove(handle, name);
          }
          await outside.write(handle, "d/a", "1");
          await outside.write(handle, "d/e/b", "2");
          let [calls, dead] = [0, false];
          const guest = new Guest(
            watched(handle, (call) => {
              dead ||= ++calls === dies;
              // A browser whose page dies aborts what it was writing.
              if (dead && call !== "abort") {
                throw new DOMException("", "NotAllowedError");
              }
            }),
          );
          const code = await thrown(() => guest.rename("d", to));
          guest.tree.end();
          const whole = async (name: string) => {
            try {
              return (
                (await outside.read(handle, `${name}/a`)) === "1" && (await outside.read(handle, `${name}/e/b`)) === "2"
              );
            } catch {
              return false;
            }
          };
          states.push({ dies, code, whole: [await whole("d"), await whole(to)] });
          if (!dead) {
            break;
          }
        }
        return states;
      }, target);
      expect(states.length).toBeGreaterThan(20);
      expect(states.filter(({ whole }) => !whole[0] && !whole[1])).toEqual([]);
      expect(states.at(-1)).toMatchObject({ code: undefined, whole: [false, true] });
      expect(states.slice(0, -1).filter(({ code }) => code !== "not-permitted")).toEqual([]);
    };

    on("a rename that dies at any call leaves the old name whole, or the new one", dyingRename("x"));
    // Where the disk does not tell case apart, it may die while there is only a third name.
    on("so does one that only changes the case", dyingRename("D"));

    on("a file saved that dies at any call of the browser is the old one or the new one", async (folder) => {
      const states = await folder.run(async ({ Guest, handle, watched, outside }) => {
        const states = [];
        for (let dies = 1; dies < 100; dies++) {
          await outside.write(handle, "a", "old");
          let [calls, dead] = [0, false];
          const guest = new Guest(
            watched(handle, (call) => {
              dead ||= ++calls === dies;
              // A browser whose page dies aborts what it was writing.
              if (dead && call !== "abort") {
                throw new DOMException("", "NotAllowedError");
              }
            }),
          );
          await guest.write("a", "new").catch(() => {});
          const report = await guest.sync();
          guest.tree.end();
          const left = await outside.read(handle, "a");
          states.push({ dead, left, failed: report.failures.length, files: Number(report.files) });
          if (!dead) {
            break;
          }
        }
        return { states, names: await outside.names(handle) };
      });
      expect(states.states.filter(({ left }) => left !== "old" && left !== "new")).toEqual([]);
      expect(states.states.at(-1)).toEqual({ dead: false, left: "new", failed: 0, files: 1 });
      expect(states.names.filter((name) => !name.endsWith(".crswap"))).toEqual(["a"]);
    });

    on("a file that is written again is not pushed before it is closed", async (folder) => {
      await folder.write("b", "old");
      const seen = await folder.run(async ({ Guest, handle, watched, bytes, outside, pushSoon }) => {
        pushSoon();
        const [first, last] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
        let go!: () => void;
        const held = new Promise<void>((resolve) => (go = resolve));
        const hook = (call: string, name: string) => {
          if (call === "createWritable" && name === "c") last.resolve();
          if (call !== "createWritable" || name !== "a") return undefined;
          first.resolve();
          return held;
        };
        const guest = new Guest(watched(handle, hook), "read-write", { parallel: 1 });
        for (const name of ["a", "b", "c"]) await guest.write(name, "new");
        // A second after the first was closed, they are pushed, one after the other.
        await first.promise;
        const file = await guest.writing("b", { truncate: true });
        go();
        await last.promise;
        const before = await outside.read(handle, "b");
        await file.write(bytes("newer"), 0n);
        file[Symbol.dispose]();
        await guest.sync();
        return [before, await outside.read(handle, "b")];
      });
      expect(seen).toEqual(["old", "newer"]);
    });

    on("a snapshot that went stale under an open file is taken again", async (folder) => {
      await folder.write("a", "x".repeat(200_000));
      await folder.run(async ({ Guest, handle, kept }) => {
        kept.file = await new Guest(handle).open("a");
        await kept.file.read(10n, 0n);
      });
      await folder.write("a", "y".repeat(200_001));
      const seen = await folder.run(async ({ kept: { file }, text }) => {
        const [bytes, end] = await file.read(10n, 199_995n);
        return [text(bytes), end];
      });
      expect(seen).toEqual(["yyyyyy", true]);
    });

    on("a lock that another page holds is busy, and the file is pushed when it is free", async (folder) => {
      await folder.write("a", "text");
      const seen = await folder.run(async ({ Guest, handle, thrown }) => {
        const guest = new Guest(handle);
        const options = { mode: "exclusive" } as object;
        const lock = await (await handle.getFileHandle("a")).createWritable(options);
        const file = await guest.writing("a");
        await file.setSize(2n);
        const code = await thrown(() => file.sync());
        const report = await guest.sync();
        await lock.abort();
        return { code, report, again: await guest.sync() };
      });
      expect(seen.code).toBe("busy");
      expect(seen.report.failures).toEqual([
        { path: "a", reason: "it is in use, or the browser did not answer in time" },
      ]);
      expect(seen.again.failures).toEqual([]);
      expect(await folder.read("a")).toBe("te");
    });

    on("what is done is told", async (folder) => {
      const progress = await folder.run(async ({ Guest, handle, sleep }) => {
        const progress: unknown[] = [];
        let last = { files: 0, bytes: 0 };
        const guest = new Guest(handle, "read-write", {
          events: { dirty: (unsynced) => void (last = unsynced), progress: (done) => progress.push(done) },
        });
        // Told in a while, and then what is so by then.
        const told = async (files: number, bytes: number) => {
          while (last.files !== files || last.bytes !== bytes) await sleep(20);
        };
        await guest.write("a", "123");
        await guest.write("b", "4567");
        await told(2, 7);
        await guest.sync();
        await told(0, 0);
        return progress;
      });
      expect(progress).toHaveLength(2);
      expect(progress.at(-1)).toEqual({ files: 2, bytes: 7, filesToDo: 0, bytesToDo: 0 });
    });

    on("what cannot be pushed is refused when memory is full, and not lost", async (folder) => {
      const seen = await folder.run(async ({ Guest, handle, watched, thrown }) => {
        let lapsed = true;
        const guest = new Guest(
          watched(handle, (call) => {
            if (lapsed && call === "createWritable") {
              throw new DOMException("", "NotAllowedError");
            }
          }),
        );
        const file = await guest.writing("big", { create: true });
        const stream = file.appendViaStream();
        const chunk = new Uint8Array(1 << 20).fill(7);
        let [written, code] = [0, undefined as unknown];
        for (; written < 100 && code === undefined; written++) {
          code = await thrown(() => stream.blockingWriteAndFlush(chunk));
        }
        const direct = await thrown(() => file.write(chunk, 0n));
        lapsed = false;
        return { code, direct, written, report: await guest.sync(), size: (await guest.stat("big")).size };
      });
      expect(seen).toEqual({
        code: "not-permitted",
        direct: "not-permitted",
        // With what it takes to know where they go, 64 MiB are not below 64 MiB any more.
        written: 64,
        report: { ...EMPTY, files: 1n, bytes: 63n << 20n },
        size: 63n << 20n,
      });
    });

    on("renames and removals beside a sync", async (folder) => {
      const seen = await folder.run(async ({ Guest, handle }) => {
        const guest = new Guest(handle);
        await guest.mkdir("d");
        for (let number = 0; number < 80; number++) {
          await guest.write(`f${number}`, `text ${number}`);
        }
        const syncing = guest.sync();
        const changes = [];
        for (let number = 79; number >= 0; number -= 4) {
          changes.push(guest.rename(`f${number}`, `d/f${number}`), guest.unlink(`f${number - 1}`));
        }
        await Promise.all(changes);
        const first = await syncing;
        const second = await guest.sync();
        return {
          failures: [...first.failures, ...second.failures],
          conflicts: [...first.conflicts, ...second.conflicts],
          lists: [(await guest.list()).length, (await guest.list("d")).length],
          read: await guest.read("d/f79"),
        };
      });
      expect(seen).toEqual({ failures: [], conflicts: [], lists: [41, 20], read: "text 79" });
      expect(await folder.names("d")).toHaveLength(20);
      expect(await folder.read("d/f3")).toBe("text 3");
      expect(await folder.names()).toHaveLength(41);
    });

    on("random plans leave what a plain map of files has", async (folder) => {
      const wrong = await folder.run(async ({ Guest, handle, thrown, outside }) => {
        const wrong: string[] = [];
        for (let plan = 1; plan <= 3 && wrong.length === 0; plan++) {
          for (const name of await outside.names(handle)) {
            await outside.remove(handle, name);
          }
          let seed = plan;
          const roll = (sides: number) =>
            Math.floor(((seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31) * sides);
          const names = ["a", "b", "d/a", "d/b", "e/a"];
          const model = new Map<string, number[]>();
          const guest = new Guest(handle);
          const held = new Map<string, Awaited<ReturnType<typeof guest.open>>>();
          await guest.mkdir("d");
          await guest.mkdir("e");
          const same = (one: ArrayLike<number>, other: number[]) =>
            one.length === other.length && other.every((value, at) => value === one[at]);
          const log: string[] = [];
          const letGo = (name: string) => {
            held.get(name)?.[Symbol.dispose]();
            held.delete(name);
          };
          for (let step = 0; step < 150 && wrong.length === 0; step++) {
            const name = names[roll(names.length)]!;
            const content = model.get(name);
            const action = roll(10);
            log.push(`${action} ${name}`);
            if (action <= 4) {
              const file = held.get(name) ?? (await guest.writing(name, { create: true }));
              held.set(name, file);
              const now = content ?? [];
              if (action === 0) {
                const size = roll(300_000);
                await file.setSize(BigInt(size));
                const cut = now.slice(0, size);
                model.set(name, cut.concat(Array(size - cut.length).fill(0)));
              } else {
                const start = action === 1 ? now.length : roll(now.length + 1000);
                const bytes = Uint8Array.from({ length: 1 + roll(action === 2 ? 100_000 : 100) }, () => 1 + roll(255));
                await file.write(bytes, BigInt(start));
                const grown = now.concat(Array(Math.max(0, start + bytes.length - now.length)).fill(0));
                bytes.forEach((value, at) => (grown[start + at] = value));
                model.set(name, grown);
              }
              if (roll(2)) {
                letGo(name);
              }
            } else if (action === 5) {
              const to = names[roll(names.length)]!;
              const code = await thrown(() => guest.rename(name, to));
              if (content && to !== name) {
                letGo(to);
                model.set(to, content);
                model.delete(name);
                const file = held.get(name);
                held.delete(name);
                if (file) {
                  held.set(to, file);
                }
              }
              if (code !== (content ? undefined : "no-entry")) {
                wrong.push(`rename ${name} ${to}: ${code}`);
              }
            } else if (action === 6) {
              const code = await thrown(() => guest.unlink(name));
              letGo(name);
              model.delete(name);
              if (code !== (content ? undefined : "no-entry")) {
                wrong.push(`unlink ${name}: ${code}`);
              }
            } else if (action === 7) {
              const report = await guest.sync();
              if (report.failures.length + report.conflicts.length > 0) {
                wrong.push(`sync: ${report.failures[0]?.reason} ${report.conflicts[0]?.kept}`);
              }
              for (const [path, bytes] of model) {
                const { directory, name } = await outside.at(handle, path);
                const file = await (await directory.getFileHandle(name)).getFile();
                if (!same(new Uint8Array(await file.arrayBuffer()), bytes)) {
                  wrong.push(`on disk: ${path}`);
                }
              }
            } else if (content) {
              const file = await guest.open(name);
              const start = roll(content.length + 10);
              const length = 1 + roll(200_000);
              const [bytes, end] = await file.read(BigInt(length), BigInt(start));
              file[Symbol.dispose]();
              if (
                !same(bytes, content.slice(start, start + length)) ||
                end !== start + bytes.length >= content.length
              ) {
                wrong.push(`read ${name} at ${start}`);
              }
              if (Number((await guest.stat(name)).size) !== content.length) {
                wrong.push(`size of ${name}`);
              }
            }
          }
          const found = (await Promise.all([guest.list("d"), guest.list("e"), guest.list()])).flat().length - 2;
          if (found !== model.size) {
            wrong.push(`${found} files, not ${model.size}`);
          }
          if (wrong.length > 0) {
            wrong.push(`plan ${plan}`, ...log);
          }
          guest.tree.end();
        }
        return wrong;
      });
      expect(wrong).toEqual([]);
    });

    on("a program that writes more than memory should hold is kept waiting, not refused", async (folder) => {
      const seen = await folder.run(async ({ Guest, handle }) => {
        const guest = new Guest(handle);
        const file = await guest.writing("big", { create: true });
        const stream = file.appendViaStream();
        const chunk = new Uint8Array(1 << 20);
        let most = 0;
        for (let count = 0; count < 100; count++) {
          await stream.blockingWriteAndFlush(chunk.fill(count));
          most = Math.max(most, guest.tree.unsynced().bytes);
        }
        const report = await guest.sync();
        const at = async (offset: number) => (await file.read(1n, BigInt(offset)))[0][0];
        return {
          most,
          report,
          size: (await file.stat()).size,
          bytes: [await at(0), await at(50 << 20), await at((100 << 20) - 1)],
        };
      });
      expect(seen.most).toBeLessThanOrEqual(64 << 20);
      expect(seen.report.failures).toEqual([]);
      expect(seen.size).toBe(100n << 20n);
      expect(seen.bytes).toEqual([0, 50, 99]);
    });
  });
}
