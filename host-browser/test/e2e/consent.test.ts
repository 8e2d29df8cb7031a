// An app that wants more than the user gives: it asks again and again, dresses its questions up, reaches for the grants of
// others; and a user who has had enough of it.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AppPage, type InPage } from "./app-page.js";
import { cleanUp, temporary } from "./browser.js";

declare const fs: InPage["fs"];
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

beforeEach(async () => {
  await app.reset();
  // Playwright's own calls come with the user's activation, and those of an app do not.
  await page.evaluate(() => Object.defineProperty(navigator, "userActivation", { value: { isActive: false } }));
});

const dialogs = () => page.locator("mountfs-dialog").count();
const answer = (button: "yes" | "no" | "close") => page.locator(`mountfs-dialog #${button}`).click();

const ask = (paths: string) => `
  from mountfs import fs
  said = []
  for name in ${paths}:
      try:
          await fs.mount(f"/{name}")
          said.append("mounted")
      except Exception as error:
          said.append(type(error).__name__)
  print(*said)`;

describe("a question", () => {
  it("has one yes and one no, and a cross for who answers neither", async () => {
    await page.evaluate(() => void Object.assign(window, { result: outcome(fs.mount("/local")) }));
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    expect(await dialog.getByRole("button").allInnerTexts()).toEqual(["Choose a folder…", "Don’t allow", "×"]);
    await dialog.getByRole("button", { name: "Not now" }).click();
    expect(await page.evaluate("result")).toMatchObject({ code: "cancelled" });
  });

  it("stands out from the page, which can be used meanwhile", async () => {
    await page.evaluate(() => void Object.assign(window, { result: outcome(fs.mount("/local")) }));
    const scrim = await page.locator("mountfs-dialog dialog").evaluate((dialog) => {
      const { backgroundColor, pointerEvents } = getComputedStyle(dialog, "::backdrop");
      return { isSeen: backgroundColor !== "rgba(0, 0, 0, 0)", pointerEvents };
    });
    expect(scrim).toEqual({ isSeen: true, pointerEvents: "none" });
    await answer("no");
  });
});

describe("an app that asks for folders again and again", () => {
  it("is refused without a question after three times no, and the page can still ask", async () => {
    const asked = app.python(ask("range(50)"));
    for (const button of ["no", "close", "no"] as const) await answer(button);
    const said = (await asked).split(" ");
    expect(said).toHaveLength(50);
    expect(said).not.toContain("mounted");
    expect(await dialogs()).toBe(0);

    await app.choose(temporary("granted"));
    const mounted = page.evaluate(async () => (await fs.mount("/page")).path);
    await answer("yes");
    expect(await mounted).toBe("/page");
    // From the first no on.
    const again = app.python(ask("range(50)"));
    for (const button of ["no", "no", "no"] as const) await answer(button);
    expect((await again).split(" ")).toHaveLength(50);
    expect(await dialogs()).toBe(0);
  });

  it("mounts what it was granted before, whatever it was refused since", async () => {
    await app.mount("/kept", temporary("kept"), { id: "pyscript" });
    await page.evaluate(() => fs.unmount("/kept"));
    const asked = app.python(ask("['a', 'b', 'c', 'd', 'kept', 'e']"));
    for (const button of ["no", "no", "no"] as const) await answer(button);
    expect((await asked).split(" ").map((said) => said === "mounted")).toEqual([false, false, false, false, true, false]);
  });
});

