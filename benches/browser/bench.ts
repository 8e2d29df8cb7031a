// Measures this project in a page beside what else there is: Pyodide's `mountNativeFS`, ZenFS, and the floor, which is
// bare File System Access. One run, one machine: each in a fresh headless browser, round by round, on one real folder.
//
//     node bench.ts --results FILE [--rounds N] [--only NAME]
//
// Everything is warm in the page cache of the operating system, which cannot be told to forget it here. `cold` is what
// was not met since the mount; `warm` is the same once more, at once. What is written counts until it is on disk: for
// those that write back, the write and the `sync` together; and then it is looked for there. What Python does is timed
// in Python, everything else where it is called: `mount` and `sync` of this project in the page, those of all others in
// their workers, which saves them a message.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { cleanUp } from "../../host-browser/test/e2e/browser.ts";
import { Folder, LARGE, MANY, type Shape, text, THOUSAND } from "./folders.ts";
import { summary, type Took } from "./results.ts";
import { serve } from "./serve.ts";
import { type Memory, Session } from "./session.ts";

/** What is done in one browser, from the start of a contender on; milliseconds, by what it is called in the results. */
interface Plan {
  shape: Shape;
  contenders: string[];
  /** Those that take a minute, and take it every time. */
  once: string[];
  /** The name in the results of the memory that all of it took, if that is told. */
  memory?: string;
  run(session: Session, folder: Folder, round: number): Promise<Record<string, number>>;
}

const ALL = ["mountfs", "floor", "pyodide", "zenfs"];
/** The same floor, with 16 calls of the browser's under way. */
const FLOOR_16 = "floor-16";
const FILES = 200;

/** One file is read, all are looked at, one is changed. */
async function look(session: Session, folder: Folder, round: number): Promise<Record<string, number>> {
  const { files, size } = folder.shape;
  const mount = await session.mount();
  const whole = { offset: 0, length: size };
  const first = await session.work({ do: "read", path: folder.file(files / 2), ...whole }, text(0, size));
  // Of which Python and the component know each step.
  const second = await session.work({ do: "read", path: folder.file(files / 4 + 1), ...whole }, text(0, size));
  const cold = await session.work({ do: "walk" }, folder.bytes);
  const warm = await session.work({ do: "walk" }, folder.bytes);
  const nothing = await session.sync();
  const change = { path: folder.file(files / 4), offset: 100, text: `round ${round}` };
  const changed = (await session.work({ do: "overwrite", ...change })) + (await session.sync());
  await folder.check(change.path, change.offset, change.text);
  await folder.restore(change.path, change.offset, change.text.length);
  return {
    "mount": mount,
    "first read of one file": first,
    "read of one more": second,
    "walk and stat, cold": cold,
    "walk and stat, warm": warm,
    "sync, nothing changed": nothing,
    "change one file and sync": changed,
  };
}

async function readAll(session: Session, folder: Folder): Promise<Record<string, number>> {
  const mount = await session.mount();
  return { "mount and read everything": mount + (await session.work({ do: "read_all" }, folder.bytes)) };
}

async function create(session: Session, folder: Folder, round: number): Promise<Record<string, number>> {
  await session.mount();
  const files = { folder: "new", count: FILES, text: `round ${round}: ${text(0, 1008)}` };
  const took = (await session.work({ do: "create", ...files })) + (await session.sync());
  folder.take(files.folder, files.count, files.text);
  return { "write 200 files of 1 KiB and sync": took };
}

async function large(session: Session, folder: Folder, round: number): Promise<Record<string, number>> {
  const path = folder.file(0);
  const mount = await session.mount();
  const middle = { offset: folder.shape.size / 2, length: 65536 };
  const read = await session.work({ do: "read", path, ...middle }, text(middle.offset, middle.length));
  const change = { path, offset: folder.shape.size / 2 + 1000, text: `ROUND${String(round).padStart(3)}` };
  const changed = (await session.work({ do: "overwrite", ...change })) + (await session.sync());
  await folder.check(change.path, change.offset, change.text);
  await folder.restore(change.path, change.offset, change.text.length);
  return { "mount": mount, "read 64 KiB from the middle": read, "change 8 bytes and sync": changed };
}

const PLANS: Record<string, Plan> = {
  "thousand": { shape: THOUSAND, contenders: [...ALL, FLOOR_16], once: [], run: look },
  "thousand-read": { shape: THOUSAND, contenders: [...ALL, FLOOR_16], once: [], run: readAll },
  "thousand-write": { shape: THOUSAND, contenders: [...ALL, FLOOR_16], once: [], run: create },
  "large": { shape: LARGE, contenders: ALL, once: [], memory: "memory at peak", run: large },
  "many": { shape: MANY, contenders: [...ALL, FLOOR_16], once: ["pyodide", "zenfs"], run: look },
  "many-read": {
    shape: MANY,
    contenders: [...ALL, FLOOR_16],
    once: ["pyodide", "zenfs"],
    memory: "memory at peak, having read everything",
    run: readAll,
  },
};

const { values } = parseArgs({
  options: { results: { type: "string" }, rounds: { type: "string", default: "3" }, only: { type: "string" } },
});
const { results, only } = values;
if (!results || (only && !PLANS[only])) {
  throw new Error(`usage: node bench.ts --results FILE [--rounds N] [--only ${Object.keys(PLANS).join("|")}]`);
}

const rounds = Number(values.rounds);
const { devDependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const software = Object.entries(devDependencies).map(([name, version]) => `${name} ${version}`);
const load = [loadavg()[0]!];
const took: Took[] = [];

// Also when it is interrupted.
process.once("exit", cleanUp);
const host = await serve();
try {
  for (const plan of only ? [PLANS[only]!] : Object.values(PLANS)) {
    const folder = new Folder(plan.shape);
    for (let round = 0; round < rounds; round++) {
      // None is always first.
      const turn = round % plan.contenders.length;
      for (const contender of [...plan.contenders.slice(turn), ...plan.contenders.slice(0, turn)]) {
        if (round === 0 || !plan.once.includes(contender)) {
          await measure(plan, folder, round, contender);
        }
      }
    }
  }
} finally {
  host.close();
  // What there is, also when something failed: it takes a quarter of an hour.
  const busy = `load ${Math.min(...load).toFixed(1)} to ${Math.max(...load).toFixed(1)}`;
  const machine = `${cpus().length} processors, ${busy}; ${[...new Set(software)].join(", ")}`;
  writeFileSync(results, JSON.stringify({ machine, rounds, measured: summary(took) }, undefined, 2) + "\n");
}

async function measure(plan: Plan, folder: Folder, round: number, contender: string): Promise<void> {
  // Nobody pays for what another one has written.
  execFileSync("sync");
  const session = await Session.open(host.origin, contender, folder);
  try {
    const milliseconds = Object.entries(await plan.run(session, folder, round));
    const results: Took["results"] = Object.fromEntries(
      milliseconds.map(([name, value]) => [name, { unit: "ms", value }]),
    );
    if (plan.memory) {
      results[plan.memory] = { unit: "MiB", value: sum(session.peak()), before: sum(session.started) };
    }
    took.push({ folder: plan.shape.name, contender, results });
    software.push(await session.version());
    load.push(loadavg()[0]!);
    const told = Object.entries(results).map(([name, { unit, value }]) => `${name} ${value.toFixed(1)} ${unit}`);
    console.error(`${plan.shape.name}, round ${round + 1}, ${contender}: ${told.join(", ")}`);
  } finally {
    await session.close();
  }
}

function sum({ browser, page }: Memory): number {
  return browser + page;
}
