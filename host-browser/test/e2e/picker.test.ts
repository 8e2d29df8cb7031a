// The real folder picker and the browser's real prompts, as a user meets them: a browser with windows, mouse and keys.
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it, type TestContext } from "vitest";
import { cleanUp, launchHeaded, serve, temporary } from "./browser.js";
import { Desktop, type Point, until } from "./desktop.js";
import { Prompts } from "./prompts.js";

const PAGE = `<!doctype html><meta charset="utf-8"><title>test</title><button id="act">act</button><script type="module">
  import { createMountfs } from "./dist/index.js";
  window.fs = createMountfs({ app: "python", name: "Python" });
  window.python = async (source) => {
    let output = "";
    const print = (text) => { output += text; };
    return [await fs.run(["-c", source], { name: "python", stdout: print, stderr: print }), output];
  };
  window.outcome = (call) => call.catch(({ code, message }) => ({ code, message }));
  act.onclick = () => { window.result = outcome(window.call()); };
</script>`;

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const home = temporary("home");
const profile = temporary("profile");
let host: Awaited<ReturnType<typeof serve>>;
let desktop: Desktop;
let browser: BrowserContext;
let page: Page;
let session: CDPSession;
let prompts: Prompts;

beforeAll(async () => {
  const site = temporary("site");
  cpSync(at("dist"), join(site, "dist"), { recursive: true });
  symlinkSync(at("../examples/notebook/public/python"), join(site, "python"));
  writeFileSync(join(site, "index.html"), PAGE);
  host = await serve(site);
  // As desktops have it: where the user's documents are.
  mkdirSync(join(home, ".config"));
  writeFileSync(join(home, ".config/user-dirs.dirs"), `XDG_DOCUMENTS_DIR="$HOME/Documents"\n`);
  desktop = await Desktop.start(home);
  await start();
});

afterAll(async () => {
  await browser?.close();
  desktop?.stop();
  host?.close();
  cleanUp();
});

async function start(): Promise<void> {
  browser = await launchHeaded(profile, desktop.env);
  page = browser.pages()[0]!;
  session = await browser.newCDPSession(page);
  prompts = await Prompts.of(profile, desktop);
}

async function open({ onTestFailed }: TestContext): Promise<void> {
  // Nothing else says whether the user, the page or the browser is waited for.
  onTestFailed(async ({ task }) => {
    const shown = await tell(`(async () => ({
      dialog: document.querySelector("mountfs-dialog")?.shadowRoot.querySelector("dialog").innerText,
      result: await Promise.race([window.result, "none yet"]),
    }))()`);
    for (const error of task.result?.errors ?? []) error.message += `; the page: ${JSON.stringify(shown)}`;
  });
  await page.goto(host.origin);
  await tell("fs.ready");
}

/** Evaluates in the page. Playwright's own calls count as the user's activation; here only what the user does may. */
async function tell<T>(expression: string): Promise<T> {
  const json = `JSON.stringify(await (${expression}), (_, value) => typeof value === "bigint" ? Number(value) : value)`;
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
    expression: `(async () => ${json})()`,
    awaitPromise: true,
    returnByValue: true,
  });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return JSON.parse(result.value ?? "null");
}

/** Clicks an element, as often as it takes: a browser drops what comes before a new page is painted. */
async function press(element: string): Promise<void> {
  await tell(`(window.pressed = false, ${element}.addEventListener("click", () => { window.pressed = true; }), null)`);
  const pressed = async () => (await tell("window.pressed")) || undefined;
  await until(`${element} is clicked`, async () => {
    await desktop.click(await centre(element));
    // Long enough that none is taken for dropped that is only late: the next would go to what this one opens.
    return await until("this click arrives", pressed, 12_000).catch(() => console.warn(`${element}: clicked again`));
  });
}

