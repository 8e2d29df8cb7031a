// The journal without a browser: whenever its tab dies, it has the drafts as they were.
import { describe, expect, test, vi } from "vitest";
import { Draft } from "../../src/files/draft.js";
import { DirectoryNode, FileNode, moveNode, setBase } from "../../src/files/node.js";
import { unname } from "../../src/files/remove.js";
import { Volume } from "../../src/files/volume.js";
import { resize, writeAt } from "../../src/files/write.js";
import { Journal } from "../../src/journal/journal.js";
import { entriesOf, Log, type LogEntry, type LogFile } from "../../src/journal/log.js";
import { replay, type Unsaved } from "../../src/journal/replay.js";
import { randomFrom } from "../e2e/random-steps.js";

/** A file in memory, that can hold so much. */
class Memory implements LogFile {
  bytes = new Uint8Array(0);

  constructor(
    public room = Infinity,
    /** Told of what each call leaves. */
    private readonly changed: () => void = () => {},
  ) {}

  write(bytes: Uint8Array, { at }: { at: number }): number {
    const written = bytes.subarray(0, Math.max(0, Math.min(bytes.length, this.room - at)));
    // As the system may: what it had written when the process was killed.
    for (const part of new Set([0, 1, written.length >> 1, written.length])) {
      const whole = new Uint8Array(Math.max(this.bytes.length, at + part));
      whole.set(this.bytes);
      whole.set(written.subarray(0, part), at);
      this.bytes = whole;
      this.changed();
    }
    return written.length;
  }

  truncate(size: number): void {
    const whole = new Uint8Array(size);
    whole.set(this.bytes.subarray(0, size));
    this.bytes = whole;
    this.changed();
  }

  close(): void {}
}

const blobs = (files: Memory[]) => files.map(({ bytes }) => new Blob([bytes]));

async function all(files: Blob[]): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const entry of entriesOf(files)) {
    entries.push("bytes" in entry ? { ...entry, bytes: entry.bytes.slice() } : entry);
  }
  return entries;
}

const ENTRIES: LogEntry[] = [
  { kind: "draft", file: 1, path: "a/ü.txt", size: 5, visible: 3, since: { size: 4, modified: 1_700_000_000_000.5 } },
  { kind: "draft", file: 2, path: "b", size: 0, visible: 0, since: { size: 4, modified: 0 }, replaces: 1 },
  { kind: "bytes", file: 1, start: 2 ** 40, bytes: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9]) },
  { kind: "base", file: 1, bytes: new Uint8Array([7, 7, 7]) },
  { kind: "removing", file: 1, begun: true },
  { kind: "bytes", file: 1, start: 0, bytes: new Uint8Array(0) },
  { kind: "none", file: 1 },
];

