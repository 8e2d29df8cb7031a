// What comes while the app is being stopped: it finds the folders as they were, or it is stopped too.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { AppPage, type InPage } from "./app-page.js";
import { cleanUp, temporary } from "./browser.js";
import { onDisk } from "./disk.js";

declare const fs: InPage["fs"];
declare const run: InPage["run"];
declare const outcome: InPage["outcome"];
declare const folders: InPage["folders"];

let app: AppPage;
let folder: string;

beforeAll(async () => {
  app = await AppPage.start();
});

afterAll(async () => {
  await app?.stop();
  cleanUp();
});

beforeEach(async () => {
  await app.reset();
  folder = temporary("folder");
  writeFileSync(join(folder, "a.txt"), "here");
  await app.mount("/local", folder);
});

it("a run finds the folders", async () => {
  const ran = await app.page.evaluate(() => (void fs.stop(), run("print(open('/local/a.txt').read(), end='')")));
  expect(ran).toEqual([0, "here"]);
});

it("a list, a sync and a mount find them too", async () => {
  const found = await app.page.evaluate(() => {
    void fs.stop();
    const paths = fs.mounted().then((mounts) => mounts.map(({ path }) => path));
    return Promise.all([paths, outcome(fs.sync("/local")), outcome(fs.mount("/local"))]);
  });
  expect(found).toMatchObject([["/local"], { failures: [] }, { path: "/local" }]);
});

it("a mount with another folder does not take the place of the one that is there", async () => {
  const other = temporary("other");
  await app.drop(other);
  const refused = await app.page.evaluate((other) => {
    void fs.stop();
    return outcome(fs.mount("/local", { handle: folders[other]! }));
  }, other);
  expect(refused).toMatchObject({ code: "already-mounted" });
  expect(await app.page.evaluate(() => run("open('/local/b.txt', 'w').write('new')"))).toEqual([0, ""]);
  expect([onDisk(folder), onDisk(other)]).toEqual([{ "a.txt": "here", "b.txt": "new" }, {}]);
});

it("another stop loses no folder", async () => {
  const paths = await app.page.evaluate(async () => {
    void fs.stop();
    await fs.stop();
    return (await fs.mounted()).map(({ path }) => path);
  });
  expect(paths).toEqual(["/local"]);
});

it("another stop ends what waits for the first, and so does a stop in the moment that the app is ready", async () => {
  const ended = await app.page.evaluate(async () => {
    void fs.stop();
    const waits = outcome(fs.run([]));
    void fs.stop();
    void fs.ready.then(() => fs.stop());
    return [await waits, await outcome(fs.run([]))];
  });
  expect(ended).toMatchObject([{ code: "cancelled" }, { code: "cancelled" }]);
  expect(await app.page.evaluate(() => run("print(open('/local/a.txt').read(), end='')"))).toEqual([0, "here"]);
});
