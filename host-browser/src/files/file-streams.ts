// Streams of a file: places in it that move on as they are used.
import { preparing } from "./base.js";
import { Failure } from "./errors.js";
import type { InUse } from "./in-use.js";
import type { FileNode } from "./node.js";
import { pushAll } from "./push.js";
import { MOST, readAt } from "./read.js";
import { InputStream, OutputStream } from "./streams.js";
import type { OpenTree } from "./tree.js";
import { sizeNow, writeAt } from "./write.js";

/** Reads a file from `offset` on. */
export function inputStream(tree: OpenTree, inUse: InUse, file: FileNode, offset: number): InputStream {
  const close = inUse.take("descriptors", () => tree.volume.close(file));
  tree.volume.open(file);
  return new InputStream({
    read: (length) =>
      tree.call(() => {
        const moved = (bytes: Uint8Array) => {
          offset += bytes.length;
          return bytes;
        };
        const bytes = readAt(tree.volume, file, offset, length);
        return bytes instanceof Promise ? bytes.then(moved) : moved(bytes);
      }),
    close,
  });
}

/** Writes a file from `offset` on, or at its end, wherever that is then. */
export function outputStream(tree: OpenTree, inUse: InUse, file: FileNode, offset: number | "end"): OutputStream {
  const close = inUse.take("descriptors", () => tree.volume.close(file));
  tree.volume.open(file);
  const relief = new Relief(tree);
  return new OutputStream({
    write: (bytes) =>
      tree.callNow(() => {
        tree.checkWritable();
        if (tree.paused || preparing(tree.volume, file)) {
          // It was told that there is room before that; what it wrote now might be lost in silence, or mixed with another's.
          throw new Failure("busy");
        }
        const at = offset === "end" ? sizeNow(file) : offset;
        writeAt(tree.volume, file, at, bytes);
        if (offset !== "end") {
          offset = at + bytes.length;
        }
      }),
    room: () => tree.callNow(() => (tree.paused || preparing(tree.volume, file) ? 0 : relief.room())),
    wait: () => tree.paused ?? preparing(tree.volume, file) ?? relief.under,
    close,
  });
}

/** Pushes early when too much is held in memory. */
export class Relief {
  /** The push under way. */
  under: Promise<void> | undefined;
  #failed: { error: unknown } | undefined;

  constructor(private readonly tree: OpenTree) {}

  /** How many bytes may be written at once now: none while too much is held. Throws what a push threw. */
  room(): number {
    if (this.#failed) {
      const { error } = this.#failed;
      this.#failed = undefined;
      throw error;
    }
    if (this.under || this.tree.volume.isFull(MOST)) {
      this.under ??= this.#push().finally(() => (this.under = undefined));
      return 0;
    }
    return MOST;
  }

  async #push(): Promise<void> {
    const { volume } = this.tree;
    const [failed] = await pushAll(volume, this.tree, [...volume.dirty]);
    // Others may have made room.
    if (failed && volume.isFull(MOST)) {
      this.#failed = failed;
    }
  }
}
