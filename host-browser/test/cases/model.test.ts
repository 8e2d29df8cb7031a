// Random plans in the page, on the origin's private file system, against the model of the native suites: it makes the
// plans and says what each step must come to. `MODEL_OPS` and `MODEL_SEED` say how many, and which.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { step } from "./case.js";
import { LARGEST } from "./opfs.js";
import { CasePage, ROOT } from "./page.js";
import type { PlannedStep } from "./worker.js";

/** As the model prints it. */
interface Plan {
  steps: { line: string; done: { Ok: string[] } | { Err: string } | null }[];
  /** Texts by path, and empty directories with a slash. */
  after: Record<string, string>;
}

const OPS = Number(process.env["MODEL_OPS"] ?? 3000);
const SEED = Number(process.env["MODEL_SEED"] ?? 1);

let page: CasePage;
beforeAll(async () => void (page = await CasePage.start()), 60_000);
afterAll(() => page?.stop());

function model<T>(args: string[], input = ""): T {
  const printed = execFileSync(join(ROOT, "target/debug/model"), args, { input, encoding: "utf8", maxBuffer: 2 ** 31 });
  return JSON.parse(printed) as T;
}

let runs = 0;

/** Runs a plan in a folder of its own; answers how it failed. */
async function failure(plan: Plan): Promise<string | undefined> {
  const steps = plan.steps.map(({ line, done }): PlannedStep => {
    const { verb, words } = step(line);
    const wanted = !done ? undefined : "Ok" in done ? { tag: "ok" as const, val: done.Ok } : { tag: "err" as const, val: done.Err };
    return { line, verb, words, wanted };
  });
  await page.call("at", "opfs", `plan-${++runs}`);
  await page.call("fill", "folder", {});
  await page.call("start");
  await page.call("choose", "folder");
  const wrong = await page.call("plan", steps);
  if (wrong) {
    const { done } = plan.steps.find(({ line }) => line === wrong.line)!;
    return `at \`${wrong.line}\` the guest has ${JSON.stringify(wrong.done).slice(0, 300)}, and the model ${JSON.stringify(done).slice(0, 300)}`;
  }
  const unmounted = await page.call("step", "unmount", ["/local"]);
  if (unmounted.tag === "err") return `the last unmount failed: ${unmounted.val}`;
  const found = await page.call("tree", "folder");
  const names = Object.keys({ ...plan.after, ...found }).filter((path) => found[path] !== brief(plan.after[path]));
  return names.length ? `on disk are not as in the model: ${names.join(", ")}` : undefined;
}

/** As the worker tells of a large file. */
function brief(text: string | undefined): string | undefined {
  return text !== undefined && text.length > LARGEST ? `<${text.length} bytes>` : text;
}

/** Leaves out whatever a plan fails without: halves first, then smaller and smaller parts. */
async function shorten(plan: Plan): Promise<Plan> {
  for (let size = Math.ceil(plan.steps.length / 2); size > 0; size = Math.floor(size / 2)) {
    for (let at = 1; at < plan.steps.length; ) {
      const lines = plan.steps.filter((_, index) => index < at || index >= at + size).map(({ line }) => line);
      // The mount at the start, and those after an unmount, the model puts in itself.
      const less = model<Plan>(["expect"], lines.filter((line) => line !== "mount /local").join("\n"));
      if (less.steps.length < plan.steps.length && (await failure(less))) plan = less;
      else at += size;
    }
  }
  return plan;
}

test(`about ${OPS} random operations from seed ${SEED} leave what a plain model has`, async () => {
  const plans = model<Plan[]>(["print", "--ops", String(OPS), "--seed", String(SEED)]);
  for (const plan of plans) {
    if (!(await failure(plan))) continue;
    const short = await shorten(plan);
    expect.fail(`${await failure(short)}\nseed ${SEED}, plan:\n${short.steps.map(({ line }) => line).join("\n")}`);
  }
  console.log(`${plans.flatMap(({ steps }) => steps).length} operations from seed ${SEED}`);
}, 3_600_000);
