// Every call of the browser's can fail. A guest does mixed work, and the nth call fails, for every n and in every way that
// Chromium lets it fail: what is on disk then is the old or the new, never a mix; somebody was told; and once the disk is
// well again, the guest goes on and everything is as it wanted it, with nothing else touched. `FAULTS` says how many of
// the faults are tried, `all`, a number, kinds as `hang,gone`, or one as `hang:7`; `FAULTS_LOCAL` the same for a real folder
// of this computer; `FAULTS_SHARD=2/8` takes the second of eight parts of them. What is wrong is told when it is found.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { after, seen, type State, type Step, synced, type Tree, wrong } from "../e2e/history.js";
import { step as parsed, type Tree as Files } from "./case.js";
import { ALL_KINDS, type Fault, type Kind } from "./faults.js";
import * as local from "./local.js";
import { CasePage } from "./page.js";
import type { Done, Place } from "./worker.js";

const TRIED: Record<Place, string> = {
  opfs: process.env["FAULTS"] ?? "250",
  local: process.env["FAULTS_LOCAL"] ?? "60",
};

/** Too large to be kept in memory as a whole. */
const BIG = "0123456789abcdef".repeat(18_000);
const DISK: Record<string, string> = {
  "big.bin": BIG,
  "log.txt": "first\n",
  "save.txt": "old",
  "gone.txt": "gone",
  "cut.txt": "a long text that is cut",
  "tree/a.txt": "a",
  "tree/in/b.txt": "b",
  "untouched.txt": "untouched",
  "d/untouched.txt": "untouched too",
};
const EMPTY = ["empty"];
const [SHARD, SHARDS] = (process.env["FAULTS_SHARD"] ?? "1/1").split("/").map(Number) as [number, number];

/** A line of the guest, and what it does to the folder; after a failure it is begun anew `from` an earlier line. */
interface Line {
  line: string;
  does?: Step;
  from?: string;
}

const put = (path: string, text: string): Step => ({ verb: "write", path, text, times: 1, open: false });
const over = (text: string, at: number, more: string) => text.slice(0, at) + more + text.slice(at + more.length);
const big = over(over(BIG, 5, "XYZ"), 200_000, "MIDDLE");

const SCRIPT: Line[] = [
  { line: "mount /local" },
  { line: "list /local" },
  { line: "read /local/untouched.txt" },
  { line: "write /local/new.txt new", does: put("new.txt", "new") },
  { line: "append /local/log.txt second", does: { verb: "append", path: "log.txt", text: "second", times: 1, open: false } },
  { line: "open f /local/big.bin read write" },
  { line: "write @f 5 XYZ", does: put("big.bin", over(BIG, 5, "XYZ")) },
  { line: "write @f 200000 MIDDLE", does: put("big.bin", big) },
  { line: "fsync @f" },
  { line: "write @f 9 again", does: put("big.bin", over(big, 9, "again")) },
  { line: "read @f 0 20" },
  { line: "close f" },
  { line: "mkdir /local/made", does: { verb: "mkdir", path: "made" } },
  { line: "write /local/made/a.txt inner", does: put("made/a.txt", "inner") },
  { line: "write /local/save.new saved", does: put("save.new", "saved") },
  { line: "rename /local/save.new /local/save.txt", does: { verb: "rename", path: "save.new", to: "save.txt" } },
  { line: "idle" },
  { line: "sync /local" },
  { line: "rename /local/log.txt /local/d/log.txt", does: { verb: "rename", path: "log.txt", to: "d/log.txt" } },
  { line: "unlink /local/gone.txt", does: { verb: "remove", path: "gone.txt" } },
  { line: "write /local/tree/a.txt changed", does: put("tree/a.txt", "changed") },
  { line: "rename /local/tree /local/moved", does: { verb: "rename", path: "tree", to: "moved" } },
  { line: "rename /local/new.txt /local/NEW.txt", does: { verb: "rename", path: "new.txt", to: "NEW.txt" } },
  { line: "rmdir /local/empty", does: { verb: "rmdir", path: "empty" } },
  { line: "open c /local/cut.txt write" },
  { line: "resize @c 6", does: put("cut.txt", "a long") },
  { line: "close c" },
  { line: "open s /local/streamed.txt write create", does: put("streamed.txt", "") },
  { line: "stream w @s writing", from: "open s" },
  { line: "push w streamed", does: put("streamed.txt", "streamed"), from: "open s" },
  { line: "close s" },
  { line: "list /local/moved" },
  { line: "read /local/big.bin" },
  { line: "unmount /local" },
];

