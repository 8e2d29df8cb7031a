// What the user is asked and what follows from each answer, in a real page; and the app's life: exits, traps, streams.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AppPage, type InPage } from "./app-page.js";
import { cleanUp, drop, temporary } from "./browser.js";

declare const fs: InPage["fs"];
declare const run: InPage["run"];
declare const python: InPage["python"];
declare const outcome: InPage["outcome"];

let app: AppPage;
let page: Page;

beforeAll(async () => {
  app = await AppPage.start();
  page = app.page;
});

afterAll(async () => {
  await app?.stop();
  cleanUp();
});

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
  beforeEach(() => app.open("auto"));

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
    await page.evaluate(() => run("open('/dropped/a.txt', 'w').write('bytes')"));
    expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("bytes");
  });

  it("asks nothing for a folder that was dropped on it just before it was closed", async () => {
    await page.evaluate(() => {
      const { prototype } = FileSystemDirectoryHandle;
      prototype.requestPermission = async () => ((window as unknown as { asked: boolean }).asked = true, "denied");
      const get = DataTransferItem.prototype.getAsFileSystemHandle;
      DataTransferItem.prototype.getAsFileSystemHandle = async function () {
        const handle = await get.call(this);
        document.querySelector("mountfs-dialog")!.shadowRoot!.querySelector<HTMLElement>("#close")!.click();
        return handle;
      };
    });
    await start(`fs.mount("/refused")`);
    await drop(page, temporary("late"), "mountfs-dialog dialog");
    expect(await result()).toMatchObject({ code: "cancelled" });
    expect(await page.evaluate("window.asked")).toBeUndefined();
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

describe("a browser without a folder picker", () => {
  it("says plainly that files will be in its private storage, and keeps them there", async () => {
    const other = await app.browser.newPage();
    try {
      await other.addInitScript(() => Reflect.deleteProperty(window, "showDirectoryPicker"));
      await other.goto(page.url());
      await other.evaluate(() => void Object.assign(window, { result: outcome(fs.mount("/kept")) }));
      const dialog = other.getByRole("dialog", { name: "Keep files in this browser?" });
      await dialog.waitFor();
      expect(await dialog.textContent()).toMatch(/cannot open a folder of your computer.*private storage.*clear this site's data/s);
      await dialog.getByRole("button", { name: "Keep them here" }).click();
      expect(await other.evaluate(() => (window as unknown as { result: unknown }).result)).toMatchObject({ label: "Private storage" });
      expect(await other.evaluate(() => run("open('/kept/a.txt', 'w').write('x')"))).toEqual([0, ""]);
      await other.locator("mountfs-panel").getByText("saved in this browser").waitFor();
      await other.evaluate(() => fs.revoke("/kept"));
    } finally {
      await other.close();
    }
  });
});

describe("a folder that Python writes to", () => {
  it.each([
    ["unmounts", () => fs.unmount("/local")],
    ["revokes", () => fs.revoke("/local")],
  ] as [string, () => Promise<unknown>][])("loses nothing of it when the page %s it meanwhile", async (_, leave) => {
    await app.reset();
    const folder = temporary("written");
    await app.mount("/local", folder);
    await app.python(`
      large = open("/local/large", "wb", buffering=0)
      log = open("/local/log", "wb", buffering=0)
      for _ in range(50):
          large.write(bytes(1_000_000))
      written = log.write(b"x")`);
    const writing = app.python(`
      try:
          while True:
              written += log.write(b"x")
      except OSError:
          print(written)`);
    await page.evaluate(leave);
    expect(Number(await writing)).toBe(statSync(join(folder, "log")).size);
  });
});

describe("private storage", () => {
  beforeEach(() => app.open("private"));

  it("mounts, writes, syncs and revokes; the next run finds the folder mounted", async () => {
    expect(await page.evaluate(async () => (await fs.mount("/local")).label)).toBe("Private storage");
    expect(await page.evaluate(() => run("open('/local/a.txt', 'w').write('x' * 10)"))).toEqual([0, ""]);
    expect(await page.evaluate(() => run("print(open('/local/a.txt').read())"))).toEqual([0, "xxxxxxxxxx\n"]);
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

  it("is called by its name where the page gave it one", async () => {
    const labels = await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const handle = await root.getDirectoryHandle("notes", { create: true });
      return [await fs.mount("/notes", { handle }), await fs.mount("/all", { handle: root })].map(({ label }) => label);
    });
    expect(labels).toEqual(["notes", "Private storage"]);
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
      const ended = run(loop).finally(() => (running = false));
      let rounds = 0;
      for (; running; rounds += 1) await Promise.all([fs.mounted(), fs.sync("/busy")]);
      return { rounds, ended: await ended };
    });
    expect(ended).toEqual([0, ""]);
    expect(rounds).toBeGreaterThan(0);
  });
  it.each([
    ["writes", "file.write(b'x')"],
    ["asks for attributes", "os.stat('/endless/file')"],
    ["reads", "file.seek(0), file.read(1)"],
  ])("is heard by an app that never waits for a disk: it %s", async (_, call) => {
    const [synced, revoked, ended] = await page.evaluate(async (call) => {
      await fs.mount("/endless");
      await python("import os\nfile = open('/endless/file', 'w+b', buffering=0)\nfile.write(b'x')");
      // It ends when its folder is taken back, and only then.
      const ended = outcome(python(`while True: ${call}`));
      return [await fs.sync("/endless"), await fs.revoke("/endless"), await ended];
    }, call);
    expect(synced).toMatchObject({ files: 1n, failures: [] });
    expect(revoked).toBe(true);
    expect(ended).toMatchObject({ message: expect.stringMatching(/^(OSError|FileNotFoundError): /) });
  });
});

describe("a run", () => {
  beforeEach(() => app.open("private"));

  it("has arguments, an environment, standard input and an exit code", async () => {
    const source = "import os, sys; print(os.environ['A'], sys.stdin.read()); print('e', file=sys.stderr); sys.exit(7)";
    expect(await page.evaluate((source) => run(source, { stdin: "in", env: { A: "b" } }), source)).toEqual([7, "e\nb in\n"]);
  });

  it("tells what it could not save, and the next sync does it", async () => {
    const told = await page.evaluate(async () => {
      await fs.mount("/unsaved");
      const handle = await (await fs.folder("/unsaved"))!.getFileHandle("locked.txt", { create: true });
      const lock = await handle.createWritable({ mode: "exclusive" } as object);
      const write = "for name in ('locked', 'free'): open(f'/unsaved/{name}.txt', 'w').write('text')";
      const ended = await outcome(run(write));
      await lock.abort();
      return [ended, await fs.sync("/unsaved"), await (await handle.getFile()).text()];
    });
    const failures = [{ path: "/unsaved/locked.txt", reason: "it is in use, or the browser did not answer in time" }];
    expect(told).toMatchObject([{ code: "incomplete", report: { files: 1n, failures } }, { files: 1n }, "text"]);
  });

  it("tells where what it wrote is when another program changed the same file", async () => {
    const [code, output] = await page.evaluate(async () => {
      await fs.mount("/both");
      const handle = await (await fs.folder("/both"))!.getFileHandle("a.txt", { create: true });
      const stdin = async function* () {
        // The app has read the file when it asks for this.
        const outside = await handle.createWritable();
        await outside.write("outside");
        await outside.close();
        yield "go on";
      };
      return await run("file = open('/both/a.txt', 'r+'); input(); file.write('inside')", { stdin: stdin() });
    });
    expect(code).toBe(0);
    expect(output).toMatch(/^python: \/both\/a\.txt was changed outside too; what was written is \/both\/a \(conflict .*\)/);
  });

  it("is one at a time", async () => {
    const both = await page.evaluate(async () => {
      const first = run("import time; time.sleep(0.5)");
      return [await outcome(fs.run(["-c", ""])), await first];
    });
    expect(both).toMatchObject([{ code: "busy" }, [0, ""]]);
  });

  it("leaves a clean app after a recursion too deep and after an abort", async () => {
    const [deep] = await page.evaluate(() => run("def f(): return f()\nf()"));
    expect(deep).toBe(1);
    const [aborted] = await page.evaluate(() => run("import os; os.abort()"));
    expect(aborted).toBe(134);
    expect(await page.evaluate(() => run("print(1)"))).toEqual([0, "1\n"]);
  });
});