describe("the log", () => {
  function written(): { bytes: Uint8Array; ends: number[] } {
    const files: [Memory, Memory] = [new Memory(), new Memory()];
    const log = new Log(files);
    const ends = ENTRIES.map((entry) => (log.append(entry), log.size));
    return { bytes: files[0].bytes, ends };
  }

  test("has what was appended, also in pieces and across what is read at a time", async () => {
    const files: [Memory, Memory] = [new Memory(), new Memory()];
    const log = new Log(files);
    const large = new Uint8Array(5_000_000).map((_, at) => at % 251);
    for (const entry of [...ENTRIES, { kind: "bytes", file: 2, start: 7, bytes: large } as const, ...ENTRIES]) {
      log.append(entry);
    }
    const found = await all(blobs(files));
    expect(found.slice(0, ENTRIES.length)).toEqual(ENTRIES);
    expect(found.slice(-ENTRIES.length)).toEqual(ENTRIES);
    const pieces = found.slice(ENTRIES.length, -ENTRIES.length) as Extract<LogEntry, { kind: "bytes" }>[];
    const joined = new Uint8Array(large.length);
    for (const { start, bytes } of pieces) {
      joined.set(bytes, start - 7);
    }
    expect(Buffer.compare(joined, large)).toBe(0);
    expect(pieces.length).toBeGreaterThan(1);
  });

  test("torn at any byte, it has all that was whole before", async () => {
    const { bytes, ends } = written();
    for (let size = 0; size <= bytes.length; size++) {
      const whole = ends.filter((end) => end <= size).length;
      expect(await all([new Blob([bytes.slice(0, size)]), new Blob([])])).toEqual(ENTRIES.slice(0, whole));
      // As a power cut may leave it: the file has its size, and not its bytes.
      const zeros = new Uint8Array(bytes.length);
      zeros.set(bytes.subarray(0, size));
      const found = await all([new Blob([zeros])]);
      expect(found).toEqual(ENTRIES.slice(0, found.length));
      expect(found.length).toBeGreaterThanOrEqual(whole);
    }
  });

  test("with any bit wrong, it has all before that record, and nothing wrong", async () => {
    const { bytes, ends } = written();
    for (let at = 0; at < bytes.length; at++) {
      const wrong = bytes.slice();
      wrong[at]! ^= 1 << (at % 8);
      const found = await all([new Blob([wrong])]);
      expect(found).toEqual(ENTRIES.slice(0, ends.filter((end) => end <= at).length));
    }
  });

  test("killed at any moment of a rewrite, it has the old records or the new ones", async () => {
    const moments: Blob[][] = [];
    const files: [Memory, Memory] = [0, 1].map(() => new Memory(Infinity, () => moments.push(blobs(files)))) as never;
    const log = new Log(files);
    ENTRIES.forEach((entry) => log.append(entry));
    for (const fresh of [ENTRIES.slice(1, 3), ENTRIES.slice(0, 1), ENTRIES]) {
      const old = await all(blobs(files));
      moments.length = 0;
      log.rewrite(fresh);
      expect(moments.length).toBeGreaterThan(3);
      for (const moment of moments) {
        expect([old, fresh]).toContainEqual(await all(moment));
      }
      expect(await all(blobs(files))).toEqual(fresh);
      log.append(ENTRIES[0]!);
      expect(await all(blobs(files))).toEqual([...fresh, ENTRIES[0]]);
    }
  });

  test("of which an old one could not be emptied, it has nothing of that", async () => {
    const files: [Memory, Memory] = [new Memory(), new Memory()];
    const log = new Log(files);
    ENTRIES.forEach((entry) => log.append(entry));
    vi.spyOn(files[0], "truncate").mockImplementationOnce(() => {
      throw new Error("cannot be cut");
    });
    expect(() => log.rewrite(ENTRIES.slice(0, 1))).toThrow("cannot be cut");
    log.rewrite(ENTRIES.slice(0, 1));
    expect(await all(blobs(files))).toEqual(ENTRIES.slice(0, 1));
  });

  test("that cannot be written is as it was", async () => {
    const files: [Memory, Memory] = [new Memory(), new Memory()];
    const log = new Log(files);
    log.append(ENTRIES[0]!);
    files[0].room = log.size + 20;
    expect(() => log.append(ENTRIES[1]!)).toThrow();
    files[1].room = 30;
    expect(() => log.rewrite(ENTRIES)).toThrow();
    expect(await all(blobs(files))).toEqual([ENTRIES[0]]);
    log.append({ kind: "none", file: 1 });
    expect(await all(blobs(files))).toEqual([ENTRIES[0], { kind: "none", file: 1 }]);
  });
});

/** A folder in use, with a journal of which little may be of no use. */
function inUse(room = Infinity, written: () => void = () => {}) {
  const files: [Memory, Memory] = [new Memory(room, written), new Memory(room, written)];
  const changed = vi.fn();
  const journal = new Journal(new Log(files), changed, 4096);
  const volume = new Volume({} as FileSystemDirectoryHandle, { now: () => 1, parallel: 1 });
  const tally = { files: new Map(), removed: 0, conflicts: [], lost: new Map() };
  volume.users.add({ access: "read-write", base: volume.root, journal, tally, changed: () => {} });
  return { files, journal, volume, changed };
}

