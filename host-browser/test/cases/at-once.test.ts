// What is known already is answered at once: a call in which the guest is suspended costs many times as much.
import { afterAll, beforeAll, expect, test } from "vitest";
import { step as parsed } from "./case.js";
import { CasePage } from "./page.js";

const DISK = { "a.txt": "first\nsecond\n", "in/b.txt": "b" };

let page: CasePage;

beforeAll(async () => {
  page = await CasePage.start();
  await page.call("count");
  await page.call("at", "opfs", "at-once");
  await page.call("fill", "folder", DISK);
  await page.call("start");
  await page.call("choose", "folder");
  await page.call("stopClock");
});

afterAll(() => page?.stop());

/** Does a step of the guest, and answers how often that was suspended. */
async function suspensions(line: string): Promise<number> {
  const { verb, words } = parsed(line);
  expect(await page.call("step", verb, words), line).toMatchObject({ tag: "ok" });
  return await page.call("suspensions");
}

test("only what has to be asked of the browser suspends the guest", async () => {
  await suspensions("mount /local");
  const asked = [
    "list /local", "list /local/in", "stat /local/a.txt", "stat /local/in/b.txt", "open f /local/a.txt", "read @f 0 6",
  ];
  const known = [
    "stat /local", "stat /local/a.txt", "stat /local/in", "stat /local/in/b.txt", "mtime /local/a.txt",
    "stat @f", "same @f @f", "read @f 6 6", "pread @f 0 5", "fsync @f", "close f", "stat /",
  ];
  const first = new Map<string, number>();
  for (const line of asked) first.set(line, await suspensions(line));
  expect(Object.fromEntries(first)).toMatchObject({ "open f /local/a.txt": 1, "read @f 0 6": 1 });
  const again = new Map<string, number>();
  for (const line of known) again.set(line, await suspensions(line));
  expect([...again].filter(([, suspended]) => suspended > 0)).toEqual([]);
});
