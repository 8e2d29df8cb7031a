// A file of the time 0, as reproducible archives and some package managers make them: Chromium has no time to tell of it.
import { readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Browser, type Folder } from "./fixture.js";

let browser: Browser;
let folder: Folder;
const at = (name: string) => join(folder.path, name);

beforeAll(async () => void (browser = await Browser.start()), 60_000);
afterAll(() => browser?.stop());
beforeEach(async () => {
  folder = await browser.folder("local");
  writeFileSync(at("old.txt"), "old");
  utimesSync(at("old.txt"), 0, 0);
  await folder.run(({ Guest, handle, kept }) => void (kept.guest = new Guest(handle)));
});

const write = () =>
  folder.run(async ({ kept, sleep }) => {
    const file = await kept.guest.writing("old.txt");
    await sleep(50);
    await file.write(new TextEncoder().encode("new"), 3n);
    file[Symbol.dispose]();
  });
const sync = () => folder.run(({ kept }) => kept.guest.sync());

test("has that time", async () => {
  const times = await folder.run(async ({ kept }) => (await kept.guest.stat("old.txt")).dataModificationTimestamp);
  expect(times).toEqual({ seconds: 0n, nanoseconds: 0 });
});

test("is not taken for one that another program changed", async () => {
  await write();
  expect(await sync()).toMatchObject({ files: 1n, conflicts: [], failures: [] });
  expect(readdirSync(folder.path)).toEqual(["old.txt"]);
  expect(readFileSync(at("old.txt"), "utf8")).toBe("oldnew");
});

test("is taken for one when it was", async () => {
  await write();
  writeFileSync(at("old.txt"), "theirs");
  expect(await sync()).toMatchObject({ files: 1n, conflicts: [{ path: "old.txt" }], failures: [] });
  const texts = readdirSync(folder.path).map((name) => readFileSync(at(name), "utf8"));
  expect(texts.sort()).toEqual(["oldnew", "theirs"]);
});
