// How many calls of the browser's it takes to look and to read, and how many bytes: on a real folder they are what costs. No
// time is measured.
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Browser, type Folder } from "./fixture.js";
import type { Kit } from "./guest.js";

let browser: Browser;
beforeAll(async () => void (browser = await Browser.start()), 60_000);
afterAll(() => browser?.stop(), 60_000);

const DIRECTORIES = 8;
const FILES = 25;
const ALL = DIRECTORIES * FILES;

/** What the guests' clock says, in milliseconds. */
const NOW = Date.now();
/** An hour before, in seconds. */
const LONG_AGO = NOW / 1000 - 3600;

/** Files of 1,000 bytes, which nobody has changed for a while. */
async function folder(): Promise<Folder> {
  const folder = await browser.folder("local");
  for (let directory = 0; directory < DIRECTORIES; directory++) {
    mkdirSync(join(folder.path, `d${directory}`));
    for (let file = 0; file < FILES; file++) {
      put(folder, `d${directory}/f${file}`, "x".repeat(1000));
    }
  }
  return folder;
}

function put(folder: Folder, path: string, text: string, at = LONG_AGO): void {
  writeFileSync(join(folder.path, path), text);
  utimesSync(join(folder.path, path), at, at);
}

/** Opens a guest, and gives it a clock that stands still. */
async function open(folder: Folder): Promise<void> {
  await folder.run(({ Guest, handle, kept, frozen }, now) => {
    kept.guest = new Guest(handle, "read", { now: () => now });
    Object.assign(kept, { clock: frozen() });
  }, NOW);
}

const pass = (folder: Folder, milliseconds: number) =>
  folder.run(({ kept }, milliseconds) => (kept as Clocked).clock.pass(milliseconds), milliseconds);
type Clocked = Kit["kept"] & { clock: { pass(milliseconds: number): void; melt(): void } };
const on = (name: string, work: (folder: Folder) => Promise<void>) =>
  test(name, async () => {
    const here = await folder();
    await open(here);
    try {
      await work(here);
    } finally {
      await here.run(({ kept }) => (kept as Clocked).clock.melt());
    }
  }, 60_000);

describe("a guest that lists all directories and asks for all attributes", () => {
  const walk = (folder: Folder) =>
    folder.run(async ({ kept: { guest }, counted }) => {
      let [bytes, waits] = [0n, 0];
      const calls = await counted(async () => {
        for (const directory of await guest.list()) {
          for (const file of await guest.list(directory)) {
            const stat = guest.root.statAt({}, directory + file);
            waits += stat instanceof Promise ? 1 : 0;
            bytes += (await stat).size;
          }
        }
      });
      return { bytes: Number(bytes), waits, calls };
    });

  on("asks for each once, and the second time for none", async (folder) => {
    const { bytes, waits, calls } = await walk(folder);
    expect(bytes).toBe(ALL * 1000);
    // Of a directory, for the first two, and then for those that are fetched at once.
    expect(waits).toBeLessThanOrEqual(5 * DIRECTORIES);
    expect(calls["entries"]).toBe(DIRECTORIES + 1);
    // It may ask for one before its turn.
    expect(calls["getFile"]).toBeLessThanOrEqual(ALL + DIRECTORIES);
    expect(calls).not.toHaveProperty("getFileHandle");
    expect(calls).not.toHaveProperty("bytes");
    // Each found and confirmed, and confirmed for many files at once.
    expect(calls["getDirectoryHandle"]).toBeLessThanOrEqual(5 * DIRECTORIES);

    const again = await walk(folder);
    expect(again).toEqual({
      bytes: ALL * 1000,
      waits: 0,
      calls: { entries: DIRECTORIES + 1, getDirectoryHandle: expect.any(Number) },
    });
    expect(again.calls["getDirectoryHandle"]).toBeLessThanOrEqual(2 * DIRECTORIES);
  });

  on("does not wait for what will not be believed any more soon, because that is fetched before", async (folder) => {
    await walk(folder);
    // Of the 5 s that they are believed.
    await pass(folder, 4500);
    const { waits, calls } = await walk(folder);
    expect(waits).toBe(0);
    expect(calls["getFile"]).toBeGreaterThan(ALL / 2);
  });

  on("asks again for what was seen before another program's change was noticed, and for nothing else", async (folder) => {
    const noticed = (ago: number) => folder.run(({ kept }, ago) => kept.guest.tree.distrust([], ago), ago);
    await walk(folder);
    await pass(folder, 100);
    await noticed(200);
    expect((await walk(folder)).calls).not.toHaveProperty("getFile");
    await noticed(50);
    expect((await walk(folder)).calls["getFile"]).toBeGreaterThanOrEqual(ALL);
  });

  on("sees what other programs did once it is not believed any more", async (folder) => {
    await walk(folder);
    put(folder, "d3/f3", "x".repeat(500));
    await pass(folder, 5000);
    expect((await walk(folder)).bytes).toBe(ALL * 1000 - 500);
  });
});

