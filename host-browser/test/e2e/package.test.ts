// The package as its users get it: packed, installed into an empty project, and used there by the README's own lines.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cleanUp, drop, launch, serve, temporary } from "./browser.js";

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const project = temporary("project");

/** Runs a program there; fails with what it printed. */
function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** The README's code blocks of a language, in order. */
function blocks(language: string): string[] {
  const readme = readFileSync(at("README.md"), "utf8");
  return [...readme.matchAll(/^```(\w+)\n(.*?)^```/gms)].filter(([, of]) => of === language).map(([, , code]) => code!);
}

beforeAll(() => {
  execFileSync("npm", ["pack", "--silent", "--pack-destination", project], { cwd: at(".") });
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }));
}, 60_000);
afterAll(cleanUp);

it("has nothing that publint would mend", async () => {
  const { messages, pkg } = await publint({ pkgDir: at("."), strict: true });
  expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
});

it("works in an empty project by the README's own lines", async () => {
  const { version } = JSON.parse(readFileSync(at("package.json"), "utf8")) as { version: string };
  copyFileSync(at("../target/guests/python.wasm"), join(project, "python.wasm"));
  const [shell, html, js] = [blocks("sh")[0]!, blocks("html")[0]!, blocks("js")[0]!];
  const vite = (JSON.parse(readFileSync(at("package.json"), "utf8")) as { devDependencies: { vite: string } }).devDependencies.vite;
  // It is not published: what `npm install mountfs` would fetch is the packed file.
  const commands = shell.replace("npm install mountfs", `npm install --no-audit --no-fund ./mountfs-${version}.tgz vite@${vite}`);
  run("bash", "-euc", commands);
  expect(existsSync(join(project, "public/python/worker.js"))).toBe(true);
  writeFileSync(join(project, "index.html"), html);
  writeFileSync(join(project, "main.js"), js);
  run("npx", "vite", "build", "--logLevel", "error");

  const folder = temporary("folder");
  const host = await serve(join(project, "dist"));
  const browser = await launch("allow");
  try {
    const page = browser.pages()[0] ?? (await browser.newPage());
    page.on("pageerror", (error) => console.error("page:", error));
    // Playwright's own calls count as clicks of the user.
    await page.addInitScript(() => Object.defineProperty(navigator, "userActivation", { value: { isActive: false } }));
    await page.goto(host.origin);
    // Headless Chromium has no picker; a drop on the dialog is the same choice.
    await page.getByRole("dialog", { name: "My page asks for a folder" }).waitFor();
    await drop(page, folder, "mountfs-dialog dialog");
    await page.locator("mountfs-panel").getByText("all saved").waitFor();
    await expect.poll(() => existsSync(join(folder, "hello.txt")) && readFileSync(join(folder, "hello.txt"), "utf8")).toBe("hello");
  } finally {
    await browser.close();
    host.close();
  }
}, 240_000);
