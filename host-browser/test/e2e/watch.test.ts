// What other programs change in a mounted folder: the page is told, by name, and Python sees it at once.
import { appendFileSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AppPage, type InPage } from "./app-page.js";
import { cleanUp, temporary } from "./browser.js";

declare const fs: InPage["fs"];
declare const told: Set<string>;

let app: AppPage;
let folder: string;
const at = (name: string) => join(folder, name);

/** Collects what the page is told from now on: names, and `*` for anything. */
async function listen(): Promise<void> {
  await app.page.evaluate(() => {
    const told = Object.assign(window, { told: new Set<string>() }).told;
    fs.addEventListener("change", ({ change }) => {
      if (change.what === "folder") for (const name of change.names.length ? change.names : ["*"]) told.add(name);
    });
  });
}

/** Waits until the page was told of all these, and answers that it was. */
async function hears(...names: string[]): Promise<boolean> {
  await app.page.waitForFunction((names) => names.every((name) => told.has(name)), names);
  return await app.page.evaluate(() => (told.clear(), true));
}

async function mount(): Promise<void> {
  await listen();
  await app.mount("/local", folder);
}

afterAll(cleanUp);

describe("with the browser's observer", () => {
  beforeAll(async () => {
    app = await AppPage.start();
    folder = temporary("watched");
    mkdirSync(at("sub"));
    await mount();
    // Until the observer has begun, names are not told: a browser that has just started keeps it waiting.
    const isTold = () => app.page.waitForFunction(() => told.has("probe.txt"), null, { timeout: 1000 }).then(() => true, () => false);
    do writeFileSync(at("probe.txt"), "");
    while (!(await isTold()));
    await app.page.evaluate(() => told.clear());
  });
  afterAll(() => app?.stop());

  it.each([1, 2, 3])("is told of each change between syncs, and so is Python: round %i", async (round) => {
    const [file, inner] = [`file ${round}.txt`, `sub/inner ${round}.txt`];
    const sizes = `import os; print(*(os.stat('/local/' + n).st_size if os.path.exists('/local/' + n) else '-'
      for n in ['${file}', '${inner}', 'moved ${round}.txt', 'sub/moved ${round}.txt']))`;
    const sync = async () => {
      await app.python(`open('/local/own.txt', 'a').write('${round}' * 1000)`);
      await app.python(`open('/local/sub/own.txt', 'a').write('${round}' * 1000)`);
      await app.sync("/local");
      expect(await hears("own.txt", "sub/own.txt")).toBe(true);
      // What Python sees now it may believe for a second.
      return await app.python(sizes);
    };
    expect(await sync()).toBe("- - - -");
    writeFileSync(at(file), "12345");
    writeFileSync(at(inner), "1234567");
    expect(await hears(file, inner)).toBe(true);
    expect(await app.python(sizes)).toBe("5 7 - -");

    expect(await sync()).toBe("5 7 - -");
    appendFileSync(at(file), "6");
    appendFileSync(at(inner), "8");
    expect(await hears(file, inner)).toBe(true);
    expect(await app.python(sizes)).toBe("6 8 - -");

    expect(await sync()).toBe("6 8 - -");
    renameSync(at(file), at(`moved ${round}.txt`));
    renameSync(at(inner), at(`sub/moved ${round}.txt`));
    expect(await hears(file, inner, `moved ${round}.txt`, `sub/moved ${round}.txt`)).toBe(true);
    expect(await app.python(sizes)).toBe("- - 6 8");

    expect(await sync()).toBe("- - 6 8");
    rmSync(at(`moved ${round}.txt`));
    rmSync(at(`sub/moved ${round}.txt`));
    expect(await hears(`moved ${round}.txt`, `sub/moved ${round}.txt`)).toBe(true);
    expect(await app.python(sizes)).toBe("- - - -");
  });

  it("is told of a directory that other programs replace, and Python sees what is in the new one", async () => {
    mkdirSync(at("built"));
    writeFileSync(at("built/result"), "old");
    await app.python("import os; print(os.stat('/local/built/result').st_size)");
    mkdirSync(at("next"));
    writeFileSync(at("next/result"), "newer");
    renameSync(at("built"), at("last"));
    renameSync(at("next"), at("built"));
    expect(await hears("built", "last")).toBe(true);
    expect(await app.python("print(os.stat('/local/built/result').st_size, open('/local/built/result').read())")).toBe("5 newer");
  });

  it("goes on when the folder itself was away", async () => {
    renameSync(folder, `${folder}-away`);
    expect(await hears("*")).toBe(true);
    renameSync(`${folder}-away`, folder);
    expect(await hears("*")).toBe(true);
    writeFileSync(at("back.txt"), "");
    expect(await hears("back.txt")).toBe(true);
  });

  it("is told that anything may have changed when the user comes back to the page", async () => {
    await app.page.evaluate(() => (told.clear(), window.dispatchEvent(new FocusEvent("focus"))));
    expect(await hears("*")).toBe(true);
  });

  it.each([
    ["is unmounted", async () => void (await fs.unmount("/local"))],
    [
      "a stop left unmounted",
      async () => {
        const { prototype } = FileSystemDirectoryHandle;
        const { queryPermission } = prototype;
        prototype.queryPermission = async () => "prompt";
        await fs.stop();
        prototype.queryPermission = queryPermission;
      },
    ],
  ])("watches no more what %s", async (_, leave) => {
    await app.reset();
    await mount();
    expect(await hears("*")).toBe(true);
    // An observer of the page's own says when there was something to hear.
    await app.page.evaluate(`(async () => {
      const folder = await fs.folder("/local");
      window.seen = new Promise((resolve) => (window.observer = new FileSystemObserver(resolve)));
      await observer.observe(folder);
    })()`);
    await app.page.evaluate(leave);
    expect(await app.page.evaluate(() => fs.mounted())).toEqual([]);
    writeFileSync(at("unheard.txt"), "");
    await app.page.evaluate("seen.then(() => undefined)");
    await app.mount("/other", temporary("other"), { id: "other" });
    await app.page.waitForFunction(() => told.has("*"));
    await app.python("open('/other/heard.txt', 'w').write('x')");
    expect(await app.page.evaluate(async () => {
      while (!told.has("heard.txt")) await new Promise((resolve) => fs.addEventListener("change", resolve, { once: true }));
      return [...told];
    })).not.toContain("unheard.txt");
  });
});

