// What a hostile guest makes the browser hold: the memory of all its processes, before and after. `STORM` says how hard it
// tries, in per cent: with 100 it opens a million times what it may not, asks for a million names that are not there, makes
// and removes 10,000 files that are open, writes 2 GiB without a sync, and reads as much.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Browser, type Folder } from "./fixture.js";
import type { Kit } from "./guest.js";

const STORM = Number(process.env["STORM"] ?? 0.5) / 100;

/** More than any of it may take, with all that a browser keeps for a while on its own. */
const MOST_MIB = 700;

let browser: Browser;
beforeAll(async () => void (browser = await Browser.start("allow", ["--js-flags=--expose-gc"])), 60_000);
afterAll(() => browser?.stop(), 60_000);

/** What all processes of the browser have in memory, in MiB. */
function resident(): number {
  const root = Number(readlinkSync(join(browser.profile, "SingletonLock")).replace(/.*-/, ""));
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      parents.set(Number(name), Number(readFileSync(`/proc/${name}/stat`, "utf8").replace(/.*\) \S /s, "").split(" ")[0]));
    } catch {
      // It is over.
    }
  }
  const isIn = (pid: number): boolean => pid === root || (parents.has(pid) && isIn(parents.get(pid)!));
  let kilobytes = 0;
  for (const pid of [...parents.keys()].filter(isIn)) {
    try {
      // Without what the processes share, which each would count.
      const smaps = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
      kilobytes += Number(/^Pss:\s+(\d+)/m.exec(smaps)![1]);
    } catch {
      // It is over.
    }
  }
  return Math.round(kilobytes / 1024);
}

/** Does something again and again while the memory is watched. */
async function watch(what: string, place: "local" | "opfs", work: (kit: Kit, count: number) => Promise<unknown>, count: number): Promise<unknown> {
  const folder: Folder = await browser.folder(place);
  await folder.run(async ({ Guest, handle }) => void (await new Guest(handle).write("a", "text")));
  const [before, began] = [resident(), performance.now()];
  let highest = before;
  const timer = setInterval(() => (highest = Math.max(highest, resident())), 250);
  try {
    const answer = await folder.run(work, count);
    await folder.run(() => (globalThis as unknown as { gc(): void }).gc());
    const after = resident();
    console.log(`${what}, ${count} times: ${before} MiB before, at most ${highest}, ${after} after; ${Math.round((performance.now() - began) / 1000)} s`);
    expect(highest - before, "MiB more at the worst").toBeLessThan(MOST_MIB);
    return answer;
  } finally {
    clearInterval(timer);
  }
}

test("opening what may not be opened", { timeout: 3_600_000 }, async () => {
  const answer = await watch("refused opens", "local", async ({ Guest, InUse, LIMITS, handle, thrown }, count) => {
    const guest = new Guest(handle);
    const root = guest.tree.root(new InUse(LIMITS)) as typeof guest.root;
    const open = [];
    for (let at = 0; at < LIMITS.descriptors - 1; at++) {
      open.push(await root.openAt({}, "a", {}, { read: true }));
    }
    const codes = new Set();
    for (let at = 0; at < count; at++) {
      codes.add(await thrown(() => root.openAt({}, "a", {}, { read: true })));
    }
    open.forEach((file) => file[Symbol.dispose]());
    return [...codes];
  }, Math.round(1_000_000 * STORM));
  expect(answer).toEqual(["insufficient-memory"]);
});

test("asking for names that are not there", { timeout: 3_600_000 }, async () => {
  const answer = await watch("names that are missing", "local", async ({ Guest, handle, thrown }, count) => {
    const guest = new Guest(handle);
    const codes = new Set();
    for (let at = 0; at < count; at++) {
      codes.add(await thrown(() => guest.stat(`none-${at}-${"n".repeat(200)}`)));
    }
    return [...codes];
  }, Math.round(1_000_000 * STORM));
  expect(answer).toEqual(["no-entry"]);
});

test("making and removing files that stay open", { timeout: 3_600_000 }, async () => {
  const answer = await watch("files made and removed while open", "local", async ({ Guest, InUse, LIMITS, handle, bytes, thrown }, count) => {
    const guest = new Guest(handle);
    const root = guest.tree.root(new InUse(LIMITS)) as typeof guest.root;
    const open = [];
    const codes = new Set();
    const piece = new Uint8Array(1 << 20);
    for (let at = 0; at < count; at++) {
      if (open.length === LIMITS.descriptors - 1) {
        open.splice(0, 250).forEach((file) => file[Symbol.dispose]());
      }
      const file = await root.openAt({}, `f${at}`, { create: true }, { read: true, write: true });
      open.push(file);
      await file.write(bytes("text"), 0n);
      codes.add(await thrown(() => root.unlinkFileAt(`f${at}`)));
      // It may hold on to what it has no name for, but not to any amount of it.
      codes.add(await thrown(() => file.write(piece, 0n)));
    }
    return [...codes].filter((code) => code !== undefined);
  }, Math.round(10_000 * STORM));
  expect(answer).toEqual(STORM > 0.1 ? ["insufficient-space"] : expect.any(Array));
});

test("writing without a sync", { timeout: 3_600_000 }, async () => {
  const answer = await watch("64 KiB written without a sync", "opfs", async ({ Guest, handle }, count) => {
    const guest = new Guest(handle);
    const piece = new Uint8Array(64 * 1024).fill(7);
    let written = 0;
    // Several files, as large as most are.
    for (let name = 0; written < count; name++) {
      const file = await guest.writing(`f${name}`, { create: true });
      const stream = file.writeViaStream(0n);
      for (let at = 0; at < 1024 && written < count; at++, written++) {
        await stream.blockingWriteAndFlush(piece);
      }
      stream[Symbol.dispose]();
      file[Symbol.dispose]();
    }
    return guest.tree.unsynced().bytes <= 64 * 1024 * 1024;
  }, Math.round(32_768 * STORM));
  expect(answer).toBe(true);
});

test("reading as much as can be asked for", { timeout: 3_600_000 }, async () => {
  await watch("reads of 2^64 - 1 bytes, of files that stay open", "opfs", async ({ Guest, handle }, count) => {
    const guest = new Guest(handle);
    const most = (1n << 64n) - 1n;
    const piece = new Uint8Array(1 << 20);
    const files = [];
    for (let name = 0; name < 16; name++) {
      const file = await guest.writing(`f${name}`, { create: true });
      for (let at = 0n; at < 8n; at++) {
        await file.write(piece, at << 20n);
      }
      await file.sync();
      files.push(file);
    }
    let all = 0;
    for (let at = 0; at < count; at++) {
      all += (await files[at % 16]!.read(most, BigInt((at * 7) % 8) << 20n))[0].length;
    }
    return all;
  }, Math.round(2_048 * STORM));
});

test("listing again and again, and never closing it", { timeout: 3_600_000 }, async () => {
  const answer = await watch("listings of 500 names", "opfs", async ({ Guest, InUse, LIMITS, handle, thrown }, count) => {
    const guest = new Guest(handle);
    for (let at = 0; at < 500; at++) {
      (await guest.writing(`f${at}`, { create: true }))[Symbol.dispose]();
    }
    const root = guest.tree.root(new InUse(LIMITS)) as typeof guest.root;
    const codes = new Set();
    for (let at = 0; at < count; at++) {
      codes.add(await thrown(() => root.readDirectory()));
    }
    return [...codes];
  }, Math.max(100, Math.round(5_000 * STORM)));
  expect(answer).toEqual([undefined, "insufficient-memory"]);
});
