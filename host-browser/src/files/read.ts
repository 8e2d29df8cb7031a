// Reading: what the guest wrote, over the bytes of a snapshot. Only slices are ever read.
import { freshen } from "./base.js";
import { Failure, refused } from "./errors.js";
import { fetched } from "./list.js";
import { snapshot } from "./lookup.js";
import type { Attributes, FileNode } from "./node.js";
import type { Volume } from "./volume.js";
import { inWindow, keepWindow } from "./windows.js";

/** The most that one call gives. */
export const MOST = 1024 * 1024;
/** A slice of this size takes hardly longer than one of a few bytes, so that much is always read. */
const LEAST = 64 * 1024;

/** Size and time of a file, as the guest has it. */
export function attributes(volume: Volume, file: FileNode): Attributes | Promise<Attributes> {
  if (file.draft) {
    return file.draft;
  }
  return volume.isSeen(file) ? file.seen! : attributesOnDisk(volume, file);
}

async function attributesOnDisk(volume: Volume, file: FileNode): Promise<Attributes> {
  await fetched(file);
  if (!file.draft && !volume.isSeen(file)) {
    await freshen(volume, file);
  }
  return file.draft ?? file.seen!;
}

/** Up to `length` bytes at `offset`: fewer at the end of the file, and never more than `MOST`. */
export function readAt(
  volume: Volume,
  file: FileNode,
  offset: number,
  length: number,
): Uint8Array | Promise<Uint8Array> {
  const { draft } = file;
  length = Math.min(length, MOST);
  if (draft) {
    const end = Math.min(offset + length, draft.size);
    const shown = Math.min(end, draft.visible);
    if (offset >= shown || draft.kept || draft.extents.covers(offset, shown)) {
      const bytes = new Uint8Array(Math.max(0, end - offset));
      bytes.set(draft.kept?.subarray(offset, Math.max(offset, shown)) ?? []);
      draft.extents.overlay(bytes, offset);
      return bytes;
    }
  } else if (file.base) {
    const end = Math.min(offset + length, file.base.size);
    const found = file.ready?.kept?.subarray(offset, end) ?? inWindow(file, file.base, offset, end);
    if (found) {
      return found.slice();
    }
  }
  return readSnapshot(volume, file, offset, length);
}

async function readSnapshot(volume: Volume, file: FileNode, offset: number, length: number): Promise<Uint8Array> {
  for (let again = false; ; again = true) {
    try {
      return await readOnce(volume, file, offset, length);
    } catch (error) {
      const stale = error instanceof Failure && error.stale;
      if (!stale || again) {
        throw error;
      }
      // Another program changed the file, or we did: then the push has, or will have, the snapshot that is good.
      if (file.pushing) {
        await file.pushing.catch(() => {});
      } else {
        await renew(volume, file);
      }
    }
  }
}

async function readOnce(volume: Volume, file: FileNode, offset: number, length: number): Promise<Uint8Array> {
  const { draft } = file;
  if (!draft) {
    if (!file.base) {
      await freshen(volume, file);
    }
    const base = file.base ?? (await snapshot(volume, file));
    return readBase(volume, file, base, offset, Math.min(offset + length, base.size));
  }
  const end = Math.min(offset + length, draft.size);
  const bytes = new Uint8Array(Math.max(0, end - offset));
  const shown = Math.min(end, draft.visible);
  if (draft.base && offset < shown && !draft.extents.covers(offset, shown)) {
    bytes.set(await readBase(volume, file, draft.base, offset, Math.min(shown, draft.base.size)));
  }
  draft.extents.overlay(bytes, offset);
  return bytes;
}

async function renew(volume: Volume, file: FileNode): Promise<void> {
  const { draft } = file;
  if (!draft) {
    return freshen(volume, file, file.base);
  }
  try {
    // `since` stays: the push has to see that the file changed.
    draft.base = await snapshot(volume, file, 0);
  } catch (error) {
    if (!refused(error, "no-entry", "is-directory")) {
      throw error;
    }
    // Removed outside: what the guest wrote is all there is.
    draft.base = undefined;
  }
}

async function readBase(volume: Volume, file: FileNode, base: File, start: number, end: number): Promise<Uint8Array> {
  if (start >= end) {
    return new Uint8Array(0);
  }
  const found = inWindow(file, base, start, end);
  if (found) {
    return found.slice();
  }
  const { window } = file;
  // A guest that reads on where it stopped reads the rest too: more and more is read ahead of it.
  const readsOn = window?.of === base && start >= window.start && start <= window.start + window.bytes.length;
  const ahead = readsOn ? Math.min(2 * window.bytes.length, MOST) : LEAST;
  const until = Math.min(base.size, start + Math.max(end - start, ahead));
  // The browser gives none of another file's, unless that has the same size and time.
  const bytes = await volume.disk.read(base, start, until);
  if (file.opens > 0) {
    keepWindow(file, { of: base, start, bytes });
  }
  return bytes.slice(0, end - start);
}
