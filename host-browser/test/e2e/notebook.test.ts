// The notebook of `examples/notebook`, as a user has it: Python in a real folder, its bytes checked on disk.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cleanUp, drop, launch, serve, temporary } from "./browser.js";

const built = fileURLToPath(new URL("../../../examples/notebook/dist", import.meta.url));
let host: Awaited<ReturnType<typeof serve>>;
let browser: BrowserContext;
let page: Page;
const folder = temporary("project");

beforeAll(async () => {
  if (!existsSync(join(built, "python/app.js"))) throw new Error("build the notebook first: npm run notebook");
  mkdirSync(join(folder, "sub"));
  writeFileSync(join(folder, "todo.txt"), "buy milk\n");
  host = await serve(built);
  browser = await launch("allow");
  page = browser.pages()[0] ?? (await browser.newPage());
  await page.goto(host.origin);
  await page.locator("#state[data-state=ready]").waitFor();
});

afterAll(async () => {
  await browser?.close();
  host?.close();
  cleanUp();
});

/** Runs Python in a new cell, and answers what it shows. */
async function python(source: string): Promise<string> {
  await page.click("#add");
  const cell = page.locator("li.cell").last();
  await cell.locator("textarea").fill(source);
  await page.keyboard.press("Control+Enter");
  await cell.and(page.locator("[data-state=done], [data-state=failed]")).waitFor();
  return ((await cell.locator(".output").textContent()) ?? "").trim();
}

const press = (verb: string) => page.locator(`mountfs-panel button[data-verb=${verb}]:visible`).click();
const panelSays = (text: string) => page.locator("mountfs-panel .status", { hasText: text }).waitFor();
const shown = (name: string) => page.locator(`#list li[data-name="${name}"]`);

it("keeps variables from cell to cell, and awaits at the top level", async () => {
  expect(await python("n = 20\nn + 1")).toBe("21");
  expect(await python("import asyncio\nawait asyncio.sleep(0.01)\nprint(n)")).toBe("20");
  expect(await python("1 / 0")).toContain("ZeroDivisionError");
});

it("has no folder before the user gives one", async () => {
  expect(await python("import os\nos.listdir('/')")).toBe("[]");
});

it("mounts a folder that is dropped, and shows it", async () => {
  await drop(page, folder, "#side");
  await page.locator("mountfs-panel li", { hasText: folder.split("/").at(-1)! }).waitFor();
  await shown("todo.txt").waitFor();
  expect(await python("sorted(os.listdir('/local'))")).toBe("['sub', 'todo.txt']");
  expect(await python("open('/local/todo.txt').read()")).toBe("'buy milk\\n'");
});

it("mounts the same again from Python without a question", async () => {
  expect(await python("from pyscript import fs\nawait fs.mount('/local')")).toContain("path='/local'");
});

it("writes, and after a sync the bytes are on disk", async () => {
  await python("open('/local/sub/new.txt', 'w').write('from python\\n' * 1000)\nos.remove('/local/todo.txt')");
  expect(await python("print(await fs.sync('/local'))")).toContain("synced");
  expect(readFileSync(join(folder, "sub/new.txt"), "utf8")).toBe("from python\n".repeat(1000));
  expect(readdirSync(folder)).toEqual(["sub"]);
});

it("syncs from the panel, while Python waits", async () => {
  await python("f = open('/local/open.txt', 'w')\nf.write('not closed')\nf.flush()");
  await press("sync");
  await panelSays("Saved");
  expect(readFileSync(join(folder, "open.txt"), "utf8")).toBe("not closed");
});

it("sees what other programs change, in the page and in Python", async () => {
  writeFileSync(join(folder, "outside.txt"), "from outside");
  await shown("outside.txt").waitFor();
  expect(await python("open('/local/outside.txt').read()")).toBe("'from outside'");
});

it("refuses writes in a read-only mount of the same folder", async () => {
  await press("unmount");
  await page.locator("mountfs-panel button[data-verb=reconnect]:visible").waitFor();
  expect(await python("await fs.mount('/local', mode='read')")).toContain("mode='read'");
  expect(await python("open('/local/refused.txt', 'w')")).toContain("Read-only file system");
  expect(await python("open('/local/outside.txt').read()")).toBe("'from outside'");
  expect(readdirSync(folder)).not.toContain("refused.txt");
  await python("await fs.unmount('/local'); await fs.mount('/local')");
});

it("comes back after a reload with one click, and no new choice", async () => {
  await page.reload();
  await page.locator("#state[data-state=ready]").waitFor();
  await press("reconnect");
  await panelSays("is open again");
  expect(await python("import os\nfrom pyscript import fs\nlen(os.listdir('/local'))")).toBe("3");
});

it("stops an endless loop, and has the folder still", async () => {
  await page.click("#add");
  const cell = page.locator("li.cell").last();
  await cell.locator("textarea").fill("while True: pass");
  await page.keyboard.press("Control+Enter");
  await page.waitForTimeout(300);
  await page.click("#restart");
  await page.locator("#state[data-state=ready]").waitFor();
  expect(await python("import os\nfrom pyscript import fs\n'outside.txt' in os.listdir('/local')")).toBe("True");
});

it("gives the folder back: open files fail, and the folder is as it was synced", async () => {
  await python("f = open('/local/last.txt', 'w')\nf.write('last words')\nf.flush()");
  await press("revoke");
  await panelSays("given back");
  expect(readFileSync(join(folder, "last.txt"), "utf8")).toBe("last words");
  expect(await python("f.write('more')\nf.flush()")).toMatch(/No such device|I\/O error/);
  expect(await python("os.listdir('/local')")).toContain("FileNotFoundError");
  await page.locator("#files").waitFor({ state: "hidden" });
  expect(readFileSync(join(folder, "last.txt"), "utf8")).toBe("last words");
});
