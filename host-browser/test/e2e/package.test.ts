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

/** The code blocks of a language on a page, in order. */
function blocks(page: string, language: string): string[] {
  const text = readFileSync(at(page), "utf8");
  return [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)].filter(([, of]) => of === language).map(([, , code]) => code!);
}

/** Opens the page that was made, presses Run, gives it a folder, and answers what is then in the folder's `hello.txt`. */
async function runs(site: string): Promise<string> {
  const folder = temporary("folder");
  const host = await serve(site);
  const browser = await launch("allow");
  try {
    const page = browser.pages()[0] ?? (await browser.newPage());
    page.on("pageerror", (error) => console.error("page:", error));
    // Playwright's own calls count as clicks of the user.
    await page.addInitScript(() => Object.defineProperty(navigator, "userActivation", { value: { isActive: false } }));
    await page.goto(host.origin);
    const question = page.getByRole("dialog", { name: "My page asks for a folder" });
    // Who closes the question is asked again by the next click.
    for (const answer of [() => page.keyboard.press("Escape"), () => drop(page, folder, "mountfs-dialog dialog")]) {
      await page.getByRole("button", { name: "Run" }).click();
      await question.waitFor();
      await answer();
      await question.waitFor({ state: "detached" });
    }
    await page.locator("mountfs-panel").getByText("all saved").waitFor();
    const file = join(folder, "hello.txt");
    await expect.poll(() => existsSync(file) && readFileSync(file, "utf8"), { timeout: 30_000 }).toBeTruthy();
    return readFileSync(file, "utf8");
  } finally {
    await browser.close();
    host.close();
  }
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
  const [shell, html, js] = ["sh", "html", "js"].map((language) => blocks("README.md", language)[0]!);
  const vite = (JSON.parse(readFileSync(at("package.json"), "utf8")) as { devDependencies: { vite: string } }).devDependencies.vite;
  // It is not published: what `npm install mountfs` would fetch is the packed file.
  const commands = shell!.replace("npm install mountfs", `npm install --no-audit --no-fund ./mountfs-${version}.tgz vite@${vite}`);
  run("bash", "-euc", commands);
  // Both say that all their functions be compiled while they load.
  for (const module of ["app.js", "worker.js"]) {
    expect(readFileSync(join(project, "public/python", module), "utf8")).toMatch(/^\/\/# allFunctionsCalledOnLoad\n/);
  }
  writeFileSync(join(project, "index.html"), html!);
  writeFileSync(join(project, "main.js"), js!);
  run("npx", "vite", "build", "--logLevel", "error");
  expect(await runs(join(project, "dist"))).toBe("hello");
}, 240_000);

it("works there without a bundler, by the lines of the guide", async () => {
  const guide = "../docs/guides/pages.md";
  run("bash", "-euc", blocks(guide, "sh").find((code) => code.includes("dist/panel.js"))!);
  writeFileSync(join(project, "public/index.html"), blocks(guide, "html")[0]!);
  expect(await runs(join(project, "public"))).toBe("hello\n");
}, 120_000);
