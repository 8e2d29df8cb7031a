// Read-only is the host's: a guest that talks to its `wasi:filesystem` directly, not through the component, changes
// nothing in a folder that it was only allowed to read.
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Browser } from "./fixture.js";
import type { Kit } from "./guest.js";

let browser: Browser;
beforeAll(async () => void (browser = await Browser.start()), 60_000);
afterAll(() => browser?.stop(), 60_000);

/** Those that change nothing. All others have to be in the table. */
const HARMLESS = [
  "constructor", "readViaStream", "advise", "syncData", "getFlags", "getType", "read", "readDirectory", "sync", "stat",
  "statAt", "readlinkAt", "isSameObject", "metadataHash", "metadataHashAt",
];

type Guest = Kit["kept"]["guest"];
type File = Kit["kept"]["file"];

/** Each way to change something, by the method that it is of. */
const CHANGES: [method: string, what: string, call: (guest: Guest, file: File, writable: Guest) => unknown][] = [
  ["openAt", "to write", ({ root }) => root.openAt({}, "a", {}, { write: true })],
  ["openAt", "to read and write", ({ root }) => root.openAt({}, "a", {}, { read: true, write: true })],
  ["openAt", "to create", ({ root }) => root.openAt({}, "new", { create: true }, { read: true })],
  ["openAt", "to create what is there", ({ root }) => root.openAt({}, "a", { create: true }, { read: true })],
  ["openAt", "to create alone", ({ root }) => root.openAt({}, "new", { create: true, exclusive: true }, { read: true })],
  ["openAt", "GHSA-2r75-cxrj-cmph: to truncate", ({ root }) => root.openAt({}, "a", { truncate: true }, { read: true })],
  ["openAt", "GHSA-2r75-cxrj-cmph: to truncate without any right", ({ root }) => root.openAt({}, "a", { truncate: true }, {})],
  ["openAt", "to truncate a directory", ({ root }) => root.openAt({}, "d", { truncate: true, directory: true }, { read: true })],
  ["openAt", "to change a directory", ({ root }) => root.openAt({}, "d", { directory: true }, { read: true, mutateDirectory: true })],
  ["write", "bytes", (_, file) => file.write(new Uint8Array([1]), 0n)],
  ["write", "no bytes", (_, file) => file.write(new Uint8Array(), 0n)],
  ["setSize", "smaller", (_, file) => file.setSize(0n)],
  ["setSize", "larger", (_, file) => file.setSize(1n << 20n)],
  ["writeViaStream", "from the start", (_, file) => file.writeViaStream(0n)],
  ["writeViaStream", "from far away", (_, file) => file.writeViaStream(1n << 40n)],
  ["appendViaStream", "at the end", (_, file) => file.appendViaStream()],
  ["setTimes", "of a file", (_, file) => file.setTimes({ tag: "now" }, { tag: "now" })],
  ["setTimes", "of no time", (_, file) => file.setTimes({ tag: "no-change" }, { tag: "no-change" })],
  ["setTimes", "of the folder", ({ root }) => root.setTimes({ tag: "now" }, { tag: "now" })],
  ["setTimesAt", "of a file", ({ root }) => root.setTimesAt({}, "a", { tag: "now" }, { tag: "now" })],
  ["setTimesAt", "of a directory", ({ root }) => root.setTimesAt({}, "d", { tag: "now" }, { tag: "now" })],
  ["createDirectoryAt", "new", ({ root }) => root.createDirectoryAt("new")],
  ["createDirectoryAt", "below", ({ root }) => root.createDirectoryAt("d/new")],
  ["removeDirectoryAt", "empty", ({ root }) => root.removeDirectoryAt("d/empty")],
  ["unlinkFileAt", "a file", ({ root }) => root.unlinkFileAt("a")],
  ["renameAt", "a file", ({ root }) => root.renameAt("a", root, "b")],
  ["renameAt", "over a file", ({ root }) => root.renameAt("a", root, "d/c")],
  ["renameAt", "a directory", ({ root }) => root.renameAt("d", root, "e")],
  ["renameAt", "to its own name", ({ root }) => root.renameAt("a", root, "a")],
  ["renameAt", "GHSA-4ch3-9j33-3pmj: into a folder that may be changed", ({ root }, _, writable) => root.renameAt("a", writable.root, "stolen")],
  ["linkAt", "a file", ({ root }) => root.linkAt({}, "a", root, "b")],
  ["linkAt", "GHSA-4ch3-9j33-3pmj: into a folder that may be changed", ({ root }, _, writable) => root.linkAt({}, "a", writable.root, "b")],
  ["symlinkAt", "a link", ({ root }) => root.symlinkAt("a", "b")],
];

/** Names, bytes, sizes and times. */
function all(folder: string): unknown[] {
  return (readdirSync(folder, { recursive: true }) as string[]).sort().map((name) => {
    const { size, mtimeMs, mode } = lstatSync(join(folder, name));
    return [name, size, mtimeMs, mode, lstatSync(join(folder, name)).isFile() && readFileSync(join(folder, name), "utf8")];
  });
}

describe("on a read-only grant, called directly", () => {
  for (const [method, what, call] of CHANGES) {
    test(`${method} is refused: ${what}`, async () => {
      const folder = await browser.folder("local");
      await folder.write("a", "text");
      await folder.write("d/c", "other");
      await folder.write("d/empty/x", "");
      await folder.remove("d/empty/x");
      const before = all(folder.path);
      const seen = await folder.run(
        async ({ Guest, handle, thrown }, source) => {
          const guest = new Guest(handle, "read");
          // The same folder, that this guest may write to elsewhere.
          const writable = new Guest(handle);
          const file = await guest.open("a");
          await guest.list("d");
          const call = (0, eval)(source) as (guest: unknown, file: unknown, writable: unknown) => unknown;
          const code = await thrown(() => call(guest, file, writable));
          return { code, read: await guest.read("a"), unsynced: guest.tree.unsynced(), report: await guest.sync() };
        },
        call.toString(),
      );
      expect(seen.code).toBe("read-only");
      expect(seen).toMatchObject({ read: "text", unsynced: { files: 0, bytes: 0 }, report: { files: 0n, removed: 0n, failures: [] } });
      expect(all(folder.path)).toEqual(before);
    });
  }

  test("every method of a descriptor is harmless, or in the table above", async () => {
    const folder = await browser.folder("local");
    const methods = await folder.run(({ Guest, handle }) => {
      const { root } = new Guest(handle, "read");
      return Object.getOwnPropertyNames(Object.getPrototypeOf(root) as object);
    });
    expect(methods.filter((name) => !HARMLESS.includes(name)).sort()).toEqual([...new Set(CHANGES.map(([method]) => method))].sort());
  });

  test("GHSA-4ch3-9j33-3pmj: nothing is renamed out of a folder that may be changed, into one that may not", async () => {
    const folder = await browser.folder("local");
    await folder.write("a", "text");
    const codes = await folder.run(async ({ Guest, handle, thrown }) => {
      const [guest, writable] = [new Guest(handle, "read"), new Guest(handle)];
      const into = await guest.open(".");
      return [
        await thrown(() => writable.root.renameAt("a", into, "b")),
        await thrown(() => writable.root.linkAt({}, "a", into, "b")),
      ];
    });
    expect(codes).toEqual(["cross-device", "unsupported"]);
    expect(readdirSync(folder.path)).toEqual(["a"]);
  });
});