/** Drafts by their paths, as they can be compared. */
async function comparable(unsaved: Omit<Unsaved, "removing">[]): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const { path, draft } of unsaved) {
    const { size, visible, since, extents, kept } = draft;
    const bytes: Record<number, string> = {};
    // Where nothing of it shows through, it does not matter.
    // However they are cut into pieces.
    let end = -1;
    let run = -1;
    for (const piece of extents.pieces()) {
      run = piece.start === end ? run : piece.start;
      end = piece.start + piece.bytes.length;
      bytes[run] = (bytes[run] ?? "") + Buffer.from(piece.bytes).toString("hex");
    }
    expect(found).not.toHaveProperty([path]);
    found[path] = { size, visible, since, bytes, kept: visible > 0 && kept && Buffer.from(kept).toString("hex") };
  }
  return found;
}

const draftsOf = (volume: Volume) =>
  comparable([...volume.dirty].map((file) => ({ path: file.path().join("/"), draft: file.draft! })));

async function add(parent: DirectoryNode, name: string, size: number): Promise<FileNode> {
  const file = new FileNode(parent, name);
  parent.children.set(name, file);
  file.opens = 1;
  const base = new File([new Uint8Array(size).fill(name.charCodeAt(0))], name, { lastModified: size });
  setBase(file, base, await Draft.over(base));
  return file;
}

