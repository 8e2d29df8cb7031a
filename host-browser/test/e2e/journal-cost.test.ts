// What the journal costs, as figures: of each write, beside the same without a journal, and of the recovery of many files.
// `JOURNAL_ROUNDS` says how often a batch of writes is measured, `JOURNAL_FILES` how many files are recovered.
import { afterAll, beforeAll, expect, it } from "vitest";
import { AppPage, type InPage } from "./app-page.js";
import { cleanUp } from "./browser.js";
import { folderOf, onDisk } from "./disk.js";

declare const window: InPage & Window;

const ROUNDS = Number(process.env["JOURNAL_ROUNDS"] ?? 1);
const FILES = Number(process.env["JOURNAL_FILES"] ?? 200);

let app: AppPage;
beforeAll(async () => void (app = await AppPage.start()));
afterAll(async () => {
  await app?.stop();
  cleanUp();
});

/** The middle one, and the least and the most. */
function spread(values: number[], digits = 0): string {
  const sorted = values.toSorted((a, b) => a - b);
  const [least, middle, most] = [0, sorted.length >> 1, sorted.length - 1].map((at) => sorted[at]!.toFixed(digits));
  return `${middle} (${least} to ${most})`;
}

it("a write with the journal and without one", async () => {
  await app.mount("/with", folderOf());
  // Without a lock there is no journal.
  await app.page.workers()[0]!.evaluate(() => {
    navigator.locks.request = () => Promise.reject(new Error("no locks"));
  });
  await app.mount("/without", folderOf());
  const journaled = await app.page.evaluate(async () => (await window.fs.mounted()).map(({ journaled }) => journaled));
  expect(journaled).toEqual([true, false]);
  const kinds = [
    { size: 4096, count: 200, buffering: 0, name: "4 KiB" },
    { size: 4096, count: 2000, buffering: -1, name: "4 KiB, which Python buffers" },
    { size: 1 << 20, count: 8, buffering: 0, name: "1 MiB" },
  ];
  for (const { size, count, buffering, name } of kinds) {
    const batch = (path: string) => `
      from time import perf_counter
      data = bytes(${size})
      with open("${path}/a", "wb", buffering=${buffering}) as file:
          before = perf_counter()
          for _ in range(${count}):
              file.write(data)
          print((perf_counter() - before) / ${count} * 1e6)`;
    const micros: Record<string, number[]> = { "/with": [], "/without": [] };
    for (let round = 0; round <= ROUNDS; round++) {
      for (const path of round % 2 ? ["/with", "/without"] : ["/without", "/with"]) {
        const took = Number(await app.python(batch(path)));
        // The first of each is for warming up.
        if (round > 0) micros[path]!.push(took);
        expect(await app.sync(path)).toMatchObject({ bytes: BigInt(size * count), failures: [] });
      }
    }
    const ratios = micros["/with"]!.map((took, round) => took / micros["/without"]![round]!);
    const [withIt, without] = [micros["/with"]!, micros["/without"]!].map((took) => spread(took));
    console.log(`a write of ${name}: ${withIt} µs with the journal, ${without} without: ${spread(ratios, 2)} times`);
  }
  await app.reset();
}, 600_000);

it(`recovery of ${FILES} files of 1 KiB`, async () => {
  const folder = folderOf();
  await app.mount("/local", folder);
  // A disk that does not answer: nothing is pushed.
  await app.page.workers()[0]!.evaluate(() => {
    FileSystemFileHandle.prototype.createWritable = () => new Promise(() => {});
  });
  const write = `
    import os
    for number in range(${FILES}):
        os.makedirs(f"/local/{number % 100}", exist_ok=True)
        with open(f"/local/{number % 100}/{number}", "wb") as file:
            file.write(b"%08d" % number * 128)`;
  await app.python(write);
  await app.page.close();
  app.page = await app.browser.newPage();
  await app.open();
  const { found, times } = await app.page.evaluate(async () => {
    const begun = performance.now();
    const times: Record<string, number> = {};
    const now = (what: string) => (times[what] ??= performance.now() - begun);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    window.fs.addEventListener("change", ({ change }) => change.what === "recoverable" && resolve(change));
    window.fs.addEventListener("progress", () => now("replayed"));
    await window.fs.mount("/local");
    now("mounted");
    const found = await promise;
    now("found");
    const { failures } = await window.fs.recover("/local");
    now("pushed");
    return { found: { ...(found as object), failures }, times };
  });
  expect(found).toMatchObject({ files: FILES, bytes: FILES * 1024, failures: [] });
  const all = Array.from({ length: FILES }, (_, number) => String(number).padStart(8, "0").repeat(128));
  expect(onDisk(folder)).toEqual(Object.fromEntries(all.map((text, number) => [`${number % 100}/${number}`, text])));
  const after = (what: string, before: string) => `${(times[what]! - (times[before] ?? 0)).toFixed(0)} ms`;
  console.log(
    `${FILES} files: mounted after ${after("mounted", "")}, found ${after("found", "mounted")} later, ` +
      `replayed and the first pushed after ${after("replayed", "found")}, all pushed after ${after("pushed", "replayed")} more`,
  );
  await app.reset();
}, 600_000);