on("a guest that lists names, and asks which files they are, looks at few", async (folder) => {
  const calls = await folder.run(({ kept: { guest }, counted }) =>
    counted(async () => {
      for (const directory of await guest.list()) {
        // As a WASI preview 1 guest does, of each entry.
        for (const name of await guest.list(directory)) {
          await guest.hash(directory + name);
        }
      }
    }),
  );
  expect(calls["getFile"]).toBeLessThanOrEqual(8 * DIRECTORIES);
  expect(calls["getDirectoryHandle"]).toBeLessThanOrEqual(5 * DIRECTORIES);
});

describe("a look that is answered late is of the time when it began:", () => {
  /** Asks for attributes, which come when `kept.go` is called. */
  const begin = (folder: Folder) =>
    folder.run(({ kept }) => {
      const { prototype } = FileSystemFileHandle;
      const { getFile } = prototype;
      const late = new Promise<void>((resolve) => (kept.go = resolve));
      const looked = new Promise<void>((resolve) => {
        prototype.getFile = async function (this: FileSystemFileHandle) {
          const file = await getFile.call(this);
          resolve();
          await late;
          return file;
        };
      });
      kept.going = kept.guest.stat("d0/f0").finally(() => (prototype.getFile = getFile));
      return looked;
    });
  const size = async (folder: Folder) =>
    Number(
      await folder.run(async ({ kept }) => {
        kept.go();
        await kept.going;
        return (await kept.guest.stat("d0/f0")).size;
      }),
    );

  on("a sync after it is not believed to be before it", async (folder) => {
    await begin(folder);
    put(folder, "d0/f0", "another size");
    await pass(folder, 10);
    await folder.run(async ({ kept }) => void (await kept.guest.sync()));
    await pass(folder, 10);
    expect(await size(folder)).toBe("another size".length);
  });

  on("nor is a change that was told by name", async (folder) => {
    await begin(folder);
    put(folder, "d0/f0", "another size");
    await pass(folder, 10);
    await folder.run(({ kept }) => kept.guest.tree.distrust(["d0/f0"]));
    await pass(folder, 10);
    expect(await size(folder)).toBe("another size".length);
  });
});

on("what was listed is another thing when it is asked for", async (folder) => {
  await folder.run(({ kept }) => kept.guest.list("d0"));
  for (const name of ["f8", "f9"]) {
    rmSync(join(folder.path, `d0/${name}`));
  }
  mkdirSync(join(folder.path, "d0/f8"));
  await pass(folder, 1000);
  const seen = await folder.run(async ({ kept: { guest }, thrown }) => [
    (await guest.stat("d0/f8")).type,
    await thrown(() => guest.stat("d0/f9")),
  ]);
  expect(seen).toEqual(["directory", "no-entry"]);
});

