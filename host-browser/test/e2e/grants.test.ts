// What the user is asked and what follows from each answer, in a real page; and the app's life: exits, traps, streams.
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Mountfs } from "../../src/index.js";
import { cleanUp, drop, launch, serve, temporary } from "./browser.js";

/** What the page has for the tests. */
declare const fs: Mountfs;
declare const python: (source: string, options?: { stdin?: string; env?: Record<string, string> }) => Promise<[number, string]>;
declare const outcome: <T>(call: Promise<T>) => Promise<T | { code: string; message: string }>;

const PAGE = `<!doctype html><meta charset="utf-8"><title>test</title><script type="module">
  import { createMountfs } from "./dist/index.js";
  const query = new URLSearchParams(location.search);
  window.fs = createMountfs({ app: "python", name: "Python", provider: query.get("provider") ?? "auto" });
  window.python = async (source, options) => {
    let output = "";
    const print = (text) => { output += text; };
    return [await fs.run(["-c", source], { name: "python", stdout: print, stderr: print, ...options }), output];
  };
  window.outcome = (call) => call.catch(({ code, message }) => ({ code, message }));
</script>`;

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
let host: Awaited<ReturnType<typeof serve>>;
let browser: BrowserContext;
let page: Page;

beforeAll(async () => {
  const site = temporary("site");
  cpSync(at("dist"), join(site, "dist"), { recursive: true });
  symlinkSync(at("../examples/notebook/public/python"), join(site, "python"));
  writeFileSync(join(site, "index.html"), PAGE);
  host = await serve(site);
  browser = await launch("allow");
  page = browser.pages()[0] ?? (await browser.newPage());
});

afterAll(async () => {
  await browser?.close();
  host?.close();
  cleanUp();
});

const open = async (provider: string) => {
  await page.goto(`${host.origin}/?provider=${provider}`);
  await page.evaluate(() => fs.ready);
};

/** Starts a call without the user's activation, which Playwright's own calls have. */
async function start(call: string): Promise<void> {
  await page.evaluate((source) => {
    const type = "application/javascript";
    const script = Object.assign(document.createElement("script"), { type: "text/javascript" });
    Object.defineProperty(navigator, "userActivation", { value: { isActive: false }, configurable: true });
    script.src = URL.createObjectURL(new Blob([`window.result = outcome(${source})`], { type }));
    document.head.append(script);
  }, call);
  await page.locator("mountfs-dialog dialog").waitFor();
}

const result = () => page.evaluate(() => (window as unknown as { result: Promise<{ code?: string; label?: string }> }).result);

describe("the dialog", () => {
  beforeEach(() => open("auto"));

  it.each([
    ["Escape", "cancelled", () => page.keyboard.press("Escape")],
    ["Cancel", "cancelled", () => page.locator("mountfs-dialog #close").click()],
    ["Don’t allow", "denied", () => page.locator("mountfs-dialog #no").click()],
    // Headless Chromium has no picker, which is as if the user had closed it.
    ["a closed picker", "cancelled", () => page.locator("mountfs-dialog #yes").click()],
  ])("settles: %s is %s, and nothing is mounted", async (_, code, act) => {
    await start(`fs.mount("/refused")`);
    await act();
    expect(await result()).toMatchObject({ code });
    expect(await page.evaluate(() => fs.mounted())).toEqual([]);
    expect(await page.locator("mountfs-dialog").count()).toBe(0);
  });

  it("has a name, a description and the focus, and takes a dropped folder", async () => {
    const folder = temporary("dropped");
    await start(`fs.mount("/dropped", { id: "d" })`);
    const dialog = page.getByRole("dialog", { name: "Python asks for a folder" });
    expect(await dialog.getAttribute("aria-describedby")).toBe("body");
    expect(await page.locator("mountfs-dialog #yes").evaluate((yes) => yes.matches(":focus"))).toBe(true);
    await drop(page, folder, "mountfs-dialog dialog");
    expect(await result()).toMatchObject({ label: folder.split("/").at(-1) });
    await page.evaluate(() => python("open('/dropped/a.txt', 'w').write('bytes')"));
    expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("bytes");
  });

  it("opens a lapsed grant again: the same folder, and no new pick", async () => {
    await page.evaluate(() => {
      const { prototype } = FileSystemDirectoryHandle;
      Object.assign(window, { asked: [], picks: 0, showDirectoryPicker: () => Object.assign(window, { picks: 1 }) });
      prototype.queryPermission = async () => "prompt";
      prototype.requestPermission = async function () {
        (window as unknown as { asked: string[] }).asked.push(this.name);
        return "granted";
      };
    });
    await start(`fs.mount("/dropped", { id: "d" })`);
    await page.getByRole("dialog", { name: /Open “dropped-.*” again/ }).waitFor();
    await page.locator("mountfs-dialog #yes").click();
    expect(await result()).toMatchObject({ label: expect.stringMatching(/^dropped-/) });
    const seen = await page.evaluate(() => {
      const { asked, picks } = window as unknown as { asked: string[]; picks: number };
      return { asked: asked.length, picks };
    });
    expect(seen).toEqual({ asked: 1, picks: 0 });
  });
});

