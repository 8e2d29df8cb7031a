// A browser that is killed, at any moment: what was synced before is on disk, and what was not is there as it was or as it
// became, file by file. And what the guest wrote, and was answered, can be recovered, all of it. `KILL_ROUNDS` says how often, `KILL_SEED` with which steps; the moments are never the same.
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, watch } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { AppPage, type InPage } from "./app-page.js";
import { cleanUp } from "./browser.js";
import { folderOf, onDisk } from "./disk.js";
import { after, lost, seen, type State, type Step, synced, type Tree, wrong } from "./history.js";
import { randomFrom, randomSteps } from "./random-steps.js";

declare const window: InPage & Window;

const ROUNDS = Number(process.env["KILL_ROUNDS"] ?? 24);
const SEED = Number(process.env["KILL_SEED"] ?? Date.now() % 1_000_000);
/** Steps before the sync, and as many after it. */
const STEPS = 25;
/** What the guest never touches. */
const UNTOUCHED = { "untouched.txt": "text", "untouched/deep/a.txt": "text", "untouched/a.txt.new": "text" };

const GUEST = `
import json, os

opened = []

def work(steps, markers):
    os.mkdir(f"/local/{markers}")
    for number, step in enumerate(json.loads(steps)):
        path = "/local/" + step["path"]
        match step["verb"]:
            case "rename":
                os.replace(path, "/local/" + step["to"])
            case "remove":
                os.remove(path)
            case "mkdir":
                os.mkdir(path)
            case "rmdir":
                os.rmdir(path)
            case verb:
                file = open(path, {"write": "wb", "append": "ab", "update": "r+b"}[verb], buffering=0)
                file.seek(step.get("at", 0), os.SEEK_CUR)
                left = memoryview(step["text"].encode() * step["times"])
                while left:
                    left = left[file.write(left):]
                if step["open"]:
                    opened.append(file)
                else:
                    file.close()
        # Names are on disk at once.
        os.mkdir(f"/local/{markers}/{number}")

def sizes():
    """Of all files; None of directories."""
    found = {}
    for top, directories, files in os.walk("/local"):
        found |= {f"{top}/{name}": None for name in directories}
        found |= {f"{top}/{name}": os.stat(f"{top}/{name}").st_size for name in files}
    return json.dumps({path.removeprefix("/local/"): size for path, size in found.items()})
`;

let app: AppPage;
let folder: string;
let untouched: unknown;
const random = randomFrom(SEED);
/** When browsers were killed, and the swap files they left. */
const told: string[] = [];

beforeAll(async () => {
  folder = folderOf(UNTOUCHED);
  untouched = untouchedNow();
  app = await AppPage.start();
  await app.mount("/local", folder);
  await app.python(GUEST);
});

afterAll(async () => {
  console.log([`${told.length} browsers killed, steps from seed ${SEED}`, ...told].join("\n"));
  await app?.stop();
  cleanUp();
});

/** What the guest never touches, as it is. */
function untouchedNow(): unknown {
  return Object.keys(UNTOUCHED).map((path) => {
    const { ino, size, mtimeMs, ctimeMs } = lstatSync(join(folder, path));
    return { path, text: readFileSync(join(folder, path), "utf8"), ino, size, mtimeMs, ctimeMs };
  });
}

/** What is on disk; beside the tree, the swap files. */
function found(): { tree: Tree; swaps: string[] } {
  const tree = new Map<string, string | null>();
  const swaps: string[] = [];
  for (const [path, text] of Object.entries(onDisk(folder))) {
    const parts = path.split("/");
    parts.slice(1).forEach((_, index) => tree.set(parts.slice(0, index + 1).join("/"), null));
    if (path.endsWith(".crswap")) swaps.push(path);
    else if (!path.endsWith("/")) tree.set(path, text);
  }
  return { tree, swaps };
}

/** The part of a tree that the guest works in. */
function guests(tree: Tree): Tree {
  return new Map([...tree].filter(([path]) => !/^(untouched|first|second|started\.txt)/.test(path)));
}

