// What was written to a file and is not on disk yet: ranges of bytes, in order, that never touch the rest of the file.

/** Bytes, and where in the file they are. */
export interface Piece {
  start: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** A range, in a buffer that may have room behind it for what is appended next. */
interface Range {
  start: number;
  length: number;
  buffer: Uint8Array<ArrayBuffer>;
  /** Whether somebody else reads the buffer: bytes in it do not change any more. */
  lent: boolean;
}

/** Up to this size a range grows when it is appended to; so that growing never copies much. */
const LARGEST = 8 * 1024 * 1024;

/** About what a range takes of memory besides its bytes. */
const RANGE = 256;

/** A sparse list of ranges that do not overlap. */
export class Extents {
  #ranges: Range[] = [];
  #bytes = 0;

  /** Bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** About what they take of memory: a byte here and a byte there take much more than two bytes. */
  get weight(): number {
    return this.#bytes + this.#ranges.length * RANGE;
  }

  /** Writes a copy of `bytes` at `start`. */
  write(start: number, bytes: Uint8Array): void {
    if (bytes.length === 0) {
      return;
    }
    const end = start + bytes.length;
    const at = this.#firstEndingAfter(start);
    const next = this.#ranges[at];
    if (next && next.start <= start && end <= next.start + next.length) {
      overwrite(next, start, bytes);
      return;
    }
    const before = this.#ranges[at - 1];
    const free = !next || end <= next.start;
    if (free && before && before.start + before.length === start && before.length + bytes.length <= LARGEST) {
      append(before, bytes);
      this.#bytes += bytes.length;
      return;
    }
    if (!free) {
      this.#clear(start, end);
    }
    const buffer = new Uint8Array(bytes.length);
    buffer.set(bytes);
    this.#ranges.splice(this.#firstEndingAfter(start), 0, { start, length: buffer.length, buffer, lent: false });
    this.#bytes += buffer.length;
  }

  /** Forgets what is at `size` and behind it. */
  cut(size: number): void {
    this.#clear(size, Infinity);
  }

  /** Copies what is held of the range at `start` into `target`. */
  overlay(target: Uint8Array, start: number): void {
    const end = start + target.length;
    for (let at = this.#firstEndingAfter(start); at < this.#ranges.length; at++) {
      const range = this.#ranges[at]!;
      if (range.start >= end) {
        return;
      }
      const from = Math.max(range.start, start);
      const to = Math.min(range.start + range.length, end);
      target.set(range.buffer.subarray(from - range.start, to - range.start), from - start);
    }
  }

  /** Whether all bytes from `start` up to `end` are held. */
  covers(start: number, end: number): boolean {
    for (let at = this.#firstEndingAfter(start); start < end; at++) {
      const range = this.#ranges[at];
      if (!range || range.start > start) {
        return false;
      }
      start = range.start + range.length;
    }
    return true;
  }

  /** What is held now, in order. It stays as it is, whatever is written later. */
  pieces(): Piece[] {
    return this.#ranges.map((range) => {
      range.lent = true;
      return { start: range.start, bytes: range.buffer.subarray(0, range.length) };
    });
  }

  /** The index of the first range that ends after `offset`. */
  #firstEndingAfter(offset: number): number {
    let [low, high] = [0, this.#ranges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const range = this.#ranges[middle]!;
      if (range.start + range.length > offset) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  #clear(start: number, end: number): void {
    const first = this.#firstEndingAfter(start);
    const kept: Range[] = [];
    let past = first;
    for (; past < this.#ranges.length; past++) {
      const range = this.#ranges[past]!;
      if (range.start >= end) {
        break;
      }
      this.#bytes -= range.length;
      const left = [part(range, range.start, start), part(range, end, range.start + range.length)];
      kept.push(...left.filter((range) => range !== undefined));
    }
    this.#bytes += kept.reduce((sum, range) => sum + range.length, 0);
    this.#ranges.splice(first, past - first, ...kept);
  }
}

function overwrite(range: Range, start: number, bytes: Uint8Array): void {
  if (range.lent) {
    range.buffer = range.buffer.slice(0, range.length);
    range.lent = false;
  }
  range.buffer.set(bytes, start - range.start);
}

/** Twice the room each time: a file written in small pieces is copied a constant number of times. */
function append(range: Range, bytes: Uint8Array): void {
  const length = range.length + bytes.length;
  if (length > range.buffer.length) {
    const buffer = new Uint8Array(Math.min(LARGEST, Math.max(2 * range.buffer.length, length)));
    buffer.set(range.buffer.subarray(0, range.length));
    range.buffer = buffer;
    range.lent = false;
  }
  // Who was lent the buffer reads only up to the old length.
  range.buffer.set(bytes, range.length);
  range.length = length;
}

/** The part of a range from `from` to `to`, in a buffer of its own; none when it is empty. */
function part(range: Range, from: number, to: number): Range | undefined {
  const start = Math.max(range.start, from);
  const length = Math.min(range.start + range.length, to) - start;
  if (length <= 0) {
    return undefined;
  }
  return { start, length, buffer: range.buffer.slice(start - range.start, start - range.start + length), lent: false };
}
