// Swap files that a browser left beside the files it wrote: they get in nobody's way.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Browser } from "./fixture.js";

let browser: Browser;
beforeAll(async () => void (browser = await Browser.start()), 60_000);
afterAll(() => browser?.stop());

test("a file of which a hundred swap files were left is written; the one that a user may have named stays", async () => {
  const folder = await browser.folder("local");
  await folder.write("a.txt", "old");
  await folder.write("a.txt.crswap", "mine");
  for (let number = 1; number < 100; number++) await folder.write(`a.txt.${number}.crswap`, "left");
  const refused = await folder.run(async ({ handle, provoked }) =>
    provoked(async () => (await handle.getFileHandle("a.txt")).createWritable()),
  );
  expect(refused.exception).toBe("AbortError");
  const report = await folder.run(async ({ Guest, handle }) => {
    const guest = new Guest(handle);
    await guest.write("a.txt", "new");
    return guest.sync();
  });
  expect(report).toMatchObject({ files: 1n, failures: [], conflicts: [] });
  expect(await folder.read("a.txt")).toBe("new");
  expect(await folder.names()).toEqual(["a.txt", "a.txt.crswap"]);
  expect(await folder.read("a.txt.crswap")).toBe("mine");
});
