// While Python waits in its own mount dialog, the user does other things with other folders: nothing waits for it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { AppPage, type InPage } from "./app-page.js";
import { cleanUp, drop, temporary } from "./browser.js";

declare const fs: InPage["fs"];
declare const outcome: InPage["outcome"];

let app: AppPage;
let folder: string;
let mounting: Promise<string>;

beforeAll(async () => {
  app = await AppPage.start();
  await app.page.addInitScript(() => {
    // As when Python asks a while after the last click: then the dialog comes first.
    Object.defineProperty(navigator, "userActivation", { value: { isActive: false } });
  });
});

afterAll(async () => {
  await app?.stop();
  cleanUp();
});

/** Python has a folder at `/a`, with something open and unsynced in it, and asks for another one at `/b`. */
beforeEach(async () => {
  await app.reset();
  folder = temporary("first");
  await app.mount("/a", folder);
  await app.python(`
    import os
    from mountfs import fs
    f = open("/a/open.txt", "w")
    f.write("written")
    f.flush()`);
  mounting = app.python("await fs.mount('/b')").catch(String);
  await app.page.locator("mountfs-dialog dialog").waitFor();
});

const press = (verb: string) => app.page.locator(`mountfs-panel button[data-verb=${verb}]:visible`).click();
const panelSays = (text: string) => app.page.locator("mountfs-panel .status", { hasText: text }).waitFor();
const written = () => readFileSync(join(folder, "open.txt"), "utf8");

it("lists and syncs", async () => {
  expect(await app.page.evaluate(() => fs.mounted())).toMatchObject([{ path: "/a", unsynced: { files: 1n, bytes: 7n } }]);
  await press("sync");
  await panelSays("Saved 1 file");
  expect(written()).toBe("written");

  await app.page.locator("mountfs-dialog #close").click();
  expect(await mounting).toContain("no folder was chosen");
  // It is the same mount as before.
  expect(await app.python("f.write(' on'); f.close(); print(open('/a/open.txt').read(), os.listdir('/'))")).toBe("written on ['a']");
});

it("revokes: what is open in that folder is cut off, and Python finds it gone", async () => {
  await press("revoke");
  await panelSays("given back");
  expect(written()).toBe("written");
  expect(await app.page.evaluate(async () => [await fs.mounted(), await fs.kept()])).toEqual([[], []]);

  const second = temporary("second");
  await drop(app.page, second, "mountfs-dialog dialog");
  expect(await mounting).toBe("");
  expect(await app.python("f.write('more'); print(refused(f.flush), refused(os.listdir, '/a'), os.listdir('/'))")).toMatch(/^E(NODEV|IO) ENOENT \['b'\]$/);
  expect(await app.page.evaluate(() => fs.mounted())).toMatchObject([{ path: "/b" }]);
  expect(written()).toBe("written");
});

it("forgets a folder that is kept and not mounted", async () => {
  await app.page.locator("mountfs-dialog #no").click();
  await mounting;
  await app.page.evaluate(() => fs.unmount("/a"));
  mounting = app.python("await fs.mount('/b')").catch(String);
  await app.page.locator("mountfs-dialog dialog").waitFor();

  await press("revoke");
  await panelSays("given back");
  expect(await app.page.evaluate(() => fs.kept())).toEqual([]);
  await app.page.locator("mountfs-dialog #no").click();
  expect(await mounting).toContain("did not allow it");
});

it("takes the question back when what it asks for is revoked", async () => {
  expect(await app.page.evaluate(() => fs.revoke("/b", "pyscript"))).toBe(true);
  expect(await mounting).toContain("did not allow it");
  expect(await app.page.locator("mountfs-dialog").count()).toBe(0);
  expect(await app.page.evaluate(async () => (await fs.kept()).map(({ path }) => path))).toEqual(["/a"]);
  expect(await app.python("print(os.listdir('/'))")).toBe("['a']");
});

it("takes the question back when Python is stopped", async () => {
  await app.page.evaluate(() => fs.stop());
  expect(await app.page.locator("mountfs-dialog").count()).toBe(0);
  expect(await app.page.evaluate(() => fs.mounted())).toMatchObject([{ path: "/a" }]);
});

it("lets Python go on while it is the page that asks", async () => {
  await app.page.locator("mountfs-dialog #no").click();
  await mounting;
  const call = app.page.evaluate(() => outcome(fs.mount("/b", { id: "pages" })));
  await app.page.locator("mountfs-dialog dialog").waitFor();
  expect(await app.python("open('/a/b.txt', 'w').write('x'); print(sorted(os.listdir('/a')))")).toBe("['b.txt', 'open.txt']");
  expect(await app.page.evaluate(() => outcome(fs.mount("/b")))).toMatchObject({ code: "busy" });
  await drop(app.page, temporary("second"), "mountfs-dialog dialog");
  expect(await call).toMatchObject({ path: "/b", id: "pages" });
  expect(await app.python("open('/b/b.txt', 'w').write('x'); print(os.listdir('/b'))")).toBe("['b.txt']");
});

it("gives the focus back", async () => {
  await app.page.locator("mountfs-dialog #no").click();
  await mounting;
  await app.page.locator("mountfs-panel button[data-verb=sync]").focus();
  const call = app.page.evaluate(() => outcome(fs.mount("/b")));
  await app.page.locator("mountfs-dialog #yes:focus").waitFor();
  await app.page.keyboard.press("Escape");
  expect(await call).toMatchObject({ code: "cancelled" });
  expect(await app.page.evaluate(() => document.activeElement?.localName)).toBe("mountfs-panel");
});

it("is modal above a modal dialog of the page, which would make it inert", async () => {
  await app.page.locator("mountfs-dialog #no").click();
  await mounting;
  await app.page.evaluate(() => {
    const modal = document.body.appendChild(document.createElement("dialog"));
    modal.append("The page's own.");
    modal.showModal();
  });
  const call = app.page.evaluate(() => outcome(fs.mount("/b")));
  await app.page.locator("mountfs-dialog #no").click();
  expect(await call).toMatchObject({ code: "denied" });
});
