// A file as the guest has it while the disk has it otherwise: extents over the bytes of a base.
import { PATIENCE } from "./disk.js";
import { Extents } from "./extents.js";
import { hold, type Held, HOLDS_LONG } from "./hold.js";
import { limited } from "./limit.js";
import type { Attributes } from "./node.js";

/** Up to this size the base is kept in memory too: when it changes outside, the guest's version is still whole. */
const SMALL = 1024 * 1024;
/** So many larger ones are held open instead. */
const MOST_HELD = 64;
let heldNow = 0;

const early = new WeakMap<File, Promise<Uint8Array | undefined>>();

/** Reads a small base while a file is opened for writing: when the guest writes first, another program may have changed it. */
export async function readEarly(base: File): Promise<void> {
  if (base.size > 0 && base.size <= SMALL && !early.has(base)) {
    early.set(base, read(base));
  }
  await early.get(base);
}

async function read(base: Blob): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await limited(base.arrayBuffer(), PATIENCE));
  } catch {
    return undefined;
  }
}

/** The unpushed state of a file. */
export class Draft {
  readonly extents = new Extents();
  /** The size the guest sees. */
  size: number;
  /** Bytes of the base that show through; behind them are zeros, where nothing was written. */
  visible: number;
  /** Counts changes, so that a push sees whether there were more while it was under way. */
  version = 0;
  /** When the guest last wrote, in milliseconds. */
  modified = 0;
  /** The base's bytes, if it is small and its bytes are still needed. */
  kept: Promise<Uint8Array | undefined> | undefined;
  /** How many these are. */
  #kept = 0;
  /** The base, open, if it is large and its bytes are still needed. */
  held: Promise<Held | undefined> | undefined;
  /** What the base was when the guest began to write: what a push compares the disk with. */
  since: Attributes;

  /** `base` is what shows through; nothing does for a file that is new. */
  constructor(public base: File | undefined) {
    this.size = this.visible = base?.size ?? 0;
    this.since = { size: this.size, modified: base?.lastModified ?? 0 };
  }

  /** Keeps a small base: its bytes are lost when another program changes the file. */
  keep(): void {
    if (!this.kept && this.base && this.visible > 0 && this.visible <= SMALL) {
      const { base, visible } = this;
      this.#kept = visible;
      this.kept = (early.get(base) ?? read(base.slice(0, visible))).then((bytes) => bytes?.subarray(0, visible));
    } else if (HOLDS_LONG && !this.held && this.base && this.visible > SMALL && heldNow < MOST_HELD) {
      heldNow++;
      this.held = hold(this.base, PATIENCE).catch(() => void heldNow--);
    }
  }

  /** Its base is not needed any more. */
  letGo(): void {
    void this.held?.then((held) => held && (heldNow--, held.letGo()));
    this.held = undefined;
  }

  /** About what it takes of memory. */
  get weight(): number {
    return this.extents.weight + this.#kept;
  }

  /** Writes bytes at an offset. */
  write(offset: number, bytes: Uint8Array): void {
    this.extents.write(offset, bytes);
    this.size = Math.max(this.size, offset + bytes.length);
  }

  /** Cuts the file, or extends it with zeros. */
  resize(size: number): void {
    this.extents.cut(size);
    this.visible = Math.min(this.visible, size);
    this.size = size;
  }

  /** The same changes over another base, which has all that shows through of this one. */
  over(base: File): Draft {
    const draft = new Draft(base);
    for (const { start, bytes } of this.extents.pieces()) {
      draft.extents.write(start, bytes);
    }
    [draft.size, draft.visible, draft.version, draft.modified] = [
      this.size,
      Math.min(this.visible, base.size),
      this.version,
      this.modified,
    ];
    return draft;
  }
}