describe("a guest that reads", () => {
  /** As a libc does: to the end, which it meets. */
  const readAll = (folder: Folder, most = Infinity) =>
    folder.run(async ({ kept: { guest }, counted, thrown }, most) => {
      let bytes = 0;
      const calls = await counted(async () => {
        for (const directory of await guest.list()) {
          for (const name of (await guest.listInOrder(directory)).slice(0, most)) {
            const file = await guest.open(directory + name);
            await file.stat();
            const stream = file.readViaStream(0n);
            bytes += (await stream.read(1001n)).length;
            await thrown(() => stream.read(1n));
            stream[Symbol.dispose]();
            file[Symbol.dispose]();
          }
        }
      });
      return { bytes, calls };
    }, most);

  on("everything as it is listed: each open looks once, and almost all is read before", async (folder) => {
    const { bytes, calls } = await readAll(folder);
    expect(bytes).toBe(ALL * 1000);
    expect(calls).toMatchObject({ entries: DIRECTORIES + 1, arrayBuffer: ALL, bytes: ALL * 1000 });
    expect(calls).not.toHaveProperty("slice");
    expect(calls).not.toHaveProperty("getFileHandle");
    // One before it is opened, one then; and those that a guest may be about to ask about that only listed.
    expect(calls["getFile"]).toBeLessThanOrEqual(2 * ALL + 8 * DIRECTORIES);
    // With each open, and for several of those before.
    expect(calls["getDirectoryHandle"]).toBeLessThanOrEqual(1.25 * ALL);
  });

  on("all the same when anything may have changed since it was listed", async (folder) => {
    const calls = await folder.run(({ kept: { guest }, counted }) =>
      counted(async () => {
        const names = await guest.list("d0");
        guest.tree.distrust([]);
        // As a WASI preview 1 guest does, of each entry.
        for (const name of names) await guest.hash(`d0/${name}`);
        for (const name of names) await guest.read(`d0/${name}`);
      }),
    );
    expect(calls).toMatchObject({ entries: 1, arrayBuffer: FILES, bytes: FILES * 1000 });
    expect(calls["getFile"]).toBeLessThanOrEqual(2 * FILES + 8);
    // Of the first ones, which nothing is read of before they are opened.
    expect(calls["getFileHandle"]).toBeLessThanOrEqual(3);
  });

  on("a few of many: not many more are read", async (folder) => {
    const { calls } = await readAll(folder, 2);
    expect(calls["arrayBuffer"]).toBeLessThanOrEqual((2 + 2) * DIRECTORIES);
  });

  on("what it sorts: that is how it is listed", async (folder) => {
    for (const name of ["b", "a", "ä", "B", "é", "10", "9"]) {
      put(folder, `d0/${name}`, "");
    }
    const names = await folder.run(({ kept }) => kept.guest.listInOrder("d0"));
    expect(names).toHaveLength(FILES + 7);
    expect(names).toEqual([...names].sort());
  });

  on("against the order: nothing is read before it is opened", async (folder) => {
    const calls = await folder.run(async ({ kept: { guest }, counted }) => {
      const names = (await guest.listInOrder("d0")).reverse();
      return counted(async () => {
        for (const name of names) {
          await guest.read(`d0/${name}`);
        }
      });
    });
    expect(calls).toMatchObject({ arrayBuffer: FILES, bytes: FILES * 1000 });
    expect(calls["getFile"]).toBeLessThanOrEqual(FILES + 8);
  });

  on("a file for the first time, then again, also much later", async (folder) => {
    const read = () =>
      folder.run(({ kept: { guest }, counted }) => counted(async () => void (await guest.read("d0/f0"))));
    // What is asked of the file comes after its directory, which is looked at once more then.
    expect(await read()).toEqual({ getDirectoryHandle: 2, getFileHandle: 1, getFile: 1, arrayBuffer: 1, bytes: 1000 });
    const again = { getDirectoryHandle: 1, getFile: 1, arrayBuffer: 1, bytes: 1000 };
    expect(await read()).toEqual(again);
    await pass(folder, 500);
    expect(await read()).toEqual(again);
    // Then its directory has to be found again.
    await pass(folder, 3_600_000);
    expect(await read()).toEqual({ ...again, getDirectoryHandle: 2 });
  });

  on("64 KiB in the middle of a large file", async (folder) => {
    put(folder, "large", "y".repeat(4 << 20));
    const calls = await folder.run(({ kept: { guest }, counted }) =>
      counted(async () => {
        const file = await guest.open("large");
        await file.stat();
        await file.readViaStream(2n << 20n).read(65536n);
      }),
    );
    expect(calls).toEqual({ getFileHandle: 1, getFile: 1, slice: 1, arrayBuffer: 1, bytes: 65536 });
  });

  on("and changes 8 bytes of a large file: these are written, and none are read", async (folder) => {
    put(folder, "large", "y".repeat(4 << 20));
    const { left, calls } = await folder.run(async ({ Guest, handle, counted, bytes }) => {
      const guest = new Guest(handle);
      const calls = await counted(async () => {
        const file = await guest.writing("large");
        await file.write(bytes("12345678"), 2n << 20n);
        file[Symbol.dispose]();
        await guest.sync();
      });
      return { left: guest.tree.unsynced().files, calls };
    });
    expect(left).toBe(0);
    expect(calls).toMatchObject({ createWritable: 1, write: 1, written: 8 });
    expect(calls).not.toHaveProperty("bytes");
    expect(readFileSync(join(folder.path, "large"), "utf8")).toBe(`${"y".repeat(2 << 20)}12345678${"y".repeat((2 << 20) - 8)}`);
  });

  describe("what was read before it was opened is not what is there then:", () => {
    /** Opens all before the last two, so that these are read, and answers their names. */
    const begin = (folder: Folder) =>
      folder.run(async ({ kept: { guest } }) => {
        const names = await guest.listInOrder("d0");
        for (const name of names.slice(0, -2)) {
          await guest.read(`d0/${name}`);
        }
        return names.slice(-2);
      });
    const read = (folder: Folder, name: string) =>
      folder.run(async ({ kept: { guest }, counted, thrown }, path) => {
        let seen: unknown;
        const calls = await counted(async () => {
          const code = await thrown(async () => (seen = await guest.read(path)));
          seen ??= code;
        });
        return { seen, reads: calls["arrayBuffer"] ?? 0 };
      }, `d0/${name}`);

    on("nothing happened", async (folder) => {
      const [one, other] = await begin(folder);
      expect(await read(folder, one!)).toEqual({ seen: "x".repeat(1000), reads: 0 });
      expect(await read(folder, other!)).toEqual({ seen: "x".repeat(1000), reads: 0 });
    });

    on("it was written", async (folder) => {
      const [one, other] = await begin(folder);
      // As long as it was, and a moment later.
      put(folder, `d0/${one}`, "y".repeat(1000), LONG_AGO + 0.005);
      put(folder, `d0/${other}`, "z".repeat(1001));
      expect((await read(folder, one!)).seen).toBe("y".repeat(1000));
      expect((await read(folder, other!)).seen).toBe("z".repeat(1001));
    });

    on("it was removed, or is a directory now", async (folder) => {
      const [one, other] = await begin(folder);
      rmSync(join(folder.path, `d0/${one}`));
      rmSync(join(folder.path, `d0/${other}`));
      mkdirSync(join(folder.path, `d0/${other}`));
      put(folder, `d0/${other}/in`, "inside");
      expect((await read(folder, one!)).seen).toBe("no-entry");
      expect((await read(folder, other!)).seen).toBe("is-directory");
      expect((await read(folder, `${other}/in`)).seen).toBe("inside");
      expect(await folder.run(({ kept }, path) => kept.guest.list(path), `d0/${other}`)).toEqual(["in"]);
    });

    on("a link is in its place, or in that of its directory", async (folder) => {
      const vault = `${folder.path}-vault`;
      mkdirSync(vault);
      const [one, other] = await begin(folder);
      for (const name of [one, other]) {
        // Alike in all that a look shows.
        writeFileSync(join(vault, name!), "SECRET".padEnd(1000));
        utimesSync(join(vault, name!), LONG_AGO, LONG_AGO);
      }
      rmSync(join(folder.path, `d0/${one}`));
      symlinkSync(join(vault, one!), join(folder.path, `d0/${one}`));
      expect((await read(folder, one!)).seen).toBe("no-entry");
      renameSync(join(folder.path, "d0"), join(folder.path, "away"));
      symlinkSync(vault, join(folder.path, "d0"));
      expect((await read(folder, other!)).seen).toBe("no-entry");
    });

    on("it was taken back", async (folder) => {
      const [one] = await begin(folder);
      await folder.run(({ kept }) => kept.guest.tree.end());
      expect(await read(folder, one!)).toEqual({ seen: "no-device", reads: 0 });
    });
  });

  on("what has just changed is not read before it is opened: it may change again and look the same", async (folder) => {
    put(folder, "d0/new1", "new", NOW / 1000);
    put(folder, "d0/new2", "new", NOW / 1000);
    const { calls, bytes } = await folder.run(async ({ kept: { guest }, counted }) => {
      const names = await guest.listInOrder("d0");
      let bytes = 0;
      const calls = await counted(async () => {
        // Those that are new have others before them, or not: no matter, as long as they are not opened.
        for (const name of names.filter((name) => !name.startsWith("new"))) {
          bytes += (await guest.read(`d0/${name}`)).length;
        }
      });
      return { calls, bytes };
    });
    expect(bytes).toBe(FILES * 1000);
    expect(calls["bytes"]).toBe(FILES * 1000);
  });
});