/** Where an element is on the screen. */
async function centre(element: string): Promise<Point> {
  return await tell<Point>(`(() => {
    const { x, y, width, height } = ${element}.getBoundingClientRect();
    // The window has a border, the same below as beside; the rest of what is not page is above it.
    const border = (outerWidth - innerWidth) / 2;
    return { x: screenX + border + x + width / 2, y: screenY + outerHeight - innerHeight - border + y + height / 2 };
  })()`);
}

/** Makes a call in the page's handler of a click on its button. {@link result} has how it ends. */
async function click(call: string): Promise<void> {
  await tell(`(window.call = () => ${call}, null)`);
  await press(BUTTON);
}

/** Runs Python with no click before, until our dialog is shown. {@link result} has how it ends. */
async function alone(source: string): Promise<void> {
  expect(await tell("navigator.userActivation.isActive")).toBe(false);
  await tell(`(window.result = python(${JSON.stringify(source)}), null)`);
  await until("the dialog is shown", async () => (await dialogs()) || undefined);
}

const BUTTON = `document.querySelector("#act")`;
const YES = `document.querySelector("mountfs-dialog").shadowRoot.querySelector("#yes")`;
const result = () => tell("window.result");
const dialogs = () => tell<number>(`document.querySelectorAll("mountfs-dialog").length`);
const kept = (path: string) => tell(`fs.kept().then((all) => all.filter((grant) => grant.path === "${path}"))`);
const python = (source: string) => tell(`python(${JSON.stringify(source)})`);

describe("the picker", () => {
  beforeEach(open);

  it("opens at once after a click, and what Python writes is in the folder", async () => {
    const folder = temporary("local");
    await click(`fs.mount("/local")`);
    const chooser = await desktop.chooser("read-write");
    expect(await dialogs()).toBe(0);
    await chooser.choose(folder);
    expect(await prompts.answer("Allow")).toContain(`edit files in ${basename(folder)}`);
    expect(await result()).toMatchObject({ path: "/local", access: "read-write", label: basename(folder) });
    expect(await python("open('/local/a.txt', 'w').write('from Python')")).toEqual([0, ""]);
    await tell(`fs.sync("/local")`);
    expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("from Python");
  });

  it("is cancelled with Escape, and leaves nothing behind", async () => {
    await click(`fs.mount("/escaped")`);
    await (await desktop.chooser("read-write")).cancel();
    expect(await result()).toMatchObject({ code: "cancelled" });
    expect([await tell("fs.mounted()"), await kept("/escaped")]).toEqual([[], []]);
  });

  // The browser does not tell this from a closed picker. The user knows what they did, and no folder was given.
  it("is cancelled, too, when its folder is not allowed after all", async () => {
    await click(`fs.mount("/refused")`);
    await (await desktop.chooser("read-write")).choose(temporary("refused"));
    await prompts.answer("Don't Allow");
    expect(await result()).toMatchObject({ code: "cancelled" });
    expect([await tell("fs.mounted()"), await kept("/refused")]).toEqual([[], []]);
  });

  it("comes after a dialog when Python mounts and nobody clicked, and Python goes on", async () => {
    const folder = temporary("own");
    await alone(`
      from mountfs import fs
      mount = await fs.mount("/own")
      with open("/own/b.txt", "w") as file:
          file.write(mount.label)
      print(await fs.sync("/own"))`);
    await press(YES);
    await (await desktop.chooser("read-write")).choose(folder);
    await prompts.answer("Allow");
    expect(await result()).toEqual([0, expect.stringContaining("1 file ")]);
    expect(await dialogs()).toBe(0);
    expect(readFileSync(join(folder, "b.txt"), "utf8")).toBe(basename(folder));
  });

  it("gives a folder to read; to write in it is asked for later, with no new choice", async () => {
    const folder = temporary("wider");
    writeFileSync(join(folder, "there.txt"), "there");
    await click(`fs.mount("/wider", { access: "read" })`);
    await (await desktop.chooser("read")).choose(folder);
    expect(await prompts.answer("Allow")).toMatch(new RegExp(`view .*files in ${basename(folder)}$`));
    expect(await result()).toMatchObject({ access: "read", label: basename(folder) });
    expect(await python("print(open('/wider/there.txt').read())")).toEqual([0, "there\n"]);
    expect(await python("open('/wider/c.txt', 'w')")).toEqual([1, expect.stringContaining("Read-only file system")]);
    await tell(`fs.unmount("/wider")`);

    await click(`fs.mount("/wider")`);
    expect(await prompts.answer("Don't Allow")).toContain(`edit files in ${basename(folder)}`);
    expect(await result()).toMatchObject({ code: "denied" });
    expect(await tell(`fs.mount("/wider", { access: "read" })`)).toMatchObject({ access: "read", label: basename(folder) });
    await tell(`fs.unmount("/wider")`);

    await click(`fs.mount("/wider")`);
    await prompts.answer("Allow");
    expect(await result()).toMatchObject({ access: "read-write", label: basename(folder) });
    expect(await python("open('/wider/c.txt', 'w').write('wider')")).toEqual([0, ""]);
    expect(readFileSync(join(folder, "c.txt"), "utf8")).toBe("wider");
    expect(readdirSync(folder)).toEqual(["c.txt", "there.txt"]);
  });

  it("opens again once the folder was given back", async () => {
    const [first, second] = [temporary("first"), temporary("second")];
    for (const folder of [first, second]) {
      await click(`fs.mount("/again")`);
      await (await desktop.chooser("read-write")).choose(folder);
      await prompts.answer("Allow");
      expect(await result()).toMatchObject({ label: basename(folder) });
      expect(await tell(`fs.revoke("/again")`)).toBe(true);
      expect(await kept("/again")).toEqual([]);
    }
  });

  it("starts in the place it is told, for an id as long as they may be", async () => {
    const folder = join(home, "Documents", "notes");
    mkdirSync(folder, { recursive: true });
    await click(`fs.mount("/notes", { startIn: "documents", id: "i".repeat(32) })`);
    // Only from there does its name lead to it.
    await (await desktop.chooser("read-write")).choose(basename(folder));
    await prompts.answer("Allow");
    expect(await result()).toMatchObject({ id: "i".repeat(32), label: "notes" });
    expect(await python("open('/notes/d.txt', 'w').write('d')")).toEqual([0, ""]);
    expect(readFileSync(join(folder, "d.txt"), "utf8")).toBe("d");
  });
});

