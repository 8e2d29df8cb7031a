// A tab that dies loses nothing that was written before: the next one finds it, offers it, and puts it into the folder.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { AppPage, type InPage } from "./app-page.js";
import { cleanUp } from "./browser.js";
import { folderOf, onDisk, put } from "./disk.js";

declare const window: InPage & Window;

const NOTHING = { files: 0n, bytes: 0n, removed: 0n, conflicts: [], failures: [] };
const NONE = { files: 0n, bytes: 0n };

let app: AppPage;
let folder: string;
beforeAll(async () => void (app = await AppPage.start()));
beforeEach(async () => {
  folder = folderOf({ "notes.txt": "one\n", "other.txt": "other" });
  await app.mount("/local", folder);
});
afterEach(() => app.reset());
afterAll(async () => {
  await app?.stop();
  cleanUp();
});

/** Kills the tab's process, and opens the page in another tab. */
async function crash(): Promise<void> {
  const { page } = app;
  const crashed = page.waitForEvent("crash");
  const session = await page.context().newCDPSession(page);
  session.send("Page.crash").catch(() => {});
  await crashed;
  await page.close();
  await reopen();
}

async function reopen(): Promise<void> {
  app.page = await app.browser.newPage();
  await app.open();
}

/** Mounts the folder that is kept, and waits until there is something to recover in it. */
async function mountAgain(access: "read" | "read-write" = "read-write") {
  return await app.page.evaluate(async (access) => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    window.fs.addEventListener("change", ({ change }) => change.what === "recoverable" && resolve(change));
    await window.fs.mount("/local", { access });
    return await promise;
  }, access);
}

const recover = () => app.page.evaluate(() => window.outcome(window.fs.recover("/local")));
const mounted = () => app.page.evaluate(async () => (await window.fs.mounted())[0]!);
const button = (name: string) => app.page.getByRole("button", { name });
const status = (text: string | RegExp) => app.page.getByRole("status").filter({ hasText: text }).waitFor();

/** What is not pushed, because the files stay open. */
const WRITES = `
import os
opened = [open("/local/notes.txt", "a"), open("/local/new.txt", "w"), open("/local/other.txt", "r+b", buffering=0)]
opened[0].write("two\\n"); opened[0].flush()
opened[1].write("new"); opened[1].flush()
opened[2].write(b"O"); opened[2].truncate(3)
os.mkdir("/local/d")
os.rename("/local/new.txt", "/local/d/new.txt")
`;
const WRITTEN = { "notes.txt": "one\ntwo\n", "other.txt": "Oth", "d/new.txt": "new" };

it("a tab that crashes: the panel offers what was not saved, and saves it", async () => {
  await app.python(WRITES);
  await crash();
  expect(onDisk(folder)).toEqual({ "notes.txt": "one\n", "other.txt": "other", "d/new.txt": "" });
  expect(await mountAgain()).toEqual({ what: "recoverable", path: "/local", id: "mountfs", files: 3, bytes: 8 });
  expect(await mounted()).toMatchObject({ recoverable: { files: 3n, bytes: 8n }, unsynced: NONE, journaled: true });
  await app.page.getByText("3 files (8 B) were not saved when a tab closed.").waitFor();
  await button("Recover what was not saved in folder").press("Enter");
  await status("Saved 3 files (8 B)");
  expect(onDisk(folder)).toEqual(WRITTEN);
  expect(await mounted()).toMatchObject({ recoverable: NONE, unsynced: NONE });
  // The button is gone: its user goes on from the next one.
  await button("Sync").and(app.page.locator(":focus")).waitFor();
  expect(await button("Recover").count()).toBe(0);
  // And nothing is left for the next.
  await app.open();
  await app.page.evaluate(() => window.fs.mount("/local"));
  expect(await recover()).toEqual(NOTHING);
});

it("a file that was changed outside meanwhile: both versions are kept, each whole", async () => {
  await app.python(WRITES);
  await crash();
  put(folder, { "notes.txt": "another program's\n" });
  await mountAgain();
  const report = await recover();
  const kept = expect.stringMatching(/^notes \(conflict .*\)\.txt$/);
  expect(report).toMatchObject({ files: 3n, conflicts: [{ path: "notes.txt", kept }], failures: [] });
  const { path, kept: name } = (report as { conflicts: { path: string; kept: string }[] }).conflicts[0]!;
  expect(onDisk(folder)).toEqual({ ...WRITTEN, [path]: "another program's\n", [name]: "one\ntwo\n" });
});

it("a file that the app wrote again meanwhile keeps its name, and the version of the tab that died is kept", async () => {
  await app.python(WRITES);
  await crash();
  await mountAgain();
  await app.python(`later = open("/local/notes.txt", "w"); later.write("later"); later.flush()`);
  const report = await recover();
  expect(report).toMatchObject({ conflicts: [{ path: "notes.txt" }], failures: [] });
  const { kept } = (report as { conflicts: { kept: string }[] }).conflicts[0]!;
  expect(onDisk(folder)).toEqual({ ...WRITTEN, "notes.txt": "later", [kept]: "one\ntwo\n" });
  // What is open stays the file that it is.
  await app.python(`later.write("!"); later.close()`);
  await app.sync("/local");
  expect(readFileSync(join(folder, "notes.txt"), "utf8")).toBe("later!");
});