describe("without it", () => {
  beforeEach(async () => {
    app = await AppPage.start();
    folder = temporary("watched");
  });
  afterEach(() => app?.stop());

  it("is told that something changed before it began", async () => {
    // Of a browser that has just started this is the first thing that is asked.
    await mount();
    writeFileSync(at("early.txt"), "early");
    expect(await hears("*")).toBe(true);
    expect(await app.python("print(open('/local/early.txt').read())")).toBe("early");
  });

  it("is told of what changes in the folder itself, where the browser has none", async () => {
    await app.page.addInitScript(() => Reflect.deleteProperty(window, "FileSystemObserver"));
    await app.open();
    await mount();
    writeFileSync(at("file.txt"), "1");
    expect(await hears("*")).toBe(true);
    appendFileSync(at("file.txt"), "2");
    expect(await hears("file.txt")).toBe(true);
    expect(await app.python("import os; print(os.stat('/local/file.txt').st_size)")).toBe("2");
    renameSync(at("file.txt"), at("moved.txt"));
    expect(await hears("file.txt", "moved.txt")).toBe(true);
    // Of this time Chromium tells another each time it is asked.
    utimesSync(at("moved.txt"), 0, 0);
    expect(await hears("moved.txt")).toBe(true);
    writeFileSync(at("next.txt"), "");
    expect(await hears("next.txt")).toBe(true);
    writeFileSync(at("last.txt"), "");
    await app.page.waitForFunction(() => told.has("last.txt"));
    expect(await app.page.evaluate(() => [...told])).toEqual(["last.txt"]);
  });
});
