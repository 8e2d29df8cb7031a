// Real interpreters in a page, on a real folder: what the users of each language do, from `tests/scripts/`.
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Mountfs } from "../../src/index.js";
import { cleanUp, drop, launch, serve, temporary } from "./browser.js";
import { folderOf, onDisk } from "./disk.js";

/** Their files, and their scripts. */
const INTERPRETERS = [
  ["python", "python.py"],
  ["python-3.12", "python.py"],
  ["ruby", "ruby.rb"],
  ["micropython", "micropython.py"],
  ["quickjs", "quickjs.js"],
] as const;

const INPUT = "name,age\nada,36\ngrace,45\n";
const HTML = `<!doctype html><title>test</title><body style="min-height: 100vh"><script type="module">
  import { createMountfs } from "./dist/index.js";
  window.start = (app) => { window.fs = createMountfs({ app }); };
  addEventListener("dragover", (event) => event.preventDefault());
  window.folders = [];
  addEventListener("drop", (event) => {
    event.preventDefault();
    folders.push(event.dataTransfer.items[0].getAsFileSystemHandle());
  });
</script>`;

declare const window: { start(app: string): void; fs: Mountfs; folders: Promise<FileSystemDirectoryHandle>[] };

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const site = temporary("site");
let host: Awaited<ReturnType<typeof serve>>;
let browser: BrowserContext;
let page: Page;

beforeAll(async () => {
  cpSync(at("dist"), join(site, "dist"), { recursive: true });
  writeFileSync(join(site, "index.html"), HTML);
  host = await serve(site);
  browser = await launch("allow");
  page = browser.pages()[0] ?? (await browser.newPage());
});

afterAll(async () => {
  await browser?.close();
  host?.close();
  cleanUp();
});

it.each(INTERPRETERS)("%s does what its users do", async (interpreter, script) => {
  const { buildApp } = (await import(at("dist/build.js"))) as typeof import("../../src/build/index.js");
  await buildApp(at(`../target/guests/${interpreter}.wasm`), join(site, interpreter));
  const folder = folderOf({ "input.csv": INPUT });
  await page.goto(host.origin);
  await page.waitForFunction("Boolean(window.folders)");
  await drop(page, folder, "body");
  await drop(page, at("../tests/scripts"), "body");
  const [code, printed] = await page.evaluate(
    async ({ app, args }) => {
      window.start(app);
      const [local, scripts] = await Promise.all(window.folders);
      await window.fs.mount("/local", { handle: local! });
      await window.fs.mount("/scripts", { handle: scripts!, access: "read" });
      let printed = "";
      const print = (text: string) => void (printed += text);
      return [await window.fs.run(args, { stdout: print, stderr: print }), printed] as const;
    },
    { app: interpreter, args: [`/scripts/${script}`] },
  );
  expect(printed).toContain("ok remove-directories");
  expect(code, printed).toBe(0);
  const { "people.json": people, ...files } = onDisk(folder);
  expect(people!.trimEnd()).toBe('[["ada",36],["grace",45]]');
  expect(files).toMatchObject({ "input.csv": INPUT, "folder/inner/moved.txt": "One\ntwo\n" });
  const facts = [...printed.matchAll(/^ok (.*)$/gm)].map(([, fact]) => fact);
  const noted = at("../target/compatibility/interpreters/browser");
  mkdirSync(noted, { recursive: true });
  writeFileSync(join(noted, `${interpreter}.json`), JSON.stringify(facts));
}, 120_000);
