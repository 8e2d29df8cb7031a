// The cases of `tests/cases/` in a page: the guest composed and transpiled as every app, in a worker of a real Chromium, on
// a real local folder and on the origin's private file system.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cleanUp, drop, launch, serve, temporary } from "../e2e/browser.js";
import { type Case, cases, host, type Step, steps, type Tree } from "./case.js";
import * as local from "./local.js";
import type { CaseWorker, Place } from "./worker.js";

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const PAGE = `<!doctype html><title>cases</title><body style="min-height: 100vh"><script type="module">
  import { wrap } from "./comlink.js";
  window.cases = wrap(new Worker("./app/cases.js", { type: "module" }));
  window.given = new Promise((resolve) => {
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      resolve(event.dataTransfer.items[0].getAsFileSystemHandle().then((folder) => cases.give(folder)));
    });
  });
</script>`;

let site: Awaited<ReturnType<typeof serve>>;
let browser: BrowserContext;
let page: Page;
const top = temporary("cases");

beforeAll(async () => {
  const folder = temporary("site");
  const { buildApp } = (await import(at("dist/build.js"))) as typeof import("../../src/build/index.js");
  await buildApp(at("../target/guests/case.wasm"), join(folder, "app"), { exports: ["mountfs:cases/steps"] });
  const common = { bundle: true, format: "esm", target: "es2022" } as const;
  await build({ ...common, entryPoints: [at("test/cases/worker.ts")], outfile: join(folder, "app/cases.js") });
  await build({ ...common, entryPoints: [at("node_modules/comlink/dist/esm/comlink.mjs")], outfile: join(folder, "comlink.js") });
  writeFileSync(join(folder, "index.html"), PAGE);
  site = await serve(folder);
  browser = await launch("allow");
  page = browser.pages()[0] ?? (await browser.newPage());
  page.on("console", (message) => console.log("page:", message.text()));
  await page.goto(site.origin);
  await page.waitForFunction("Boolean(window.given)");
  await drop(page, top, "body");
  await page.evaluate("given");
}, 60_000);

afterAll(async () => {
  await browser?.close();
  site?.close();
  cleanUp();
});

/** Calls a function of the worker. */
async function call<K extends keyof CaseWorker>(name: K, ...args: Parameters<CaseWorker[K]>): Promise<Awaited<ReturnType<CaseWorker[K]>>> {
  type Answer = Awaited<ReturnType<CaseWorker[K]>>;
  return (await page.evaluate(
    ({ name, args }) => {
      const { cases } = window as unknown as { cases: Record<string, (...args: unknown[]) => Promise<unknown>> };
      return cases[name]!(...args);
    },
    { name, args: args as unknown[] },
  )) as Answer;
}

/** The folders of one case: made before, looked at afterwards. */
interface Folders {
  fill(folder: string, tree: Tree): unknown;
  outside(words: string[]): unknown;
  text(path: string): Promise<string | undefined> | string | undefined;
  tree(folder: string): Promise<Tree> | Tree;
}

async function folders(place: Place, name: string): Promise<Folders> {
  if (place === "opfs") {
    await call("at", place, name);
    return {
      fill: (folder, tree) => call("fill", folder, tree),
      outside: (words) => call("outside", words),
      text: (path) => call("text", path),
      tree: (folder) => call("tree", folder),
    };
  }
  const base = join(top, name);
  mkdirSync(base);
  writeFileSync(join(base, "secret"), "secret");
  await call("at", place, name);
  return {
    fill: (folder, tree) => local.fill(base, folder, tree),
    outside: (words) => local.outside(base, words),
    text: (path) => local.text(base, path),
    tree(folder) {
      expect(readFileSync(join(base, "secret"), "utf8"), "the secret beside the folder").toBe("secret");
      expect(readdirSync(base).filter((name) => name !== "secret").sort()).toContain(folder);
      return local.tree(base, folder);
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
    await call("choose", folder === "none" ? undefined : folder);
  }
  const done = await call("step", verb, words);
  return done.tag === "ok" ? { answer: done.val } : { error: done.val };
}

async function run(place: Place, name: string, one: Case): Promise<void> {
  const on = await folders(place, name);
  await on.fill("folder", one.disk);
  for (const [folder, tree] of Object.entries(one.others)) await on.fill(folder, tree);
  await call("start");
  for (const step of steps(one)) {
    const done = await act(on, step);
    const said = "error" in done ? `failed with ${done.error}` : `answered ${JSON.stringify(done.answer)}`;
    const right =
      "fails" in step.end ? "error" in done && done.error === step.end.fails
      : "answers" in step.end ? "answer" in done && JSON.stringify(done.answer) === JSON.stringify(step.end.answers)
      : "answer" in done;
    expect(right, `\`${step.line}\` ${said}`).toBe(true);
  }
  const left = await call("step", "mounted", []);
  for (const path of left.val as string[]) {
    expect(await call("step", "unmount", [path]), `the unmount of ${path}`).toMatchObject({ tag: "ok" });
  }
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
      const folder = at("../target/compatibility");
      mkdirSync(folder, { recursive: true });
      outcomes.sort((a, b) => (a.group + a.name < b.group + b.name ? -1 : 1));
      writeFileSync(join(folder, `browser-${place}.json`), JSON.stringify(outcomes, undefined, 2));
    });
  });
}