describe("private storage", () => {
  beforeEach(() => open("private"));

  it("mounts, writes, syncs and revokes; the next run finds the folder mounted", async () => {
    expect(await page.evaluate(async () => (await fs.mount("/local")).label)).toBe("Private storage");
    expect(await page.evaluate(() => python("open('/local/a.txt', 'w').write('x' * 10)"))).toEqual([0, ""]);
    expect(await page.evaluate(() => python("print(open('/local/a.txt').read())"))).toEqual([0, "xxxxxxxxxx\n"]);
    const size = await page.evaluate(async () => {
      await fs.sync("/local");
      const folder = await fs.folder("/local");
      return (await (await folder!.getFileHandle("a.txt")).getFile()).size;
    });
    expect(size).toBe(10);
    expect(await page.evaluate(async () => [await fs.revoke("/local"), await fs.revoke("/local"), await fs.mounted()])).toEqual([
      true, false, [],
    ]);
  });

  it("says what went wrong in words and as a code", async () => {
    const errors = await page.evaluate(() => Promise.all([outcome(fs.sync("/none")), outcome(fs.mount("relative"))]));
    expect(errors).toMatchObject([{ code: "not-mounted" }, { code: "invalid-path" }]);
  });

  it("answers the page while Python is busy with files", async () => {
    const { rounds, ended } = await page.evaluate(async () => {
      await fs.mount("/busy");
      const loop = "import os, time\nend = time.time() + 2\nwhile time.time() < end:\n  open('/busy/f', 'w').write('x'); os.stat('/busy/f')";
      let running = true;
      const ended = python(loop).finally(() => (running = false));
      let rounds = 0;
      for (; running; rounds += 1) await Promise.all([fs.mounted(), fs.sync("/busy")]);
      return { rounds, ended: await ended };
    });
    expect(ended).toEqual([0, ""]);
    expect(rounds).toBeGreaterThan(0);
  });
});

describe("a run", () => {
  beforeEach(() => open("private"));

  it("has arguments, an environment, standard input and an exit code", async () => {
    const source = "import os, sys; print(os.environ['A'], sys.stdin.read()); print('e', file=sys.stderr); sys.exit(7)";
    expect(await page.evaluate((source) => python(source, { stdin: "in", env: { A: "b" } }), source)).toEqual([7, "e\nb in\n"]);
  });

  it("is one at a time", async () => {
    const both = await page.evaluate(async () => {
      const first = python("import time; time.sleep(0.5)");
      return [await outcome(fs.run(["-c", ""])), await first];
    });
    expect(both).toMatchObject([{ code: "busy" }, [0, ""]]);
  });

  it("leaves a clean app after a recursion too deep and after an abort", async () => {
    const [deep] = await page.evaluate(() => python("def f(): return f()\nf()"));
    expect(deep).toBe(1);
    const [aborted] = await page.evaluate(() => python("import os; os.abort()"));
    expect(aborted).toBe(134);
    expect(await page.evaluate(() => python("print(1)"))).toEqual([0, "1\n"]);
  });
});
