// Another program puts a link to a folder with a secret in the place of a directory, between any two calls of the guest.
// To the browser a handle is a path, which leads through such a link: nothing of what is there may be seen or changed.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Browser, type Folder } from "./fixture.js";
import type { Kit } from "./guest.js";

let browser: Browser;
beforeAll(async () => void (browser = await Browser.start()), 60_000);
afterAll(() => browser?.stop(), 60_000);

type Guest = Kit["kept"]["guest"];
type Held = { deep: Descriptor; file: Descriptor; fresh: Descriptor };
type Descriptor = Kit["kept"]["file"];

/** What a guest tries then; `deep` is the directory `d/e`, `file` is `d/e/a`, both opened before. */
const CALLS: [what: string, call: (guest: Guest, held: Held) => unknown][] = [
  ["reads a file", (guest) => guest.read("d/e/a")],
  ["reads a file that was not there", (guest) => guest.read("d/e/key")],
  ["reads through a directory that is open", async (_, { deep }) => (await deep.openAt({}, "key", {}, { read: true })).read(99n, 0n)],
  ["reads a file that is open", (_, { file }) => file.read(99n, 0n)],
  ["reads on in a file that is open", (_, { file }) => file.readViaStream(0n).read(99n)],
  ["reads what it did not read before, of a file that is open", (_, { fresh }) => fresh.read(99n, 0n)],
  ["lists", (guest) => guest.list("d/e")],
  ["lists a directory that is open", async (_, { deep }) => {
    const [names, listing] = [[] as string[], await deep.readDirectory()];
    for (let entry = listing.readDirectoryEntry(); entry; entry = listing.readDirectoryEntry()) names.push(entry.name);
    return names;
  }],
  ["asks for attributes", async (guest) => String((await guest.stat("d/e/key")).size)],
  ["asks a directory that is open for attributes", async (_, { deep }) => String((await deep.statAt({}, "key")).size)],
  ["writes a file", (guest) => guest.write("d/e/key", "mine")],
  ["writes to a file that was there", (guest) => guest.append("d/e/a", "mine")],
  ["writes to a file that is open", (_, { file }) => file.write(new Uint8Array([33]), 0n)],
  ["makes a file", (_, { deep }) => deep.openAt({}, "new", { create: true, exclusive: true }, { write: true })],
  ["makes a directory", (guest) => guest.mkdir("d/e/new")],
  ["removes a file", (guest) => guest.unlink("d/e/key")],
  ["removes a file through a directory that is open", (_, { deep }) => deep.unlinkFileAt("key")],
  ["removes a directory", (guest) => guest.rmdir("d/e/hollow")],
  ["takes a file out", (guest) => guest.rename("d/e/key", "stolen")],
  ["takes a file out through a directory that is open", (guest, { deep }) => deep.renameAt("key", guest.root, "stolen")],
  ["puts a file there", (guest) => guest.rename("top", "d/e/key")],
  ["takes the directory", (guest) => guest.rename("d/e", "stolen")],
  ["takes the directory above", (guest) => guest.rename("d", "stolen")],
];

async function prepared(): Promise<{ folder: Folder; vault: string }> {
  const folder = await browser.folder("local");
  await folder.write("d/e/a", "text");
  await folder.write("d/e/fresh", "text");
  await folder.write("top", "top");
  const vault = `${folder.path}-vault`;
  mkdirSync(join(vault, "e/hollow"), { recursive: true });
  writeFileSync(join(vault, "e/key"), "SECRET");
  writeFileSync(join(vault, "e/a"), "SECRET");
  writeFileSync(join(vault, "e/fresh"), "SECRET");
  return { folder, vault };
}

describe.each([
  ["the directory", "d/e", "e"],
  ["the directory above it", "d", ""],
  ["a file in it", "d/e/a", "e/a"],
])("a link takes the place of %s, and the guest", (_, place, target) => {
  for (const [what, call] of CALLS) {
    test(what, async () => {
      const { folder, vault } = await prepared();
      await folder.run(async ({ Guest, handle, kept }) => {
        const guest = (kept.guest = new Guest(handle));
        // All that can be known and believed before, is.
        await guest.list("d/e");
        await guest.stat("d/e/a");
        const held = { deep: await guest.open("d/e"), file: await guest.writing("d/e/a"), fresh: await guest.open("d/e/fresh") };
        await held.file.read(99n, 0n);
        Object.assign(kept, { held });
      });
      renameSync(join(folder.path, place), join(folder.path, "away"));
      symlinkSync(join(vault, target), join(folder.path, place));
      const seen = await folder.run(async ({ kept, text }, source) => {
        const call = (0, eval)(source) as (guest: unknown, held: unknown) => unknown;
        const { held } = kept as unknown as { held: unknown };
        const show = (value: unknown): string =>
          value instanceof Uint8Array ? text(value) : Array.isArray(value) ? value.map(show).join() : String(value);
        let answer;
        try {
          answer = show(await call(kept.guest, held));
        } catch (error) {
          answer = `! ${String((error as { tag?: string }).tag ?? error)}`;
        }
        const { failures } = await kept.guest.sync();
        return { answer, failures: failures.map(({ path }) => path) };
      }, call.toString());
      expect(seen.answer).not.toMatch(/SECRET|key|hollow|^6$/);
      expect(readdirSync(join(vault, "e")).sort()).toEqual(["a", "fresh", "hollow", "key"]);
      expect(["a", "fresh", "key"].map((name) => readFileSync(join(vault, "e", name), "utf8"))).toEqual(Array(3).fill("SECRET"));
      // Wherever it would have come to.
      const copies = spawnSync("grep", ["-r", "SECRET", "."], { cwd: folder.path, encoding: "utf8" }).stdout;
      expect(copies).toBe("");
    });
  }
});
