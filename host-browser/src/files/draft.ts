// A file as the guest has it while the disk has it otherwise: extents over the bytes of a base.
import { Extents } from "./extents.js";
import type { Attributes } from "./node.js";

/** Up to this size the base is kept in memory too: when it changes outside, the guest's version is still whole. */
const SMALL = 256 * 1024;

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
      this.kept = this.base
        .slice(0, this.visible)
        .arrayBuffer()
        .then(
          (bytes) => new Uint8Array(bytes),
          () => undefined,
        );
    }
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
