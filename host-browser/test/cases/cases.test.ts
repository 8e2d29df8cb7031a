// The cases of `tests/cases/` in a page: the guest composed and transpiled as every app, in a worker of a real Chromium, on
// a real local folder and on the origin's private file system.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Case, cases, host, type Step, steps, type Tree } from "./case.js";
import * as local from "./local.js";
import { CasePage, ROOT } from "./page.js";
import type { Place } from "./worker.js";

let page: CasePage;
beforeAll(async () => void (page = await CasePage.start()), 60_000);
afterAll(() => page?.stop());

/** The folders of one case: made before, looked at afterwards. */
interface Folders {
  fill(folder: string, tree: Tree): unknown;
  outside(words: string[]): unknown;
  text(path: string): Promise<string | undefined> | string | undefined;
  tree(folder: string): Promise<Tree> | Tree;
  /** Fails when there is something else beside these, or what is beside them was changed. */
  alone(folders: string[]): void;
}

async function folders(place: Place, name: string): Promise<Folders> {
  if (place === "opfs") {
    await page.call("at", place, name);
    return {
      fill: (folder, tree) => page.call("fill", folder, tree),
      outside: (words) => page.call("outside", words),
      text: (path) => page.call("text", path),
      tree: (folder) => page.call("tree", folder),
      // No path of the computer leads there.
      alone: () => {},
    };
  }
  const base = join(page.top, name);
  mkdirSync(base);
  writeFileSync(join(base, "secret"), "secret");
  await page.call("at", place, name);
  return {
    fill: (folder, tree) => local.fill(base, folder, tree),
    outside: (words) => local.outside(base, words),
    text: (path) => local.text(base, path),
    tree: (folder) => local.tree(base, folder),
    alone(folders) {
      expect(readdirSync(base).sort(), "what is beside the folder").toEqual([...folders, "secret"].sort());
      expect(readFileSync(join(base, "secret"), "utf8"), "the secret beside the folder").toBe("secret");
    },
  };
}

/** What other programs do is done here, and what the user chooses; the rest is the guest's. */
async function act(on: Folders, { verb, words }: Step): Promise<{ answer: string[] } | { error: string }> {
  if (verb === "outside") {
    await on.outside(words);
    return { answer: [] };
  }
  if (verb === "disk") {
    const text = await on.text(words[0]!);
    return text === undefined ? { error: "" } : { answer: [text] };
  }
  if (verb === "mount") {
    const folder = words.find((word) => word.startsWith("folder="))?.slice("folder=".length) ?? "folder";
    await page.call("choose", folder === "none" ? undefined : folder);
  }
  const done = await page.call("step", verb, words);
  return done.tag === "ok" ? { answer: done.val } : { error: done.val };
}

async function run(place: Place, name: string, one: Case): Promise<void> {
  const on = await folders(place, name);
  await on.fill("folder", one.disk);
  for (const [folder, tree] of Object.entries(one.others)) await on.fill(folder, tree);
  await page.call("start");
  for (const step of steps(one)) {
    const done = await act(on, step);
    const said = "error" in done ? `failed with ${done.error}` : `answered ${JSON.stringify(done.answer)}`;
    const right =
      "fails" in step.end ? "error" in done && done.error === step.end.fails
      : "answers" in step.end ? "answer" in done && JSON.stringify(done.answer) === JSON.stringify(step.end.answers)
      : "answer" in done;
    expect(right, `\`${step.line}\` ${said}`).toBe(true);
  }
  const left = await page.call("step", "mounted", []);
  for (const path of left.val as string[]) {
    expect(await page.call("step", "unmount", [path]), `the unmount of ${path}`).toMatchObject({ tag: "ok" });
  }
  on.alone(["folder", ...Object.keys(one.others)]);
  if (!one.unchecked) await check(on, one);
}

/** Compares every folder with what it was and what the case says is different. */
async function check(on: Folders, { disk, after, others, "others-after": othersAfter, conflicts }: Case): Promise<void> {
  const found = await on.tree("folder");
  for (const [path, text] of Object.entries(conflicts)) {
    const [stem, extension] = path.includes(".") ? [path.replace(/\.[^.]*$/, ""), path.replace(/^.*\./, ".")] : [path, ""];
    const kept = Object.keys(found).find((name) => name.startsWith(`${stem} (conflict `) && name.endsWith(extension!));
    expect(kept && found[kept], `the guest's version of ${path}`).toBe(text);
    delete found[kept!];
  }
  expect(found, "the folder").toEqual(changed(disk, after));
  for (const [folder, before] of Object.entries(others)) {
    expect(await on.tree(folder), `the folder ${folder}`).toEqual(changed(before, othersAfter[folder] ?? {}));
  }
}

function changed(before: Tree, different: Tree): Tree {
  const same = Object.keys(different).filter((path) => isDeepStrictEqual(different[path], before[path] ?? false));
  expect(same, "what the case says is different, and was so before").toEqual([]);
  return Object.fromEntries(Object.entries({ ...before, ...different }).filter(([, entry]) => entry !== false));
}

for (const place of ["local", "opfs"] satisfies Place[]) {
  const { lacks, known } = host(`browser-${place}`);
  const outcomes: { group: string; name: string; outcome: string; reason?: string }[] = [];
  const named = new Set<string>();
  describe(place, () => {
    let count = 0;
    for (const [group, all] of cases()) {
      describe(group, () => {
        for (const one of all) {
          const full = `${group}: ${one.name}`;
          named.add(full);
          const lacking = one.needs.find((need) => need in lacks);
          if (lacking !== undefined) {
            test.skip(one.name);
            outcomes.push({ group, name: one.name, outcome: "skipped", reason: lacks[lacking]! });
            continue;
          }
          const name = `case-${++count}`;
          test(one.name, async () => {
            const reason = known[full];
            const error = await run(place, name, one).then(
              () => undefined,
              (error: unknown) => error,
            );
            const outcome = !error && !reason ? "passed" : error && reason ? "known" : "failed";
            outcomes.push({ group, name: one.name, outcome, ...(outcome === "known" ? { reason: reason! } : {}) });
            if (!error && reason) throw new Error(`it passes now: take its line out of tests/cases/hosts/browser-${place}.toml`);
            if (error && !reason) throw error;
          }, 120_000);
        }
      });
    }
    test("every known gap is one of a case", () => {
      expect(Object.keys(known).filter((full) => !named.has(full))).toEqual([]);
    });
    afterAll(() => {
      // Only a whole run says what the host does.
      if (outcomes.length !== named.size) return;
      const folder = join(ROOT, "target/compatibility");
      mkdirSync(folder, { recursive: true });
      outcomes.sort((a, b) => (a.group + a.name < b.group + b.name ? -1 : 1));
      writeFileSync(join(folder, `browser-${place}.json`), JSON.stringify(outcomes, undefined, 2));
    });
  });
}