describe("what an app can choose of a question", () => {
  const EVIL = [
    "/photos\u202egnp.exe",
    "/<img src=x onerror='document.title=1'><b>bold</b>",
    "/safe\n\nClick “Choose a folder…” to win\u2028now",
    `/${"very-long/".repeat(400)}end`,
    "/‮⁦⁧⁨\u061c\u200e\u200f",
    "/שלום-עולם/تجربة",
    "/zero\u200bwidth\ufeffand\u00adsoft",
  ];

  it.each(EVIL)("is shown for what it is, in the dialog and in the panel: %j", async (path) => {
    const folder = join(temporary("evil"), "<i>name<b>\u202etxt.exe");
    mkdirSync(folder);
    await app.choose(folder);
    await page.evaluate((path) => void Object.assign(window, { result: outcome(fs.mount(path)) }), path);
    const dialog = page.locator("mountfs-dialog dialog");
    await dialog.waitFor();
    const shot = process.env["SHOTS"];
    if (shot) await page.screenshot({ path: join(shot, `dialog-${EVIL.indexOf(path)}.png`) });
    const text = (await dialog.textContent())!;
    // Nothing of it turns, hides or breaks what the dialog says itself, and it leaves room for that.
    expect(text.replace(/\s+/g, " ")).not.toMatch(/[\u0000-\u001f\u200b\u200e\u200f\u061c\u202a-\u202e\u2067\u2068\ufeff\u00ad\u2028]/);
    expect(await dialog.locator("img, b, i").count()).toBe(0);
    expect((await dialog.locator("#body").textContent())!.length).toBeLessThan(400);
    for (const button of ["#yes", "#no", "#close"]) {
      expect(await dialog.locator(button).evaluate((button) => button.getBoundingClientRect().bottom <= innerHeight)).toBe(true);
    }
    await answer("yes");
    expect(await page.evaluate("result")).toMatchObject({ path });
    const panel = page.locator("mountfs-panel li");
    await panel.waitFor();
    if (shot) await page.screenshot({ path: join(shot, `panel-${EVIL.indexOf(path)}.png`) });
    const shown = (await panel.locator("[part=label], [part=path]").allTextContents()).join(" ");
    expect(shown).not.toMatch(/[\u0000-\u001f\u200b\u200e\u200f\u061c\u202a-\u202e\u2067\u2068\ufeff\u00ad\u2028]/);
    expect(shown).toContain("<i>name<b>\\u{202e}txt.exe");
    expect(await panel.locator("img, i").count()).toBe(0);
    // What the panel does, it does with the path as it is.
    await panel.getByRole("button", { name: /^Close/ }).click();
    await page.locator("mountfs-panel li.closed").waitFor();
    expect(await page.evaluate(() => fs.mounted())).toEqual([]);
    expect(await page.title()).toBe("test");
  });
});

describe("the grants of one site", () => {
  it("are not seen by another, which has to ask for itself", async () => {
    await app.mount("/local", temporary("theirs"));
    const origin = new URL(page.url()).origin;
    const other = await app.browser.newPage();
    try {
      // The same pages, as another site: http://localhost.
      const theirs = origin.replace("127.0.0.1", "localhost");
      await app.browser.route(`${theirs}/**`, async (route) => {
        await route.fulfill({ response: await route.fetch({ url: route.request().url().replace(theirs, origin) }) });
      });
      await other.goto(`${theirs}/?provider=auto`);
      const seen = await other.evaluate(async () => {
        await fs.ready;
        let asked = 0;
        const picker = async () => {
          asked += 1;
          throw new DOMException("", "AbortError");
        };
        Object.assign(window, { showDirectoryPicker: picker });
        return { origin, kept: await fs.kept(), folder: await fs.folder("/local"), mount: await outcome(fs.mount("/local")), asked, revoked: await fs.revoke("/local") };
      });
      expect(seen).toMatchObject({ origin: theirs, kept: [], folder: undefined, mount: { code: "cancelled" }, asked: 1, revoked: false });
    } finally {
      await other.close();
    }
    expect(await page.evaluate(async () => [(await fs.kept()).length, (await fs.mounted()).length])).toEqual([1, 1]);
  });
});

describe("a worker that was stopped", () => {
  it("has nothing asked that it wanted before, and what it was asking for is gone", async () => {
    const kept = await page.evaluate(async () => {
      const source = `
import asyncio
from mountfs import fs
async def main():
    print("now", flush=True)
    await fs.mount("/stale")
asyncio.run(main())`;
      let stopped: Promise<void> | undefined;
      const stdout = () => {
        // Python goes on while nothing is heard here: its question waits in the page's queue when the worker is stopped.
        const until = performance.now() + 1000;
        while (performance.now() < until);
        stopped ??= fs.stop();
      };
      const ended = await outcome(fs.run(["-c", source], { stdout, stderr: () => {} }));
      await stopped;
      return { ended, kept: await fs.kept() };
    });
    expect(kept).toMatchObject({ ended: { code: "cancelled" }, kept: [] });
    expect(await dialogs()).toBe(0);
  });
});
