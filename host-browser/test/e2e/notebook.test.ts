// The notebook of `examples/notebook`, as a user has it: Python in a real folder, its bytes checked on disk.
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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
  // Below the root of a host, where a page that means its own folder has to say so.
  const site = temporary("site");
  mkdirSync(join(site, "some"));
  symlinkSync(built, join(site, "some/where"));
  host = await serve(site);
  browser = await launch("allow");
  page = browser.pages()[0] ?? (await browser.newPage());
  await page.goto(`${host.origin}/some/where/`);
  await page.locator("#state[data-state=ready]").waitFor();
});

afterAll(async () => {
  await browser?.close();
  host?.close();
  cleanUp();
});

/** Starts Python in a new cell. */
async function start(source: string): Promise<Locator> {
  await page.click("#add");
  const cell = page.locator("li.cell").nth((await page.locator("li.cell").count()) - 1);
  await cell.locator("textarea").fill(source);
  await page.keyboard.press("Control+Enter");
  return cell;
}

/** What a cell shows when it has ended. */
async function output(cell: Locator): Promise<string> {
  await cell.and(page.locator("[data-state=done], [data-state=failed]")).waitFor();
  return ((await cell.locator(".output").textContent()) ?? "").trim();
}

/** Runs Python in a new cell, and answers what it shows. */
const python = async (source: string) => await output(await start(source));

const press = (verb: string) => page.locator(`mountfs-panel button[data-verb=${verb}]:visible`).click();
const panelSays = (text: string) => page.locator("mountfs-panel .status", { hasText: text }).waitFor();
const shown = (name: string) => page.locator(`#list li[data-name="${name}"]`);

it("keeps variables from cell to cell, and awaits at the top level", async () => {
  expect(await python("n = 20\nn + 1")).toBe("21");
  expect(await python("import asyncio\nawait asyncio.sleep(0.01)\nprint(n)")).toBe("20");
  expect(await python("1 / 0")).toContain("ZeroDivisionError");
});

it("lets the keyboard through, and indents for whoever writes", async () => {
  const editor = page.locator("li.cell textarea").first();
  const source = await editor.inputValue();
  await page.locator("li.cell .run").first().focus();
  for (const focused of [editor, page.locator("li.cell .remove").first(), page.locator("li.cell .run").nth(1)]) {
    await page.keyboard.press("Tab");
    expect(await focused.evaluate((element) => element === document.activeElement)).toBe(true);
  }
  await editor.focus();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("\nif 1:\nx");
  await page.keyboard.press("Tab");
  expect(await editor.inputValue()).toBe(`${source}\nif 1:\n    x    `);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  expect(await editor.inputValue()).toBe(`${source}\nif 1:\n    x    `);
  expect(await editor.evaluate((element) => element === document.activeElement)).toBe(false);
});

it("prints whatever a cell prints", async () => {
  expect(await python("print('\\x1e', '\\x1f', '\\x1e{}\\n', end='')")).toBe("\x1e \x1f \x1e{}");
});

it("goes on after a cell that takes the standard streams away", async () => {
  expect(await python("import sys\nkept = 'kept'\nsys.stdout = sys.stderr = None")).toBe("");
  expect(await python("sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__\nkept")).toBe("'kept'");
});

describe("input()", () => {
  const asks = (cell: Locator, question: string) => cell.getByRole("textbox", { name: question });

  it("asks in its cell, and takes no other cell for the answer", async () => {
    const cell = await start("name = input('Your name? ')\nprint('Hello,', name)");
    await asks(cell, "Your name?").waitFor();
    const next = await start("name.upper()");
    await asks(cell, "Your name?").fill("Ada {\"cell\": 1}");
    await page.keyboard.press("Enter");
    expect(await output(cell)).toBe('Your name? Ada {"cell": 1}\nHello, Ada {"cell": 1}');
    expect(await output(next)).toBe("'ADA {\"CELL\": 1}'");
  });

  it("has the focus, and gives it back", async () => {
    const cell = await start("a = input('1? ')\nb = input('2? ')\na + b");
    for (const [question, answer] of [["1?", "x"], ["2?", "y"]] as const) {
      await asks(cell, question).and(page.locator(":focus")).waitFor();
      await page.keyboard.type(answer);
      await page.keyboard.press("Enter");
    }
    expect(await output(cell)).toBe("1? x\n2? y\n'xy'");
    expect(await cell.locator("textarea").evaluate((editor) => editor === document.activeElement)).toBe(true);
  });

  it("ends with Escape, as with the end of a file", async () => {
    const cell = await start("import sys\nprint(sys.stdin.readline().rstrip(), [*sys.stdin])\ninput()");
    for (const line of ["one", "two", ""]) {
      await asks(cell, "A line for Python").fill(line);
      await page.keyboard.press("Enter");
    }
    await asks(cell, "A line for Python").press("Escape");
    await cell.locator(".output", { hasText: "one ['two\\n', '\\n']" }).waitFor();
    await asks(cell, "A line for Python").press("Escape");
    expect(await output(cell)).toContain("EOFError");
  });

  it("ends when Python is restarted", async () => {
    const cell = await start("input('Stay? ')");
    await asks(cell, "Stay?").waitFor();
    await page.click("#restart");
    expect(await output(cell)).toBe("Stay? Stopped.");
    expect(await python("1 + 1")).toBe("2");
  });
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
  await page.locator("mountfs-panel button[data-verb=open]:visible").waitFor();
  expect(await python("await fs.mount('/local', mode='read')")).toContain("mode='read'");
  expect(await python("open('/local/refused.txt', 'w')")).toContain("Read-only file system");
  expect(await python("open('/local/outside.txt').read()")).toBe("'from outside'");
  expect(readdirSync(folder)).not.toContain("refused.txt");
  await python("await fs.unmount('/local'); await fs.mount('/local')");
});

it("comes back after a reload with one click, and no new choice", async () => {
  await page.reload();
  await page.locator("#state[data-state=ready]").waitFor();
  await press("open");
  await panelSays("is open again");
  expect(await python("import os\nfrom pyscript import fs\nlen(os.listdir('/local'))")).toBe("3");
});

it("stops an endless loop, and has the folder still", async () => {
  const cell = await start("print('on', flush=True)\nwhile True: pass");
  await cell.locator(".output", { hasText: "on" }).waitFor();
  await page.click("#restart");
  expect(await output(cell)).toContain("Stopped.");
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
