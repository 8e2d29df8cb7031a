// A file as the guest has it while the disk has it otherwise: extents over the bytes of a base.
import { PATIENCE } from "./disk.js";
import { Extents } from "./extents.js";
import { hold, type Held, HOLDS_LONG } from "./hold.js";
import { limited } from "./limit.js";
import { type Attributes, attributesOf } from "./node.js";

/** Up to this size the base is kept in memory: when it changes outside, the guest's version is still whole. */
export const SMALL = 1024 * 1024;
/** So many larger ones are held open instead. */
const MOST_HELD = 64;
let heldNow = 0;

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
  /** The base's bytes, if it is small: of another program's version they cannot be had any more. */
  kept: Uint8Array | undefined;
  /** The base, open, if it is large. */
  held: Held | undefined;
  /** What the base was when the guest began to write: what a push compares the disk with. */
  since: Attributes;

  /** `base` is what shows through; nothing does for a file that is new. */
  constructor(
    public base: File | undefined,
    kept?: Uint8Array,
  ) {
    this.kept = kept;
    this.size = this.visible = base?.size ?? 0;
    this.since = { size: this.size, modified: base?.lastModified ?? 0 };
  }

  /** One over a base that is kept, or held, if that can be. */
  static async over(base: File): Promise<Draft> {
    if (base.size <= SMALL) {
      return new Draft(base, await read(base));
    }
    const draft = new Draft(base);
    await draft.#hold(base);
    return draft;
  }

  async #hold(base: File): Promise<void> {
    if (HOLDS_LONG && heldNow < MOST_HELD) {
      heldNow++;
      this.held = await hold(base, PATIENCE).catch(() => void heldNow--);
    }
  }

  /** Whether its base cannot be lost any more. */
  get isSafe(): boolean {
    return this.visible === 0 || this.kept !== undefined || this.held !== undefined;
  }

  /** Its base is not needed any more. */
  letGo(): void {
    if (this.held) {
      heldNow--;
      this.held.letGo();
    }
    this.held = this.kept = undefined;
  }

  /** About what it takes of memory. */
  get weight(): number {
    return this.extents.weight + (this.kept?.length ?? 0);
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
    if (this.visible === 0) {
      // What is held a push may be reading.
      this.kept = undefined;
    }
  }

  /** Takes over what another one, over what this one has, has changed. */
  overlay(other: Draft): void {
    this.resize(Math.min(this.size, other.visible));
    other.extents.pieces().forEach(({ start, bytes }) => this.write(start, bytes));
    this.resize(other.size);
    [this.version, this.modified] = [other.version, other.modified];
  }

  /** From now on it is over another base, in which all that shows through is as it was. */
  rebase(base: File): void {
    this.base = base;
    this.since = attributesOf(base);
    this.visible = Math.min(this.visible, base.size);
  }
}

async function read(base: Blob): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await limited(base.arrayBuffer(), PATIENCE));
  } catch {
    return undefined;
  }
}
