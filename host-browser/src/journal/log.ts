// The journal on disk: what happened to the drafts of files, record after record. A record is written whole before the
// guest is answered. One that is torn, because its tab died, is the last one, and is not read.
//
// There are two files. One is written at its end; when most of it is of no use any more, what is of use goes into the
// other, which counts from the moment its first record is there.
//
// A record, in little-endian numbers: its length in bytes, a check of all that is behind it, its kind, the number of the
// file it is about, and what the kind has. The next one begins at a multiple of 8.
import type { Attributes } from "../files/node.js";

/** What happened to a draft. A file has a number in each journal. */
export type LogEntry =
  /**
   * What it is now, but for its bytes, of which those at `size` and behind it are gone. A file is in the journal from the
   * first of these on. That of the file `replaces`, whose name it took, is not any more.
   */
  | { kind: "draft"; file: number; path: string; size: number; visible: number; since: Attributes; replaces?: number }
  /** Bytes were written to it: all that it has, where they come before its first `draft`. */
  | { kind: "bytes"; file: number; start: number; bytes: Uint8Array }
  /** Its base, kept because the file may change outside. */
  | { kind: "base"; file: number; bytes: Uint8Array }
  /** The guest begins to remove it: when the disk does not have it, it did. Or that failed. */
  | { kind: "removing"; file: number; begun: boolean }
  /** There is none any more. */
  | { kind: "none"; file: number };

/** What a `FileSystemSyncAccessHandle` is to the log. */
export interface LogFile {
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  close(): void;
}

/** In the place of a number, the first record of each of the two files has which is the later one. */
const KINDS = ["first", "draft", "bytes", "base", "none", "removing"] as const;

const HEADER = 16;
/** Where the second record begins. */
const SECOND = HEADER;
/** Bytes in a record; more take several. */
const MOST = 1024 * 1024;
/** What is read at a time: more than any record has. */
const WINDOW = 4 * MOST;

/** A log that is being written. */
export class Log {
  #files: [LogFile, LogFile];
  #generation = 1;
  #size = 0;

  /** Of two files that are empty. */
  constructor(files: [LogFile, LogFile]) {
    this.#files = files;
  }

  /** Bytes on disk. */
  get size(): number {
    return this.#size;
  }

