// Chromium leaves a swap file beside each file that it is writing when it dies. The next mount removes those, and nothing
// that a user has named so. `SWAP_ROUNDS` says how often a browser is killed.
import { readdirSync, readFileSync, utimesSync, watch } from "node:fs";
import { join } from "node:path";
import type { BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { Kit } from "../files/guest.js";
import { cleanUp, kill, launch, temporary } from "./browser.js";
import { folderOf } from "./disk.js";
import { openFiles, run, serveFiles } from "./files-page.js";

const ROUNDS = Number(process.env["SWAP_ROUNDS"] ?? 2);
/** So large that a swap file is copied for some time. */
const LARGE = "0123456789abcdef".repeat(4 << 20);
/** A user's own, one of them where Chromium would have its first swap file. */
const OWN = { "notes.crswap": "mine", "large.bin.crswap": "mine, too", "a.txt.1.crswap": "mine as well" };

let site: Awaited<ReturnType<typeof serveFiles>>;
let browser: BrowserContext;
const profile = temporary("profile");

beforeAll(async () => void (site = await serveFiles()));

afterEach(() => browser?.close());

afterAll(() => {
  site?.close();
  cleanUp();
});

const open = (folder: string) => openFiles(browser, site.origin, folder);

/** Waits for a file to be there. */
function made(folder: string, name: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder, (_, changed) => {
      if (changed === name) resolve(watcher.close());
    });
  });
}

const WORK = {
  "a push": {
    swap: "large.bin.1.crswap",
    work: async ({ Tab, handle }: Kit) => {
      const { guest } = await Tab.open(handle);
      await guest.append("large.bin", "more");
      await guest.sync();
    },
  },
  "a rename": {
    swap: "other.bin.crswap",
    work: async ({ Tab, handle }: Kit) => (await Tab.open(handle)).guest.rename("large.bin", "other.bin"),
  },
};

const rounds = Object.keys(WORK).flatMap((what) => Array.from({ length: ROUNDS }, (_, round) => [what, round + 1] as const));

/** A folder in which a browser died that was writing a swap file. */
async function leftBy({ swap, work }: (typeof WORK)[keyof typeof WORK]): Promise<string> {
  for (;;) {
    const folder = folderOf({ "large.bin": LARGE, "a.txt": "a", ...OWN });
    // A swap file is later than its note, whatever it is a copy of.
    utimesSync(join(folder, "large.bin"), 0, 0);
    browser = await launch("allow", profile);
    const there = made(folder, swap);
    const working = run(await open(folder), work).catch(() => {});
    await there;
    await kill(browser, profile);
    await working;
    // Else it was done before it died.
    if (readdirSync(folder).includes(swap)) return folder;
  }
}

it.each(rounds)("what a browser leaves that is killed during %s is gone after the next mount (%i)", async (what) => {
  const folder = await leftBy(WORK[what as keyof typeof WORK]);
  browser = await launch("allow", profile);
  const report = await run(await open(folder), async ({ Tab, handle }) => {
    const tab = await Tab.open(handle);
    await tab.guest.append("a.txt", "b");
    const report = await tab.guest.sync();
    await tab.discard();
    return report;
  });
  expect(report).toMatchObject({ files: 1n, failures: [], conflicts: [] });
  const names = readdirSync(folder).filter((name) => name !== "other.bin");
  expect(names.sort()).toEqual(["a.txt", "large.bin", ...Object.keys(OWN)].sort());
  for (const [name, text] of Object.entries(OWN)) expect(readFileSync(join(folder, name), "utf8")).toBe(text);
  expect(readFileSync(join(folder, "large.bin"), "utf8") === LARGE, "the large file").toBe(true);
  expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("ab");
});

it("leaves the swap file that another tab is writing", async () => {
  const folder = folderOf({ "large.bin": LARGE });
  browser = await launch("allow", profile);
  const one = await open(folder);
  const other = await open(folder);
  const there = made(folder, "large.bin.crswap");
  const working = run(one, async ({ Tab, handle }) => {
    const { guest } = await Tab.open(handle);
    await guest.append("large.bin", "more");
    return guest.sync();
  });
  await there;
  expect(await run(other, async ({ Tab, handle }) => (await Tab.open(handle)).discard())).toBe(false);
  expect(await working).toMatchObject({ files: 1n, failures: [], conflicts: [] });
  expect(readFileSync(join(folder, "large.bin"), "utf8") === `${LARGE}more`, "the large file").toBe(true);
  expect(readdirSync(folder)).toEqual(["large.bin"]);
});
