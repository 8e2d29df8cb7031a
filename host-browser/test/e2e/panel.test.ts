// The panel with a keyboard and a screen reader: what has a name, where the focus goes, what is said.
import { afterAll, beforeAll, expect, it } from "vitest";
import { AppPage, type InPage } from "./app-page.js";
import { cleanUp, temporary } from "./browser.js";

declare const fs: InPage["fs"];

let app: AppPage;
let label: string;

beforeAll(async () => {
  app = await AppPage.start();
  const folder = temporary("project");
  label = folder.split("/").at(-1)!;
  await app.page.evaluate(() => document.querySelector("mountfs-panel")!.setAttribute("mount", "/local"));
  await app.mount("/local", folder);
});

afterAll(async () => {
  await app?.stop();
  cleanUp();
});

const button = (name: string) => app.page.getByRole("button", { name });
/** Waits until a button has the focus, and answers that it has. */
const focused = async (name: string) => (await button(name).and(app.page.locator(":focus")).waitFor(), true);
const status = (text: string | RegExp) => app.page.getByRole("status").filter({ hasText: text }).waitFor();

it("has nothing in it of what there is not, for who searches the page or reads all of it", async () => {
  expect(await app.panel()).not.toMatch(/not saved|Recover|Discard/);
});

it("draws the eye to Sync only when something is unsaved", async () => {
  const colour = (verb: string) =>
    app.page.locator(`mountfs-panel [data-verb=${verb}]`).evaluate((button) => getComputedStyle(button).backgroundColor);
  expect(await colour("sync")).toBe(await colour("unmount"));
  await app.python("f = open('/local/open.txt', 'w'); f.write('x'); f.flush()");
  await app.page.locator("mountfs-panel .dirty").waitFor();
  expect(await colour("sync")).not.toBe(await colour("unmount"));
  await app.python("f.close()");
  await button(`Sync ${label}`).press("Enter");
  await status("aved");
  expect(await colour("sync")).toBe(await colour("unmount"));
});

it("moves no button while something is saved: a click that began on it would miss it", async () => {
  const places = () => app.page.locator("mountfs-panel button").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON()));
  const progress = (files: number) =>
    app.page.evaluate((files) => {
      const progress = { files, filesToDo: 2 - files, bytes: files, bytesToDo: 2 - files };
      fs.dispatchEvent(Object.assign(new Event("progress"), { progress: { path: "/local", id: "mountfs", ...progress } }));
    }, files);
  const bar = app.page.locator("mountfs-panel progress");
  const before = await places();
  await progress(1);
  await bar.waitFor();
  expect(await places()).toEqual(before);
  await progress(2);
  await bar.waitFor({ state: "hidden" });
  expect(await places()).toEqual(before);
});

it("is written in the page's letters", async () => {
  const font = await app.page.evaluate(() => {
    document.body.style.fontFamily = "Georgia, serif";
    return getComputedStyle(document.querySelector("mountfs-panel")!.shadowRoot!.querySelector("b")!).fontFamily;
  });
  expect(font).toBe("Georgia, serif");
});

it("is gone through with the keyboard, and each button says which folder it is for", async () => {
  await button(`Sync ${label}`).focus();
  for (const name of [`Close ${label}`, `Revoke ${label}`]) {
    await app.page.keyboard.press("Tab");
    expect(await focused(name)).toBe(true);
  }
});

it("keeps the focus where the user is, while buttons come and go", async () => {
  await button(`Sync ${label}`).press("Enter");
  await status("Everything was saved already");
  expect(await focused(`Sync ${label}`)).toBe(true);

  await button(`Close ${label}`).press("Enter");
  await status("Closed.");
  expect(await focused(`Open again ${label}`)).toBe(true);

  await button(`Open again ${label}`).press("Enter");
  await status("is open again");
  expect(await focused(`Sync ${label}`)).toBe(true);

  await button(`Revoke ${label}`).press("Enter");
  await status("was given back");
  expect(await focused("Open a folder…")).toBe(true);
  const width = (element: Element) => element.getBoundingClientRect().width;
  expect(await button("Open a folder…").evaluate(width)).toBeLessThan(await app.page.locator("mountfs-panel").evaluate(width) / 2);
});

it("says of which folder it speaks when there are several", async () => {
  await app.mount("/local", temporary("one"));
  await app.mount("/other", temporary("two"));
  const names = await app.page.evaluate(async () => (await fs.mounted()).map(({ label }) => label));
  await app.python("open('/other/a.txt', 'w').write('x')");
  await button(`Sync ${names[1]}`).click();
  await status(`${names[1]}: Saved 1 file`);
});

it("keeps its style when the page puts it into another window", async () => {
  const styled = await app.page.evaluate(() => {
    const panel = document.querySelector("mountfs-panel")!;
    const frame = document.body.appendChild(document.createElement("iframe"));
    frame.contentDocument!.body.append(panel);
    return frame.contentWindow!.getComputedStyle(panel.shadowRoot!.querySelector("li")!).borderRadius;
  });
  expect(styled).toBe("12px");
});