describe("the journal", () => {
  test.each([1, 2, 3, 4, 5])("has the drafts of the volume after each of many random changes (%i)", async (seed) => {
    const random = randomFrom(seed);
    const { files, journal, volume } = inUse();
    const [one, two] = ["one", "two"].map((name) => new DirectoryNode(volume.root, name)) as [DirectoryNode, DirectoryNode];
    const nodes: FileNode[] = [];
    const places = [volume.root, one, two];
    let [number, compactions, last] = [0, 0, 0];
    for (let step = 0; step < 400; step++) {
      if (nodes.length < 6) {
        nodes.push(await add(places[random(3)]!, `f${number++}`, random(3) * 400));
      }
      const file = nodes[random(nodes.length)]!;
      switch (random(10)) {
        case 0:
          resize(volume, file, random(1500));
          break;
        case 1:
          // Renamed, itself or with its directory.
          if (random(2)) {
            moveNode(file, places[random(3)]!, `f${number++}`);
            volume.moved(file);
          } else {
            moveNode(two, random(2) ? one : volume.root, `d${number++}`);
            volume.moved(two);
          }
          break;
        case 2:
          unname(volume, file);
          nodes.splice(nodes.indexOf(file), 1);
          break;
        case 3: {
          // Pushed; perhaps there was more written meanwhile.
          const { draft } = file;
          const pushed = new File([new Uint8Array(draft?.size ?? 0)], file.name, { lastModified: 10_000 + step });
          volume.change(file, () => (random(2) ? (file.draft = undefined) : draft?.rebase(pushed)));
          setBase(file, pushed, await Draft.over(pushed));
          break;
        }
        default:
          writeAt(volume, file, random(1500), new Uint8Array(random(300)).fill(random(256)));
      }
      expect(await comparable(await replay(blobs(files))), `step ${step}`).toEqual(await draftsOf(volume));
      const size = Math.max(...files.map(({ bytes }) => bytes.length));
      compactions += size > 0 && size < last ? 1 : 0;
      last = size;
    }
    expect(compactions).toBeGreaterThan(2);
    expect(journal.isWhole).toBe(true);
    nodes.forEach((file) => unname(volume, file));
    expect(files.map(({ bytes }) => bytes.length)).toEqual([0, 0]);
  });

  test("killed at any moment of a change, it has the drafts as before it or as after it", async () => {
    const random = randomFrom(1);
    const moments: Blob[][] = [];
    const { files, volume } = inUse(Infinity, () => moments.push(blobs(files)));
    const names = ["a", "b", "c"];
    // The base's bytes come later.
    const withoutKept = (drafts: Record<string, unknown>) =>
      Object.entries(drafts).map(([path, draft]) => ({ ...(draft as object), path, kept: undefined }));
    const drafts = async () => withoutKept(await draftsOf(volume));
    for (let step = 0; step < 100; step++) {
      const name = names[random(3)]!;
      const file = (volume.root.children.get(name) as FileNode | undefined) ?? await add(volume.root, name, random(3) * 400);
      const before = await drafts();
      moments.length = 0;
      switch (random(6)) {
        case 0:
          resize(volume, file, random(1500));
          break;
        case 1:
          volume.change(file, () => (file.draft = undefined));
          break;
        default:
          writeAt(volume, file, random(1500), new Uint8Array(1 + random(900)).fill(1 + random(255)));
      }
      const during = [...moments];
      const after = await drafts();
      for (const moment of during) {
        expect([before, after], `step ${step}`).toContainEqual(withoutKept(await comparable(await replay(moment))));
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  test("knows which file is being removed, also when it begins anew", async () => {
    const { files, volume } = inUse();
    const [a, b] = [await add(volume.root, "a", 400), await add(volume.root, "b", 0)];
    writeAt(volume, a, 0, new Uint8Array(10).fill(1));
    const removing = async () => (await replay(blobs(files))).filter(({ removing }) => removing).map(({ path }) => path);
    volume.removing(a, true);
    writeAt(volume, a, 10, new Uint8Array(10).fill(1));
    let [size, compactions] = [0, 0];
    for (let step = 0; step < 100; step++) {
      writeAt(volume, b, 0, new Uint8Array(300).fill(step));
      const now = Math.max(...files.map(({ bytes }) => bytes.length));
      compactions += now < size ? 1 : 0;
      size = now;
      expect(await removing()).toEqual(["a"]);
    }
    expect(compactions).toBeGreaterThan(2);
    volume.removing(a, false);
    expect(await removing()).toEqual([]);
  });

  test("that is full costs the guest nothing, has what it had, says so once, and has all again when that is pushed", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue(undefined);
    const { files, journal, volume, changed } = inUse(2000);
    const [a, b] = [await add(volume.root, "a", 0), await add(volume.root, "b", 0)];
    writeAt(volume, a, 0, new Uint8Array(500).fill(1));
    const before = await draftsOf(volume);
    writeAt(volume, b, 0, new Uint8Array(3000).fill(2));
    expect([journal.isWhole, changed.mock.calls.length]).toEqual([false, 1]);
    expect(await comparable(await replay(blobs(files)))).toEqual(before);
    writeAt(volume, b, 0, new Uint8Array(3000).fill(3));
    writeAt(volume, a, 500, new Uint8Array(3000).fill(3));
    expect(await comparable(await replay(blobs(files)))).toEqual(before);
    expect(warn).toHaveBeenCalledOnce();
    for (const file of [a, b]) {
      volume.change(file, () => (file.draft = undefined));
    }
    expect([journal.isWhole, changed.mock.calls.length]).toEqual([true, 2]);
    writeAt(volume, b, 0, new Uint8Array(10).fill(3));
    expect(await comparable(await replay(blobs(files)))).toEqual(await draftsOf(volume));
    warn.mockRestore();
  });

  test("has what is seen of a folder that others use too, by its paths there", async () => {
    const { files, volume } = inUse();
    const inner = new DirectoryNode(volume.root, "inner");
    volume.root.children.set("inner", inner);
    const its: [Memory, Memory] = [new Memory(), new Memory()];
    const tally = { files: new Map(), removed: 0, conflicts: [], lost: new Map() };
    volume.users.add({ access: "read-write", base: inner, journal: new Journal(new Log(its)), tally, changed: () => {} });
    const file = await add(volume.root, "a", 0);
    writeAt(volume, file, 0, new Uint8Array([1]));
    const paths = async () => {
      const found = await Promise.all([files, its].map((one) => replay(blobs(one))));
      return found.map((unsaved) => unsaved.map(({ path }) => path));
    };
    expect(await paths()).toEqual([["a"], []]);
    moveNode(file, inner, "b");
    volume.moved(file);
    expect(await paths()).toEqual([["inner/b"], ["b"]]);
    moveNode(file, volume.root, "c");
    volume.moved(file);
    expect(await paths()).toEqual([["c"], []]);
  });

  test("without a name, nothing is noted of a file", async () => {
    const { files, volume } = inUse();
    const file = await add(volume.root, "a", 0);
    volume.open(file);
    writeAt(volume, file, 0, new Uint8Array([1]));
    unname(volume, file);
    writeAt(volume, file, 0, new Uint8Array([2]));
    expect(file.draft).toBeInstanceOf(Draft);
    expect(await replay(blobs(files))).toEqual([]);
  });
});
