// Another program changes a file while the guest writes it and syncs: at a call of the browser's that is chosen at random,
// before it or beside it. What either of them finished writing is on disk afterwards, under the name of the file or that of
// a conflict, and nothing is a mix of both. `RACE_ROUNDS` says how often, `RACE_SEED` with which choices.
//
// There is one exception: nothing can be compared any more while Chromium swaps a file in, or removes a name, because it
// has neither a swap nor a removal that refuses. What another program finished there in that moment is counted here: it is
// kept if it was seen before it was replaced, and lost else.
import {
  closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync, readSync, renameSync, rmSync, statSync, writeFileSync, writeSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cleanUp, launch } from "./browser.js";
import { folderOf, onDisk, put } from "./disk.js";
import { openFiles, run, serveFiles } from "./files-page.js";
import { randomFrom } from "./random-steps.js";

const ROUNDS = Number(process.env["RACE_ROUNDS"] ?? 60);
const SEED = Number(process.env["RACE_SEED"] ?? Date.now() % 1_000_000);

/**
 * What the guest does to a text, and when the other program may begin: `early`, or once the guest has the file open.
 * `first` is what it has done and synced before that.
 */
const WORKS = {
  append: { path: "a.txt", early: true, does: (text: string) => `${text}guest` },
  update: { path: "a.txt", early: true, does: (text: string) => `guest${text.slice(5)}` },
  "update once more": {
    path: "a.txt",
    early: false,
    first: (text: string) => `guest${text.slice(5)}`,
    does: (text: string) => `${text.slice(0, 5)}again${text.slice(10)}`,
  },
  replace: { path: "a.txt", early: false, does: () => "guest" },
  save: { path: "a.txt", early: false, does: () => "guest" },
  create: { path: "new.txt", early: false, does: () => "guest" },
  rename: { path: "d/in.txt", early: true, does: (text: string) => text },
  "rename directory": { path: "d/in.txt", early: true, does: (text: string) => text },
} satisfies Record<string, { path: string; early: boolean; does: Change; first?: Change }>;

type Change = (text: string) => string;

type Work = keyof typeof WORKS;
const DEEDS = ["write in place", "write and rename", "append", "remove", "remove directory", "directory in its place"] as const;
type Deed = (typeof DEEDS)[number];

const SIZES = [100, 5_000, 400_000];

let top: string;
let server: Server;
let site: Awaited<ReturnType<typeof serveFiles>>;
let browser: BrowserContext;
let page: Page;
/** What the other program does when the guest's call comes. */
let other: () => void;

