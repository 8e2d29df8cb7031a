// Writing, into memory; what was written is pushed later.
import type { Written } from "../journal/journal.js";
import { draftOf } from "./base.js";
import type { Draft } from "./draft.js";
import { Failure } from "./errors.js";
import { checkNameless } from "./nameless.js";
import type { FileNode } from "./node.js";
import type { Volume } from "./volume.js";

/** The largest file that any local disk takes (ext4's limit): a larger one would only fail when it is pushed. */
const LARGEST = 16 * 1024 ** 4;

/** Writes bytes. The file has to be open, and prepared. */
export function writeAt(volume: Volume, file: FileNode, offset: number, bytes: Uint8Array): void {
  if (bytes.length === 0) {
    // As POSIX has it: it extends nothing, and changes nothing.
    return;
  }
  checkSize(offset + bytes.length);
  if (file.gone) {
    checkNameless(bytes.length);
  }
  change(volume, file, (draft) => draft.write(offset, bytes), { start: offset, bytes });
}

/** Cuts a file, or extends it with zeros. */
export function resize(volume: Volume, file: FileNode, size: number): void {
  checkSize(size);
  change(volume, file, (draft) => draft.resize(size));
}

/** The size of a file that is open and prepared. */
export function sizeNow(file: FileNode): number {
  return file.draft?.size ?? file.base?.size ?? 0;
}

function change(volume: Volume, file: FileNode, change: (draft: Draft) => void, written?: Written): void {
  const work = () => {
    const draft = draftOf(file);
    change(draft);
    draft.version++;
    draft.modified = volume.now();
    // A write sets the time, whatever it was set to before.
    delete file.times.modified;
  };
  volume.change(file, work, written);
}

function checkSize(size: number): void {
  if (!(size <= LARGEST)) {
    throw new Failure("file-too-large");
  }
}