const STEPS = SCRIPT.map(({ line }) => parsed(line)).map(({ verb, words }) => ({ verb, words }));

/** What is there before each line, and at the end: what the guest has, and what the disk may have. */
const STATES = SCRIPT.reduce<State[]>((states, { line, does }) => {
  const state = states.at(-1)!;
  const next = does ? after(state, does) : new Map(state);
  if (line.startsWith("sync")) return [...states, synced(seen(next))];
  if (line.startsWith("fsync")) return [...states, new Map([...next, ["big.bin", synced(seen(next)).get("big.bin")!]])];
  return [...states, next];
}, [synced(asTree({ ...DISK, ...Object.fromEntries(EMPTY.map((path) => [path, ""])) }))]);
const WANTED = seen(STATES.at(-1)!);

/** The files and directories of a folder, as a case has them. */
function asTree(files: Files): Tree {
  const tree = new Map<string, string | null>();
  for (const [path, text] of Object.entries(files)) {
    const parts = path.split("/").filter(Boolean);
    parts.slice(1).forEach((_, index) => tree.set(parts.slice(0, index + 1).join("/"), null));
    tree.set(parts.join("/"), path.endsWith("/") || EMPTY.includes(path) ? null : String(text));
  }
  return tree;
}

let page: CasePage;
beforeAll(async () => void (page = await CasePage.start()), 60_000);
afterAll(() => page?.stop());

/** A fresh folder, and a guest that has done nothing yet. */
async function begin(place: Place, name: string): Promise<() => Promise<Tree>> {
  const base = join(page.top, name);
  if (place === "local") mkdirSync(base);
  await page.call("at", place, name);
  const files = { ...DISK, ...Object.fromEntries(EMPTY.map((path) => [`${path}/`, ""])) };
  await (place === "local" ? local.fill(base, "folder", files) : page.call("fill", "folder", files));
  await page.call("choose", "folder");
  await page.call("start");
  if (place === "opfs") return async () => asTree(await page.call("tree", "folder"));
  const tree = () => asTree(local.tree(base, "folder"));
  const swaps = () => [...tree().keys()].filter((path) => path.endsWith(".crswap"));
  const isSwept = () => vi.waitFor(() => expect(swaps()).toEqual([]), { timeout: 30_000 });
  return async () => {
    // Of a write that is given up, Chromium removes the swap file a moment after it says that it did.
    await isSwept().catch(() => {});
    return tree();
  };
}

async function act(line: string): Promise<Done> {
  const { verb, words } = parsed(line);
  return await page.call("step", verb, words);
}

/** Calls that hang are given up at once here: a guest that takes so long for all of it waits for ever. */
const FOR_EVER = 60_000;

/** Does the lines from one on; answers the number of the first that fails, and what it says. */
async function go(from = 0): Promise<{ at: number; said: string } | undefined> {
  let timer: NodeJS.Timeout;
  const never = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, FOR_EVER, undefined)));
  const going = page.call("go", STEPS, from).then((failed) => ({ failed }));
  const ended = await Promise.race([going, never]).finally(() => clearTimeout(timer));
  if (!ended) throw new Error(`\`${SCRIPT[await page.call("reached")]!.line}\` does not end`);
  return ended.failed;
}