/** Each step that was answered leaves an entry in this directory. */
async function work(steps: Step[], markers: string): Promise<void> {
  await app.python(`work(${JSON.stringify(JSON.stringify(steps))}, ${JSON.stringify(markers)})`);
}

/** Recovers what there is, and answers the guest's part of the folder, each file with the guest's version. */
async function recovered(): Promise<Tree> {
  const report = await app.page.evaluate(() => window.fs.recover("/local"));
  expect(report.failures).toEqual([]);
  const { tree } = found();
  const guest = new Map(guests(tree));
  for (const { path, kept } of report.conflicts) {
    guest.set(path, guest.get(kept)!);
    guest.delete(kept);
  }
  return guest;
}
const through = (state: State, steps: Step[]) => steps.reduce((all, step) => [...all, after(all.at(-1)!, step)], [state]);

/** Calls back for each change in the folder until `over`, but not for those in directories that are made later. */
function watching(over: AbortSignal, changed: () => void): void {
  const directories = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory());
  const paths = directories.map(({ parentPath, name }) => join(parentPath, name));
  for (const path of [folder, ...paths]) watch(path, { signal: over }, changed);
}

/** How many changes there are on disk while it is done. */
async function changesOf(work: () => Promise<unknown>): Promise<number> {
  const over = new AbortController();
  let count = 0;
  watching(over.signal, () => count++);
  await work();
  over.abort();
  return count;
}

async function sync(): Promise<void> {
  expect(await app.sync("/local")).toMatchObject({ conflicts: [], failures: [] });
}

it.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))("browser %i loses nothing that was synced", async (round) => {
  for (const markers of ["first", "second"]) rmSync(join(folder, markers), { recursive: true, force: true });
  const before = found();
  const start = synced(guests(before.tree));
  const first = randomSteps(random, start, STEPS);
  const counts = [await changesOf(() => work(first, "first")), await changesOf(sync)];

  const states = [synced(seen(through(start, first).at(-1)!))];
  const second = randomSteps(random, states[0]!, STEPS);
  states.push(...through(states[0]!, second).slice(1));
  // In the middle of the steps or of their sync, or behind both: after so many changes on disk.
  const which = random(2);
  let moment = 1 + random(counts[which]!);
  const over = new AbortController();
  const changes = () => new Promise<void>((now) => watching(over.signal, () => --moment === 0 && now()));
  const early = which === 0 ? changes() : undefined;
  let doing = 0;
  const worked = work(second, "second").then(() => doing++);
  const all = worked.then(sync).then(() => doing++);
  await Promise.race([all, early ?? worked.then(changes)]);
  all.catch(() => {});
  const during = ["the guest's next steps", "the next sync", "nothing"][doing]!;
  await app.kill();
  over.abort();

  const { tree, swaps } = found();
  const still = untouchedNow();
  const markers = join(folder, "second");
  const done = existsSync(markers) ? readdirSync(markers).length : 0;
  const left = swaps.filter((swap) => !before.swaps.includes(swap));
  told.push(`${String(round).padStart(3)}: during ${during}; left ${left.join(" ") || "nothing"}`);
  await app.startAgain();
  await app.page.evaluate(() => window.fs.mount("/local"));
  await app.python(GUEST);
  const shown = JSON.parse(await app.python("print(sizes())")) as Record<string, number | null>;

  const rescued = await recovered();

  const steps = JSON.stringify(second);
  const why = during === "nothing" ? wrong([synced(seen(states.at(-1)!))], [], guests(tree)) : wrong(states, second, guests(tree));
  expect(why, `seed ${SEED}, during ${during}, after ${steps}`).toEqual([]);
  expect(lost(states[done]!, second[done], rescued), `seed ${SEED}, after ${done} of ${steps}`).toEqual([]);
  expect(still).toEqual(untouched);
  expect(shown).toEqual(Object.fromEntries([...tree].map(([path, text]) => [path, text?.length ?? null])));
  await app.python(`open("/local/started.txt", "w").write("${round}")`);
  await sync();
  expect(readFileSync(join(folder, "started.txt"), "utf8")).toBe(String(round));
});