// Each on the profile that the one before left, with the folder that the first test above chose.
describe("a later start of the browser", () => {
  beforeEach(async (context) => {
    await browser.close();
    await start();
    await open(context);
  });

  /** The folder of the first test, by what is in it. */
  const same = async () => {
    expect(await result()).toMatchObject({ access: "read-write", label: expect.stringMatching(/^local-/) });
    expect(await python("print(open('/local/a.txt').read())")).toEqual([0, "from Python\n"]);
  };

  it("is denied the folder with “Don't allow”, keeps the grant, and has the same folder after a later yes", async () => {
    await click(`fs.mount("/local")`);
    await prompts.answer("Don't allow");
    expect(await result()).toMatchObject({ code: "denied" });
    expect(await tell("fs.mounted()")).toEqual([]);
    expect(await kept("/local")).toMatchObject([{ access: "read-write", state: "prompt" }]);

    await click(`fs.mount("/local")`);
    await prompts.answer("Allow");
    await same();
  });

  it("has the same folder with “Allow this time”, which Python can ask for", async () => {
    await alone(`from mountfs import fs; await fs.mount("/local", id="mountfs"); print(open("/local/a.txt").read())`);
    await press(YES);
    await prompts.answer("Allow this time");
    expect(await result()).toEqual([0, "from Python\n"]);
  });

  it("has the same folder with “Allow on every visit”", async () => {
    await click(`fs.mount("/local")`);
    await prompts.answer("Allow on every visit");
    await same();
  });

  it("has it after that with no question and no click", async () => {
    await tell(`(window.result = fs.mount("/local"), null)`);
    await same();
  });
});
