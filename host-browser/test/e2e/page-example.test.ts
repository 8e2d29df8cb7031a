// The page of `examples/page`, as a user has it who follows its README: plain files on a plain host, and a real folder.
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cleanUp, drop, launch, serve, temporary } from "./browser.js";
import { folderOf, onDisk } from "./disk.js";

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
let host: Awaited<ReturnType<typeof serve>>;
let browser: BrowserContext;
let page: Page;
const folder = folderOf({ "notes/today.md": "milk" });

beforeAll(async () => {
  const site = temporary("site");
  for (const file of ["index.html", "main.js", "style.css"]) copyFileSync(at(`../examples/page/${file}`), join(site, file));
  // What `npm install` and `mountfs build` make there.
  const python = at("../examples/notebook/public/python");
  if (!existsSync(join(python, "app.js"))) throw new Error("build the notebook's Python first: npm run notebook");
  mkdirSync(join(site, "node_modules/mountfs/dist"), { recursive: true });
  // The two modules that the guide names, and nothing else of the package.
  for (const module of ["index.js", "panel.js"]) copyFileSync(at(`dist/${module}`), join(site, "node_modules/mountfs/dist", module));
  symlinkSync(python, join(site, "python"));
  host = await serve(site);
  browser = await launch("allow");
  page = browser.pages()[0] ?? (await browser.newPage());
  // Without a click the page asks in its own dialog, on which a folder can be dropped: headless Chromium has no picker.
  await page.addInitScript(() => Object.defineProperty(navigator, "userActivation", { value: { isActive: false } }));
  await page.goto(host.origin);
  await says("Ready");
});

afterAll(async () => {
  await browser?.close();
  host?.close();
  cleanUp();
});

const says = (text: string) => page.locator("#state", { hasText: text }).waitFor();
const press = (name: string) => page.getByRole("button", { name }).click();
const output = () => page.locator("#output").innerText();

it("says so in a line when the question is closed", async () => {
  await press("Run");
  await page.getByRole("dialog", { name: "This page asks for a folder" }).waitFor();
  await page.keyboard.press("Escape");
  await says("Done in");
  expect(await output()).toMatch(/^cannot mount '\/local': no folder was chosen.*\n$/);
  expect(await page.locator("#output .error").count()).toBe(0);
});

it("asks for a folder, lists it and writes to it", async () => {
  await press("Run");
  await page.getByRole("dialog", { name: "This page asks for a folder" }).waitFor();
  await drop(page, folder, "mountfs-dialog dialog");
  await says("Done in");
  expect(await output()).toMatch(/^ +4 {2}\/local\/notes\/today\.md\n +1 {2}files in all\n$/);
  expect(onDisk(folder)).toEqual({ "notes/today.md": "milk", "visits.txt": "Python was here.\n" });
});

it("has the folder after a reload, and asks nothing", async () => {
  await page.reload();
  await says("Ready");
  await press("Run");
  await says("Done in");
  expect(readFileSync(join(folder, "visits.txt"), "utf8")).toBe("Python was here.\n".repeat(2));
});

it("shows what went wrong, and its exit code", async () => {
  await page.locator("#source").fill("1 / 0");
  await page.keyboard.press("Control+Enter");
  await says("Ended with exit code 1");
  expect(await page.locator("#output .error").last().innerText()).toContain("ZeroDivisionError");
});

it("stops a program that does not end, and runs another", async () => {
  await page.locator("#source").fill("print('on', flush=True)\nwhile True: pass");
  await press("Run");
  await page.locator("#output", { hasText: "on" }).waitFor();
  await press("Stop");
  await says("stopped");
  await page.locator("#source").fill("print(open('/local/notes/today.md').read())");
  await press("Run");
  await says("Done in");
  expect(await output()).toBe("milk\n");
});

it("names the address where no app is, and what makes one", async () => {
  // As text, because its `import` is of the page.
  const refusal = await page.evaluate(`import("mountfs").then(({ createMountfs, MountfsError }) =>
    createMountfs({ app: "pyton" }).ready.catch((error) => error instanceof MountfsError && [error.code, error.message]))`);
  expect(refusal).toEqual(["other", expect.stringContaining(`${host.origin}/pyton/worker.js`)]);
  expect(refusal).toEqual(["other", expect.stringContaining("npx mountfs build")]);
});

it("names a part of the app that is not there", async () => {
  const missing = `${host.origin}/python/app.js`;
  await page.route(missing, (route) => route.fulfill({ status: 404 }));
  const refusal = await page.evaluate(`import("mountfs").then(({ createMountfs, MountfsError }) =>
    createMountfs({ app: "python" }).ready.catch((error) => error instanceof MountfsError && [error.code, error.message]))`);
  await page.unroute(missing);
  expect(refusal).toEqual(["other", expect.stringContaining(`cannot load ${missing}`)]);
  expect(refusal).toEqual(["other", expect.stringContaining("npx mountfs build")]);
});

it("gives the folder back from the panel", async () => {
  await page.locator("mountfs-panel button[data-verb=revoke]").click();
  await page.locator("mountfs-panel .status", { hasText: "was given back" }).waitFor();
  await press("Run");
  await says("Ended with exit code 1");
  expect(await output()).toContain("FileNotFoundError");
});
