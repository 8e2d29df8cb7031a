// Large folders and large files, through the page: what is not asked for is not read. Counted are the calls of the
// browser's files that the worker and the page make, and the bytes that they read.
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { AppPage, type InPage } from "./app-page.js";
import { cleanUp } from "./browser.js";
import { type Files, folderOf, onDisk, sparse } from "./disk.js";

declare const window: InPage & Window;

/** Calls by their names, and `bytes` for what was read. */
type Calls = Record<string, number>;

let app: AppPage;
beforeAll(async () => void (app = await AppPage.start()));
// Not `reset`, which syncs: see the last test.
afterEach(() => app.open());
afterAll(async () => {
  await app?.stop();
  cleanUp();
});

/** Counts from here on, in the page and in its worker; answers how to look. */
async function count(): Promise<() => Promise<{ page: Calls; worker: Calls }>> {
  const { page } = app;
  const [worker] = page.workers();
  await Promise.all([page.evaluate(patch), worker!.evaluate(patch)]);
  const calls = () => (globalThis as unknown as { calls: Calls }).calls;
  return async () => ({ page: await page.evaluate(calls), worker: await worker!.evaluate(calls) });
}

/** Wraps each method of the browser's files. The page's code looks them up when it calls them. */
function patch(): void {
  const calls: Calls = {};
  Object.assign(globalThis, { calls });
  const tell = (name: string, by = 1) => (calls[name] = (calls[name] ?? 0) + by);
  for (const type of [FileSystemHandle, FileSystemFileHandle, FileSystemDirectoryHandle]) {
    const prototype = type.prototype as unknown as Record<string, unknown>;
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (name === "constructor" || typeof value !== "function") continue;
      prototype[name] = function (this: unknown, ...args: unknown[]) {
        tell(name);
        return value.apply(this, args);
      };
    }
  }
  const { arrayBuffer } = Blob.prototype;
  Blob.prototype.arrayBuffer = function () {
    tell("bytes", this.size);
    return arrayBuffer.call(this);
  };
  for (const name of ["text", "bytes", "stream"] as const) {
    Object.defineProperty(Blob.prototype, name, { value: () => Promise.reject(new Error(`${name} is not counted`)) });
  }
}

it("10,000 files in 200 directories: mounting reads none of them, and all are found", async () => {
  const files: Files = {};
  for (let number = 0; number < 10_000; number++) {
    files[`d${number % 200}/f${number}`] = "x".repeat(number % 100);
  }
  const folder = folderOf(files);
  await app.drop(folder);
  const calls = await count();
  await app.mount("/local", folder);
  const { page, worker } = await calls();
  // What its journal takes, however many files there are.
  expect(worker).toEqual({ getDirectoryHandle: 1, keys: 1, getFileHandle: 3, createSyncAccessHandle: 3 });
  // Whether it may be used, and which folder it is: nothing is asked of the folder itself.
  const harmless = ["queryPermission", "resolve", "isSameEntry"];
  expect(Object.keys(page).filter((name) => !harmless.includes(name))).toEqual([]);

  const seen = await app.python(`
    import os
    found, size, directories = 0, 0, 0
    for path, inner, names in os.walk("/local"):
        directories += len(inner)
        for name in names:
            found += 1
            size += os.stat(f"{path}/{name}").st_size
    print(found, size, directories)
  `);
  expect(seen).toBe("10000 495000 200");
  expect((await calls()).worker).not.toHaveProperty("bytes");
});

it("a file of 5 GiB: it opens, is read in its middle and appended to, and only what is asked for is read", async () => {
  const size = 5 * 1024 ** 3;
  const folder = folderOf({ "small.txt": "small" });
  sparse(join(folder, "huge"), size, "middle", size / 2);
  await app.drop(folder);
  const calls = await count();
  await app.mount("/local", folder);
  const seen = await app.python(`
    import os
    huge = open("/local/huge", "r+b")
    huge.seek(${size / 2})
    print(huge.read(6))
    huge.seek(0, os.SEEK_END)
    huge.write(b"the end")
    huge.flush()
    huge.seek(-10, os.SEEK_END)
    print(huge.read(), os.stat("/local/huge").st_size - ${size})
  `);
  expect(seen).toBe(String.raw`b'middle'` + "\n" + String.raw`b'\x00\x00\x00the end' 7`);
  const { worker } = await calls();
  expect(worker["bytes"]).toBeGreaterThan(0);
  expect(worker["bytes"]).toBeLessThan(1 << 20);
  expect(worker).not.toHaveProperty("createWritable");
  const mounted = await app.page.evaluate(() => window.fs.mounted());
  expect(mounted).toMatchObject([{ unsynced: { files: 1n, bytes: 7n } }]);
  // Pushing it copies the file, which takes longer than a test should; the tests of the tree do it, on a file like this.
  expect(onDisk(folder)).toEqual({ huge: `<${size}>`, "small.txt": "small" });
});
