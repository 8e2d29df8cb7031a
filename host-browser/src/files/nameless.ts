// Files that lost their name and are still open, in all folders: what they hold is in memory, and never goes to disk.
import { Failure } from "./errors.js";
import type { FileNode } from "./node.js";

/** What all of them may hold. */
const MOST = 256 * 1024 * 1024;

const nameless = new Set<FileNode>();

/** A file has no name any more. */
export function noteNameless(file: FileNode): void {
  nameless.add(file);
}

/** Throws `insufficient-space` when `more` bytes are more than they may hold. */
export function checkNameless(more: number): void {
  let bytes = more;
  for (const file of nameless) {
    if (file.opens === 0) {
      nameless.delete(file);
    } else {
      bytes += file.draft?.weight ?? 0;
    }
  }
  if (bytes > MOST) {
    throw new Failure("insufficient-space");
  }
}