/** Whether what a line does is done: it may have been, though it failed. What it opens is not open then. */
async function isDone({ line, does }: Line, state: State): Promise<boolean> {
  if (!does || line.startsWith("open")) return false;
  const missing = async (path: string) => (await act(`stat /local/${path}`)).val === "no-entry";
  const has = async (path: string) => {
    const text = state.get(path)?.text;
    const found = await act(text === undefined ? `stat /local/${path}` : `read /local/${path}`);
    return found.tag === "ok" && (text === undefined ? found.val[0] === "directory" : found.val[0] === text);
  };
  switch (does.verb) {
    case "remove":
    case "rmdir":
      return await missing(does.path);
    case "rename":
      return (await missing(does.path)) && (await has(does.to));
    default:
      return await has(does.path);
  }
}

/** What is wrong with what a fault came to; nothing when nothing is. */
async function problem(place: Place, fault: Fault, name: string): Promise<string | undefined> {
  const look = await begin(place, name);
  await page.call("arm", fault);
  const failed = await go().catch(async (error: Error) => {
    throw new Error(`${(await page.call("mend")).failed}: ${error.message}`);
  });
  const { failed: call } = await page.call("mend");
  const happened = `${fault.kind} at call ${fault.call}, ${call ?? "which did not come"}; ${failed ? `\`${SCRIPT[failed.at]!.line}\` said ${failed.said}` : "no line failed"}`;
  const difference = (wrong: string[]) => (wrong.length ? `${happened}: ${wrong.join("; ")}` : undefined);
  const first = await look();
  if (failed) {
    const { at } = failed;
    const mixed = difference(wrong(STATES.slice(at, at + 2), [SCRIPT[at]!.does!], first));
    if (mixed) return mixed;
    const { from } = SCRIPT[at]!;
    const again = from ? SCRIPT.findIndex(({ line }) => line.startsWith(from)) : at;
    const second = await go((await isDone(SCRIPT[at]!, STATES[at + 1]!)) ? at + 1 : again);
    if (second) return `${happened}: tried again, \`${SCRIPT[second.at]!.line}\` said ${second.said}`;
  }
  return difference(wrong([synced(WANTED)], [], await look()));
}

/** So many of all faults, spread evenly; and of those the part that is this one's. */
function sample(counts: Record<Kind, number>, tried: string): Fault[] {
  const [only, call] = tried.split(":");
  if (call) return [{ kind: only as Kind, call: Number(call) }];
  const kinds = ALL_KINDS.filter((kind) => tried.split(",").includes(kind));
  const all = (kinds.length > 0 ? kinds : ALL_KINDS).flatMap((kind) => Array.from({ length: counts[kind] }, (_, call) => ({ kind, call: call + 1 })));
  const count = Math.min(Number(tried) || all.length, all.length);
  const sampled = Array.from({ length: count }, (_, index) => all[Math.floor((index * all.length) / count)]!);
  return sampled.filter((_, index) => index % SHARDS === SHARD - 1);
}

for (const place of ["opfs", "local"] satisfies Place[]) {
  test(`on ${place === "opfs" ? "OPFS" : "a local folder"}, whichever call fails, nothing is mixed or lost, and it goes on`, async () => {
    const look = await begin(place, `${place}-well`);
    await page.call("arm");
    expect(await go()).toBeUndefined();
    const { counts } = await page.call("mend");
    expect(wrong([synced(WANTED)], [], await look())).toEqual([]);

    const faults = sample(counts, TRIED[place]);
    const problems: string[] = [];
    for (const kind of ALL_KINDS) {
      const [began, those] = [performance.now(), faults.filter((fault) => fault.kind === kind)];
      for (const fault of those) {
        const name = `${place}-${kind}-${fault.call}`;
        const found = await problem(place, fault, name).catch((error: Error) => `${kind} at call ${fault.call}: ${error.message}`);
        if (found) {
          problems.push(found);
          console.log(`${place}: ${found}`);
        }
      }
      const seconds = Math.round((performance.now() - began) / 1000);
      if (those.length > 0) {
        console.log(`${place}: ${kind}, ${those.length} of ${counts[kind]} faults in ${seconds} s; ${problems.length} problems so far`);
      }
    }
    console.log(`${place}: ${faults.length} of ${Object.values(counts).reduce((sum, count) => sum + count)} faults`);
    expect(problems).toEqual([]);
  }, 3_600_000);
}