it("it is offered until it is answered, and discarding it removes it", async () => {
  await app.python(WRITES);
  await crash();
  const before = onDisk(folder);
  await mountAgain();
  await app.open();
  await mountAgain();
  await app.page.evaluate(() => window.fs.unmount("/local"));
  await mountAgain();
  await button("Discard").click();
  await status("What was not saved is gone.");
  expect(await app.page.evaluate(() => window.fs.discard("/local"))).toBe(false);
  await app.open();
  await app.page.evaluate(() => window.fs.mount("/local"));
  expect(await recover()).toEqual(NOTHING);
  expect(onDisk(folder)).toEqual(before);
});

it("a folder that is mounted for reading keeps it, and says why", async () => {
  await app.python(WRITES);
  await crash();
  await mountAgain("read");
  const message = "cannot recover /local: the folder is mounted for reading only; mount it for reading and writing first";
  expect(await recover()).toMatchObject({ code: "other", message });
  await app.page.getByText("Open the folder for writing to recover.").waitFor();
  await app.page.evaluate(() => window.fs.unmount("/local"));
  await mountAgain();
  await recover();
  expect(onDisk(folder)).toEqual(WRITTEN);
});

it("a tab that lives keeps its own, and the other is told when it dies", async () => {
  await app.python(WRITES);
  const first = app.page;
  await reopen();
  await app.page.evaluate(() => window.fs.mount("/local"));
  expect(await recover()).toEqual(NOTHING);
  const told = app.page.evaluate(
    () =>
      new Promise((resolve) => {
        window.fs.addEventListener("change", ({ change }) => change.what === "recoverable" && resolve(change));
      }),
  );
  await first.close({ runBeforeUnload: false });
  expect(await told).toMatchObject({ files: 3, bytes: 8 });
  expect(await recover()).toMatchObject({ files: 3n, failures: [] });
  expect(onDisk(folder)).toEqual(WRITTEN);
});

it("a run that is stopped is as a tab that died", async () => {
  await app.python(WRITES);
  const found = await app.page.evaluate(async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    window.fs.addEventListener("change", ({ change }) => change.what === "recoverable" && resolve(change));
    await window.fs.stop();
    return await promise;
  });
  expect(found).toMatchObject({ files: 3, bytes: 8 });
  expect(await recover()).toMatchObject({ files: 3n, failures: [] });
  expect(onDisk(folder)).toEqual(WRITTEN);
});

it("a browser that is killed during the recovery: the next one recovers the rest, and nothing twice", async () => {
  // A disk that does not answer: nothing is pushed.
  await app.page.workers()[0]!.evaluate(() => {
    FileSystemFileHandle.prototype.createWritable = () => new Promise(() => {});
  });
  await app.python(`
for number in range(100):
    with open(f"/local/{number}", "w") as file:
        file.write(f"text {number}" * 1000)
with open("/local/notes.txt", "a") as file:
    file.write("two\\n")`);
  await crash();
  for (const wanted of [10, 30, 60]) {
    await mountAgain();
    // So many are begun, and no more: however late the kill comes, it comes before the end.
    const begun = app.page.workers()[0]!.evaluate(
      (wanted) =>
        new Promise<void>((resolve) => {
          const { createWritable } = FileSystemFileHandle.prototype;
          let calls = 0;
          FileSystemFileHandle.prototype.createWritable = function (...args) {
            return calls++ < wanted ? createWritable.apply(this, args) : (resolve(), new Promise(() => {}));
          };
        }),
      wanted,
    );
    await app.page.evaluate(() => void window.fs.recover("/local").catch(() => {}));
    await begun;
    await app.kill();
    await app.startAgain();
  }
  await mountAgain();
  expect(await recover()).toMatchObject({ conflicts: [], failures: [] });
  const files = Array.from({ length: 100 }, (_, number) => [String(number), `text ${number}`.repeat(1000)]);
  const found = Object.entries(onDisk(folder)).filter(([path]) => !path.endsWith(".crswap"));
  expect(Object.fromEntries(found)).toEqual({ ...Object.fromEntries(files), "notes.txt": "one\ntwo\n", "other.txt": "other" });
});

it("a folder that was taken back leaves nothing behind", async () => {
  const journals = () =>
    app.page.evaluate(async () => {
      const { storageBuckets } = navigator as never as { storageBuckets: { open(name: string): Promise<StorageManager> } };
      const root = await (await storageBuckets.open("mountfs-journals")).getDirectory();
      const names: string[] = [];
      for await (const name of (await root.getDirectoryHandle("mountfs-journals-1")).keys()) names.push(name);
      return names;
    });
  await app.python(WRITES);
  await crash();
  await mountAgain();
  await app.python(`later = open("/local/later.txt", "w"); later.write("later"); later.flush()`);
  expect(await journals()).not.toEqual([]);
  await app.page.evaluate(() => window.fs.revoke("/local"));
  expect(await journals()).toEqual([]);
  await app.mount("/local", folder);
  expect(await recover()).toEqual(NOTHING);
});
