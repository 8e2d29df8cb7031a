// What it costs to write: calls of the browser's, which are what takes the time. They do not depend on how busy a machine
// is; how often a file is looked at while it is swapped in does, so that is left out.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Browser, type Folder } from "./fixture.js";
import type { Kit } from "./guest.js";

let browser: Browser;
beforeAll(async () => void (browser = await Browser.start()), 60_000);
afterAll(() => browser?.stop());

type Guest = Kit["kept"]["guest"];
type Opened = Kit["kept"]["file"];

/** The calls that `costly` takes in a folder with `d/old.txt`, after `first`; in an order that is always the same. */
async function calls(first: (guest: Guest) => unknown, costly: (guest: Guest) => unknown): Promise<string[]> {
  const folder: Folder = await browser.folder("local");
  await folder.write("d/old.txt", "old");
  const all = await folder.run(
    async ({ Guest, handle, watched, frozen }, first, costly) => {
      const calls: string[] = [];
      const clock = frozen();
      const guest = new Guest(watched(handle, (call, name) => void calls.push(`${call} ${name}`)));
      const does = (source: string) => ((0, eval)(source) as (guest: unknown) => unknown)(guest);
      await guest.list("d");
      await does(first);
      calls.length = 0;
      await does(costly);
      clock.melt();
      return calls;
    },
    first.toString(),
    costly.toString(),
  );
  const isLook = (call: string, at: number) => call.startsWith("getFile ") && all.slice(0, at).some((one) => one.startsWith("close "));
  const looked = all.findLastIndex(isLook);
  return all.filter((call, at) => at === looked || !isLook(call, at)).sort();
}

test("a file is made with one look at whether it is there, and one at what was made", async () => {
  expect(await calls(() => {}, (guest) => guest.writing("d/new.txt", { create: true, truncate: true }))).toEqual([
    "getDirectoryHandle d",
    "getDirectoryHandle d",
    "getFile new.txt",
    "getFileHandle new.txt",
    "getFileHandle new.txt",
    "getFileHandle:create new.txt",
  ]);
});

test("a file is opened for writing with one look at it, and one more when it is in memory", async () => {
  expect(await calls(() => {}, (guest) => guest.writing("d/old.txt"))).toEqual([
    "getDirectoryHandle d",
    "getFile old.txt",
    "getFile old.txt",
  ]);
  const again = async (guest: Guest) => {
    const file = await guest.writing("d/old.txt");
    await file.write(new Uint8Array(1), 0n);
    await guest.sync();
    Object.assign(globalThis, { file });
  };
  // What was synced is in memory.
  expect(await calls(again, () => (globalThis as never as { file: Opened }).file.write(new Uint8Array(1), 0n))).toEqual([]);
});

/** Where it is, whether its swap file has its name for itself, the swap, and the file before and after: then also its kind. */
const PUSH = [
  "close", "createWritable", "getDirectoryHandle d", "getFile", "getFile", "getFileHandle", "getFileHandle", "getFileHandle .crswap", "write",
];

test.each([
  ["new", "d/new.txt", (guest: Guest) => guest.write("d/new.txt", "new")],
  ["changed", "d/old.txt", (guest: Guest) => guest.append("d/old.txt", " and new")],
])("a file that is %s is compared once, right before it is swapped in", async (_, path, write) => {
  const name = path.slice(2);
  const cost = await calls(write, (guest) => guest.sync());
  expect(cost.map((call) => call.replace(name, "").replace(/ $/, "")).sort()).toEqual(PUSH);
});

/** What can be asked at once is: each call of a turn waits until all of that turn have come. */
const TURNS: [what: string, turns: number[], first: (guest: Guest) => unknown, work: (guest: Guest) => unknown][] = [
  ["a push, before it writes", [3, 1, 1], (guest) => guest.append("d/old.txt", " and new"), (guest) => guest.sync()],
  ["making a file", [2, 1, 3], () => {}, (guest) => guest.writing("d/new.txt", { create: true, truncate: true })],
];

test.each(TURNS)("%s asks what it can at once", async (_, turns, first, work) => {
  const folder = await browser.folder("local");
  await folder.write("d/old.txt", "old");
  const left = await folder.run(
    async ({ Guest, handle, watched, frozen }, turns, first, work) => {
      const clock = frozen();
      let [begun, come, turn] = [false, 0, Promise.withResolvers<void>()];
      const hook = (): unknown => {
        if (!begun || turns.length === 0) return undefined;
        const { promise, resolve } = turn;
        if (++come === turns[0]) {
          resolve();
          [come, turn] = [0, Promise.withResolvers<void>()];
          turns.shift();
        }
        return promise;
      };
      const guest = new Guest(watched(handle, hook));
      const does = (source: string) => ((0, eval)(source) as (guest: unknown) => unknown)(guest);
      await guest.list("d");
      await does(first);
      begun = true;
      await does(work);
      clock.melt();
      return turns;
    },
    turns,
    first.toString(),
    work.toString(),
  );
  expect(left).toEqual([]);
});

test("many files of one directory are pushed with fewer looks at the directory than files", async () => {
  const write = async (guest: Guest) => {
    for (let number = 0; number < 12; number++) await guest.write(`d/${number}.txt`, "new");
  };
  const cost = await calls(write, (guest) => guest.sync());
  expect(cost.filter((call) => call.startsWith("createWritable"))).toHaveLength(12);
  expect(cost.filter((call) => call.startsWith("getDirectoryHandle")).length).toBeLessThan(6);
});

test("what a guest makes in numbers is pushed while it goes on", async () => {
  const folder = await browser.folder("local");
  await folder.run(async ({ Guest, handle, watched }) => {
    // What is written a second after a close is not what is meant.
    const setTimeout = globalThis.setTimeout;
    globalThis.setTimeout = ((work: () => void, ms: number) => (ms === 1000 ? 0 : setTimeout(work, ms))) as typeof setTimeout;
    const swapped = Promise.withResolvers<void>();
    const guest = new Guest(watched(handle, (call) => void (call === "close" && swapped.resolve())));
    // One that is open is none that may be whole.
    const open = await guest.writing("open.txt", { create: true });
    await open.write(new Uint8Array(1), 0n);
    for (let number = 0; number < 17; number++) await guest.write(`${number}.txt`, "new");
    await swapped.promise;
    globalThis.setTimeout = setTimeout;
  });
});
