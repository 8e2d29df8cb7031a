// A kept grant outlives a browser that is killed, whatever the page writes to its databases.
import { appendFileSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { AppPage, type InPage } from "./app-page.js";
import { cleanUp } from "./browser.js";
import { folderOf } from "./disk.js";

declare const window: InPage & Window & { counted: string[] };

let app: AppPage;
let folder: string;
beforeAll(async () => {
  app = await AppPage.start();
  folder = folderOf({ "a.txt": "text" });
  await app.mount("/local", folder);
});
afterAll(async () => {
  await app?.stop();
  cleanUp();
});

const mount = () => app.page.evaluate(() => window.outcome(window.fs.mount("/local")));

it("mounting it writes to no database, nor does what the app writes then", async () => {
  await app.open();
  await app.page.evaluate(() => {
    window.counted = [];
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (stores, mode = "readonly", options) {
      window.counted.push(mode);
      return transaction.call(this, stores, mode, options);
    };
  });
  expect(await mount()).toMatchObject({ path: "/local" });
  await app.python(`open("/local/a.txt", "w").write("other")`);
  expect(await app.sync("/local")).toMatchObject({ failures: [] });
  expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("other");
  const counted = await app.page.evaluate(() => window.counted);
  expect(counted).toContain("readonly");
  expect(counted).not.toContain("readwrite");
});

it("is told of, taken back and given anew after the browser collected its garbage", async () => {
  const devtools = await app.page.context().newCDPSession(app.page);
  // A second time for what the first one only let go of.
  for (const _ of [1, 2]) await devtools.send("HeapProfiler.collectGarbage");
  expect(await app.page.evaluate(() => window.fs.kept())).toMatchObject([{ path: "/local" }]);
  expect(await app.page.evaluate(() => window.fs.revoke("/local"))).toBe(true);
  await app.mount("/local", folder);
});

/** Makes all that this page writes to a database wait for another write, as on a slow disk. */
const slow = () =>
  app.page.evaluate(() => {
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (stores, mode, options) {
      if (mode === "readwrite") {
        const store = transaction.call(this, stores, mode).objectStore("grants");
        const until = performance.now() + 1500;
        const goOn = () => void (performance.now() < until && (store.count().onsuccess = goOn));
        goOn();
      }
      return transaction.call(this, stores, mode, options);
    };
  });

it("is there although the page is closed once the first run in it ended", async () => {
  await app.reset();
  await slow();
  await app.mount("/local", folder);
  await app.page.evaluate(() => window.run(`open("/local/a.txt").read()`));
  await app.open();
  expect(await mount()).toMatchObject({ path: "/local" });
});

it("is there although the page is closed once the folder that its user chose is mounted", async () => {
  await app.reset();
  await app.choose(folder);
  await slow();
  expect(await mount()).toMatchObject({ path: "/local" });
  await app.open();
  expect(await mount()).toMatchObject({ path: "/local" });
});

/** Writes to a database of the page's own. */
const write = () =>
  app.page.evaluate(async () => {
    const done = (request: IDBOpenDBRequest | IDBTransaction) =>
      new Promise((resolve, reject) => {
        Object.assign(request, { onsuccess: resolve, oncomplete: resolve, onerror: reject });
      });
    const opening = indexedDB.open("own");
    opening.onupgradeneeded = () => opening.result.createObjectStore("own");
    await done(opening);
    const writing = opening.result.transaction("own", "readwrite");
    const found = writing.objectStore("own").get("key");
    writing.objectStore("own").put("x".repeat(1000), "key");
    await done(writing);
    opening.result.close();
    return found.result as unknown;
  });

it("is there when the page's own databases are lost because the browser died while it wrote to one", async () => {
  await write();
  await app.kill();
  const logs = globSync(join(app.profile, "Default/IndexedDB/*/*.log"));
  expect(logs).toHaveLength(1);
  // The head of a record, and nothing of it: Chromium writes them one after the other.
  appendFileSync(logs[0]!, Uint8Array.of(1, 2, 3, 4, 100, 0, 1));
  await app.startAgain();
  await write();
  await app.kill();
  await app.startAgain();
  expect(await write(), "the page's own database, as Chromium deals with it").toBeUndefined();
  expect(await mount()).toMatchObject({ path: "/local" });
});