  /** Writes a record at the end. When that fails it is as it was. */
  append(entry: LogEntry): void {
    const [file] = this.#files;
    try {
      if (this.#size === 0) {
        write(file, 0, first(this.#generation));
      }
      this.#size = writeEntry(file, this.#size || SECOND, entry);
    } catch (error) {
      file.truncate(this.#size);
      throw error;
    }
  }

  /** Begins anew with these records. When that fails it is as it was. */
  rewrite(entries: Iterable<LogEntry>): void {
    const [old, fresh] = this.#files;
    let size = SECOND;
    try {
      // It may not be empty: what is of use must not be followed by what was, once.
      fresh.truncate(0);
      for (const entry of entries) {
        size = writeEntry(fresh, size, entry);
      }
      write(fresh, 0, first(this.#generation + 1));
    } catch (error) {
      fresh.truncate(0);
      throw error;
    }
    this.#generation++;
    this.#size = size;
    this.#files = [fresh, old];
    old.truncate(0);
  }

  /** There is nothing in it any more. */
  clear(): void {
    this.#files.forEach((file) => file.truncate(0));
    this.#size = 0;
  }

  close(): void {
    this.#files.forEach((file) => file.close());
  }
}

/** The records of a log that nobody writes any more, up to one that is not whole. Their bytes are to be copied. */
export async function* entriesOf(files: Blob[]): AsyncGenerator<LogEntry> {
  const firsts = await Promise.all(files.map(async (file) => generationOf(await read(file, 0))));
  const latest = Math.max(0, ...firsts);
  if (latest === 0) {
    return;
  }
  const file = files[firsts.indexOf(latest)]!;
  let window = await read(file, 0);
  for (let [start, at] = [0, SECOND]; ; ) {
    let record = whole(window.subarray(at - start));
    if (!record && start < at && start + window.length < file.size) {
      // It may go on behind what was read.
      [window, start] = [await read(file, at), at];
      record = whole(window);
    }
    const entry = record && decode(record);
    if (!record || !entry) {
      return;
    }
    yield entry;
    at += aligned(record.length);
  }
}

async function read(file: Blob, at: number): Promise<Uint8Array> {
  return new Uint8Array(await file.slice(at, at + WINDOW).arrayBuffer());
}

/** Where records are put together: one call of the browser's a record. */
let staging = new Uint8Array(4096);

/** A record, until the next is made. `fill` gets what is behind its header. */
function record(kind: (typeof KINDS)[number], file: number, length: number, fill: (body: DataView) => void): Uint8Array {
  const size = aligned(HEADER + length);
  if (staging.length < size) {
    staging = new Uint8Array(Math.max(size, 2 * staging.length));
  }
  staging.fill(0, HEADER + length, size);
  const view = new DataView(staging.buffer);
  view.setUint32(0, HEADER + length, true);
  view.setUint32(8, KINDS.indexOf(kind), true);
  view.setUint32(12, file, true);
  fill(new DataView(staging.buffer, HEADER, length));
  view.setUint32(4, check(staging.subarray(0, size)), true);
  return staging.subarray(0, size);
}

function first(generation: number): Uint8Array {
  return record("first", generation, 0, () => {});
}

function writeEntry(file: LogFile, at: number, entry: LogEntry): number {
  if (entry.kind !== "bytes") {
    return write(file, at, encode(entry));
  }
  const { bytes } = entry;
  let from = 0;
  do {
    at = write(file, at, encode({ ...entry, start: entry.start + from, bytes: bytes.subarray(from, from + MOST) }));
    from += MOST;
  } while (from < bytes.length);
  return at;
}

function write(file: LogFile, at: number, record: Uint8Array): number {
  if (file.write(record, { at }) !== record.length) {
    throw new Error("the journal could not be written");
  }
  return at + record.length;
}

function encode(entry: LogEntry): Uint8Array {
  const { kind, file } = entry;
  switch (kind) {
    case "draft": {
      const { size, visible, since, replaces = 0 } = entry;
      const numbers = [size, visible, since.size, since.modified, replaces];
      const path = new TextEncoder().encode(entry.path);
      return record(kind, file, 8 * numbers.length + path.length, (body) => {
        numbers.forEach((number, index) => body.setFloat64(8 * index, number, true));
        put(body, 8 * numbers.length, path);
      });
    }
    case "bytes":
      return record(kind, file, 8 + entry.bytes.length, (body) => {
        body.setFloat64(0, entry.start, true);
        put(body, 8, entry.bytes);
      });
    case "base":
      return record(kind, file, entry.bytes.length, (body) => put(body, 0, entry.bytes));
    case "removing":
      return record(kind, file, 8, (body) => body.setFloat64(0, Number(entry.begun), true));
    case "none":
      return record(kind, file, 0, () => {});
  }
}

function put(body: DataView, at: number, bytes: Uint8Array): void {
  new Uint8Array(body.buffer, body.byteOffset).set(bytes, at);
}

/** The record at the start of some bytes, if it is whole. */
function whole(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < HEADER) {
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length = view.getUint32(0, true);
  if (length < HEADER || aligned(length) > bytes.length) {
    return undefined;
  }
  return check(bytes.subarray(0, aligned(length))) === view.getUint32(4, true) ? bytes.subarray(0, length) : undefined;
}

function generationOf(bytes: Uint8Array): number {
  const record = whole(bytes);
  const view = record && new DataView(record.buffer, record.byteOffset);
  return view && KINDS[view.getUint32(8, true)] === "first" ? view.getUint32(12, true) : 0;
}

function decode(record: Uint8Array): LogEntry | undefined {
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const [kind, file] = [KINDS[view.getUint32(8, true)], view.getUint32(12, true)];
  const number = (index: number) => view.getFloat64(HEADER + 8 * index, true);
  switch (kind) {
    case "draft": {
      const path = new TextDecoder().decode(record.subarray(HEADER + 40));
      const since = { size: number(2), modified: number(3) };
      const replaces = number(4);
      return { kind, file, path, size: number(0), visible: number(1), since, ...(replaces && { replaces }) };
    }
    case "bytes":
      return { kind, file, start: number(0), bytes: record.subarray(HEADER + 8) };
    case "base":
      return { kind, file, bytes: record.subarray(HEADER) };
    case "removing":
      return { kind, file, begun: number(0) === 1 };
    case "none":
      return { kind, file };
    default:
      return undefined;
  }
}

/**
 * Fletcher's sum of all words of a record, but for the one that it is in: it finds what was torn, and adds little to what
 * a large write costs.
 */
function check(record: Uint8Array): number {
  const words = new Int32Array(record.buffer, record.byteOffset, record.length / 4);
  let [sum, sums] = [words[0]!, 1];
  for (let index = 2; index < words.length; index++) {
    sum = (sum + words[index]!) | 0;
    sums = (sums + sum) | 0;
  }
  return (sum ^ ((sums << 16) | (sums >>> 16))) >>> 0;
}

function aligned(length: number): number {
  return Math.ceil(length / 8) * 8;
}