beforeAll(async () => {
  server = createServer((_, response) => {
    other();
    response.writeHead(200, { "access-control-allow-origin": "*" }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  site = await serveFiles();
  browser = await launch("allow");
  top = folderOf();
  page = await openFiles(browser, site.origin, top);
});

afterAll(async () => {
  await browser?.close();
  site?.close();
  server?.close();
  cleanUp();
});

/** What a file has, if it is one. */
function textOf(file: string): string {
  return existsSync(file) && statSync(file).isFile() ? readFileSync(file, "utf8") : "";
}

/** Makes a directory, if nothing is there. */
function made(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Does one of the other program's deeds; answers the version that it finished, if it wrote one. */
function act(deed: Deed, folder: string, path: string, size: number): string | undefined {
  const file = join(folder, path);
  const fresh = "another program's ".repeat(Math.ceil(size / 18));
  mkdirSync(join(file, ".."), { recursive: true });
  switch (deed) {
    case "write in place":
      writeFileSync(file, fresh);
      return fresh;
    case "write and rename":
      writeFileSync(`${folder}.tmp`, fresh);
      renameSync(`${folder}.tmp`, file);
      return fresh;
    case "append": {
      // To what is there when it is opened: the guest's version may have been swapped in since it was looked at.
      const opened = openSync(file, "a+");
      writeSync(opened, "another program's");
      const bytes = Buffer.alloc(fstatSync(opened).size);
      readSync(opened, bytes, 0, bytes.length, 0);
      closeSync(opened);
      return bytes.toString();
    }
    case "remove":
      rmSync(file, { force: true });
      return undefined;
    case "remove directory":
      if (path.includes("/")) rmSync(join(file, ".."), { recursive: true });
      else rmSync(file, { force: true });
      return undefined;
    case "directory in its place":
      // The guest may make it again in between.
      do rmSync(file, { recursive: true, force: true });
      while (!made(file));
      return undefined;
  }
}

/** The guest's work in the folder of a round, while the other program acts at a call of the browser's. */
async function work(name: string, what: Work, early: boolean, at: number, beside: boolean) {
  const { port } = server.address() as AddressInfo;
  return await run(
    page,
    async ({ handle, Guest, watched, thrown, bytes }, name, what, early, at, beside, url) => {
      let [armed, calls, fired, going]: [boolean, number, string, Promise<unknown>] = [early, 0, "", Promise.resolve()];
      let last = "";
      const hook = async (call: string) => {
        // What is looked at while a file is swapped in.
        if (call !== "getFile" || last !== "close") last = call;
        if (!armed || ++calls !== at) return;
        fired = last;
        going = fetch(url);
        if (!beside) await going;
      };
      const guest = new Guest(watched(await handle.getDirectoryHandle(name), hook));
      const { arrayBuffer } = Blob.prototype;
      Blob.prototype.arrayBuffer = async function () {
        // Another program's write may come before it is read, and while it is.
        const reading = beside ? arrayBuffer.call(this) : undefined;
        await hook("arrayBuffer");
        return reading ?? arrayBuffer.call(this);
      };
      const write = async (path: string, how: object, text: string, offset?: bigint, first?: string) => {
        const file = await guest.writing(path, how);
        if (first) {
          await file.write(bytes(first), 0n);
          await guest.sync();
        }
        armed = what !== "save";
        const stream = offset === undefined ? file.appendViaStream() : file.writeViaStream(offset);
        await stream.blockingWriteAndFlush(bytes(text));
        stream[Symbol.dispose]();
        file[Symbol.dispose]();
      };
      const does: Record<string, () => Promise<void>> = {
        append: () => write("a.txt", {}, "guest"),
        update: () => write("a.txt", {}, "guest", 0n),
        "update once more": () => write("a.txt", {}, "again", 5n, "guest"),
        replace: () => write("a.txt", { truncate: true }, "guest", 0n),
        create: () => write("new.txt", { create: true }, "guest", 0n),
        save: async () => {
          await write("a.new", { create: true }, "guest", 0n);
          await guest.rename("a.new", "a.txt");
          armed = true;
        },
        rename: () => guest.rename("d/in.txt", "renamed.txt"),
        "rename directory": () => guest.rename("d", "e"),
      };
      const error = await thrown(does[what]!);
      const failures = [];
      // What failed is tried again.
      for (let again = 0; again < 3; again++) {
        const report = await guest.sync();
        failures.push(...report.failures);
        if (report.failures.length === 0) break;
      }
      if (!fired) {
        fired = "nothing";
        going = fetch(url);
      }
      await going;
      const left = (await guest.sync()).failures;
      guest.tree.end();
      Object.assign(Blob.prototype, { arrayBuffer });
      return { error, fired, left };
    },
    name, what, early, at, beside, `http://127.0.0.1:${port}/`,
  );
}

it(`of ${ROUNDS} races no version is lost, and none is mixed with another`, async () => {
  const random = randomFrom(SEED);
  const one = <T>(all: readonly T[]): T => all[random(all.length)]!;
  const lost: string[] = [];
  const wrong: string[] = [];
  const where = new Map<string, number>();
  /** Versions of the other program that came when nothing can be compared, and how many were kept. */
  const late = { "while a file was swapped in": [0, 0], "before a name was removed": [0, 0], "beside another call": [0, 0] };
  let overwritten = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const what = one(Object.keys(WORKS) as Work[]);
    const { path, early, does, first }: { path: string; early: boolean; does: Change; first?: Change } = WORKS[what];
    const deed = one(what === "create" ? DEEDS.slice(0, 3) : DEEDS);
    const isRename = what.startsWith("rename");
    const begins = early && deed !== "directory in its place" && random(2) === 0;
    const [size, at, beside] = [one(SIZES), 1 + random(isRename ? 24 : 12), random(3) === 0];
    const before = what === "create" ? "" : "the first version ".repeat(Math.ceil(size / 18));
    const base = first?.(before) ?? before;
    const folder = join(top, `round-${round}`);
    put(folder, { "untouched.txt": "untouched", ...(before && { [path]: before }) });
    let [saw, version]: (string | undefined)[] = [];
    other = () => {
      saw = textOf(join(folder, path));
      version = act(deed, folder, path, one(SIZES));
    };
    const { error, fired, left } = await work(`round-${round}`, what, begins, at, beside);
    where.set(fired, (where.get(fired) ?? 0) + 1);

    const { "untouched.txt": untouched, ...files } = onDisk(folder);
    const texts = Object.values(files);
    const found = Object.entries(files).map(([path, text]) => `${path}: ${JSON.stringify(`${text.slice(0, 8)}…${text.slice(-20)}`)} (${text.length})`);
    const race = `round ${round}: ${what} (${error ?? "done"}) of ${size}, ${deed} ${beside ? "beside" : "before"} ${fired}; found ${found.join(", ")}`;
    const guests = [does(base), ...(version === undefined ? [] : [does(version)])];
    if (untouched !== "untouched") wrong.push(`${race}: what nobody touched was touched`);
    if (left.length > 0 && deed !== "directory in its place") wrong.push(`${race}: not synced: ${left.map(({ reason }) => reason)}`);
    // What may be there: what somebody had, or made of what the other had.
    const may = new Set([base, version, ...guests]);
    // Nothing says whether it came before the swap or after it.
    const meanwhile = beside || ["close", "removeEntry"].includes(fired);
    // It may be seen while it is being written, and is as far as that had come.
    const isBegun = (text: string) => {
      const parts = [0, "guest".length].map((more) => version?.slice(0, Math.max(0, text.length - more)) ?? "");
      return meanwhile && version !== undefined && parts.some((part) => text === part || text === does(part));
    };
    const mixed = Object.entries(files).filter(([path, text]) => !path.endsWith("/") && !may.has(text) && !isBegun(text));
    if (mixed.length > 0) wrong.push(`${race}: ${mixed.map(([path]) => path)} is what nobody wrote`);
    if (Object.keys(files).some((path) => path.endsWith(".crswap"))) wrong.push(`${race}: a swap file is left`);
    // What was on disk when the other program began, it has seen.
    if (!isRename && !error && !guests.includes(saw!) && !texts.some((text) => guests.includes(text))) {
      if (meanwhile) overwritten++;
      else wrong.push(`${race}: the guest's version is lost`);
    }
    if (version === undefined) continue;
    const survives = texts.some((text) => text === version || text === does(version!));
    if (meanwhile) {
      const when = fired === "close" ? "while a file was swapped in" : fired === "removeEntry" ? "before a name was removed" : "beside another call";
      late[when][0]!++;
      if (survives) late[when][1]!++;
      else lost.push(race);
    } else if (!survives) wrong.push(`${race}: the other program's version is lost`);
  }
  console.log(`${ROUNDS} races from seed ${SEED}: ${[...where].map(([call, count]) => `${count} at ${call}`).join(", ")}`);
  for (const [when, [came, kept]] of Object.entries(late)) console.log(`${came} versions came ${when}: ${kept} were kept`);
  console.log(`${overwritten} versions of the guest were replaced by the other program as soon as they were on disk`);
  lost.forEach((race) => console.log(`lost: ${race}`));
  expect(wrong, `seed ${SEED}`).toEqual([]);
}, 36_000_000);
