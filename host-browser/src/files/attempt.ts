// What a push is about to swap in, remembered until it is known to be on disk: a `close` that failed, or was never
// answered, may have swapped the file all the same. That is no change of another program's.
import type { Disk } from "./disk.js";
import type { Draft } from "./draft.js";
import type { Piece } from "./extents.js";
import { areSame, attributesOf } from "./node.js";

/** A version of a file that is swapped in. */
export interface Attempt {
  size: number;
  pieces: Piece[];
  /** When `close` was called, in milliseconds: the swap file was not written after that. */
  until: number;
}

const attempts = new WeakMap<Draft, Attempt>();

/** Remembers what of a draft is swapped in now; the last attempt counts. */
export function remember(draft: Draft, attempt: Attempt): void {
  attempts.set(draft, attempt);
}

/** If what is on disk is what was tried last, the draft is over that from now on. */
export async function recognize(disk: Disk, draft: Draft, handle: FileSystemFileHandle): Promise<void> {
  const attempt = attempts.get(draft);
  if (!attempt) {
    return;
  }
  const found = await disk.snapshot(handle);
  const now = attributesOf(found);
  if (!areSame(now, draft.since) && now.modified <= attempt.until && (await has(disk, found, attempt))) {
    [draft.since, draft.base] = [now, found];
  }
}

/** Whether what is on disk after a swap is what was swapped in. A disk with a clock of its own is asked for its bytes. */
export async function isOurs(disk: Disk, found: File, attempt: Attempt): Promise<boolean> {
  return mayBeOurs(found, attempt) || (await has(disk, found, attempt));
}

/** Whether it may be, by its attributes. */
export function mayBeOurs({ size, lastModified }: File, attempt: Attempt): boolean {
  return size === attempt.size && lastModified <= attempt.until;
}

/** Whether all that was written is in a file. If another program made it so, a push would change nothing. */
async function has(disk: Disk, found: File, { size, pieces }: Attempt): Promise<boolean> {
  if (found.size !== size) {
    return false;
  }
  for (const { start, bytes } of pieces) {
    const there = await disk.read(found, start, start + bytes.length);
    if (there.length !== bytes.length || there.some((byte, at) => byte !== bytes[at])) {
      return false;
    }
  }
  return true;
}
