// Pushing: what the guest wrote reaches the disk, in a swap file that takes the file's place at once. What another
// program wrote meanwhile is never overwritten.
import type { Lease, Writer } from "./disk.js";
import type { Draft } from "./draft.js";
import { refused } from "./errors.js";
import type { Piece } from "./extents.js";
import { directoryHandle, fileHandle } from "./lookup.js";
import { conflictName } from "./names.js";
import { type Attributes, type Datetime, detach, type DirectoryNode, type FileNode } from "./node.js";
import { inParallel } from "./pool.js";
import type { Volume } from "./volume.js";

/** Something could not be pushed. */
export interface Unpushed {
  file: FileNode;
  error: unknown;
}

/**
 * Pushes all dirty files of `files`, many at a time; those that could not be are given back. `within` is for a caller
 * that has the volume to itself already.
 */
export async function pushAll(
  volume: Volume,
  lease: Lease,
  files: Iterable<FileNode>,
  done: (file: FileNode) => void = () => {},
  within = false,
): Promise<Unpushed[]> {
  const failed: Unpushed[] = [];
  await inParallel(files, volume.parallel, async (file) => {
    await push(volume, lease, file, within).catch((error: unknown) => void failed.push({ file, error }));
    done(file);
  });
  return failed;
}

/** Pushes one file: after that, all that was written before is on disk, under its name or that of a conflict. */
export function push(volume: Volume, lease: Lease, file: FileNode, within = false): Promise<void> {
  const inTurn = async () => {
    while (file.pushing) {
      await file.pushing.catch(() => {});
    }
    if (!volume.dirty.has(file)) {
      return;
    }
    // Set only behind the gate: a rename, which has the volume to itself, may wait for it.
    const pushing = pushNow(volume, lease, file);
    file.pushing = pushing;
    try {
      await pushing;
    } finally {
      file.pushing = undefined;
    }
  };
  return within ? inTurn() : volume.gate.shared(inTurn);
}

async function pushNow(volume: Volume, lease: Lease, file: FileNode): Promise<void> {
  const { draft } = file;
  if (!draft || file.gone || !file.parent) {
    return;
  }
  const { version } = draft;
  // What is pushed is what the file is now; the guest may go on writing.
  const content = contentOf(draft);
  const place = await findPlace(volume, lease, file);
  let pushed: File | undefined;
  if (place.handle) {
    pushed = await replace(volume, lease, place.handle, content, place.isNew ? undefined : draft.since);
  }
  pushed ??= await keepBoth(volume, lease, file, content, place.handle);
  settle(volume, file, draft, version, pushed);
  volume.note(file, (tally) => tally.files.set(file, (tally.files.get(file) ?? 0) + content.bytes));
}

/** A version of a file, to be written. */
interface Content {
  size: number;
  /** What of the base is in it, from its start. */
  visible: number;
  pieces: Piece[];
  /** The bytes of the pieces. */
  bytes: number;
  /** The base's bytes, where they were kept: for when the file on disk is not the base any more. */
  kept: Promise<Uint8Array | undefined> | undefined;
}

function contentOf(draft: Draft): Content {
  const { size, visible, kept, extents } = draft;
  return { size, visible, kept, pieces: extents.pieces(), bytes: extents.bytes };
}

/** Where to write: the file as it is looked up now, a new one in its place, or none when there is something else. */
async function findPlace(
  volume: Volume,
  lease: Lease,
  file: FileNode,
): Promise<{ handle?: FileSystemFileHandle; isNew?: boolean }> {
  try {
    return { handle: await fileHandle(volume, file, 0) };
  } catch (error) {
    if (refused(error, "is-directory")) {
      return {};
    }
    if (!refused(error, "no-entry")) {
      throw error;
    }
  }
  // It was removed outside, its directories perhaps with it; what the guest wrote is not.
  const parent = await makeAgain(volume, lease, file.parent!);
  file.handle = await volume.disk.createFile(lease, parent, file.name);
  return { handle: file.handle, isNew: true };
}

async function makeAgain(volume: Volume, lease: Lease, directory: DirectoryNode): Promise<FileSystemDirectoryHandle> {
  try {
    return await directoryHandle(volume, directory, 0);
  } catch (error) {
    if (!refused(error, "no-entry") || !directory.parent || directory.gone) {
      throw error;
    }
  }
  const parent = await makeAgain(volume, lease, directory.parent);
  return volume.disk.createDirectory(lease, parent, directory.name);
}

/**
 * Writes a version over a file; `undefined` when the file is not as it was `since`. Without `since` the file is new,
 * and what was not kept of the base is taken from `other`, or lost.
 */
async function replace(
  volume: Volume,
  lease: Lease,
  handle: FileSystemFileHandle,
  content: Content,
  since: Attributes | undefined,
  other?: Blob,
): Promise<File | undefined> {
  const { disk } = volume;
  if (since && !isSame(await disk.snapshot(handle), since)) {
    return undefined;
  }
  const isKept = since !== undefined && content.visible > 0;
  const writer = await disk.writer(lease, handle, isKept, content.size);
  try {
    await write(writer, content, isKept ? since.size : 0, isKept ? undefined : await baseOf(content, other));
    // As late as it can be: what another program writes after this is lost.
    if (since && !isSame(await disk.snapshot(handle), since)) {
      await writer.abort();
      return undefined;
    }
    await writer.close();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return disk.snapshot(handle);
}

async function baseOf({ visible, kept }: Content, other: Blob | undefined): Promise<Blob | undefined> {
  if (visible === 0) {
    return undefined;
  }
  const bytes = await kept;
  return bytes ? new Blob([bytes as Uint8Array<ArrayBuffer>]) : other;
}

/** Writes a version into a swap file that has `has` bytes of its base already, or is given the base. */
async function write(writer: Writer, content: Content, has: number, base: Blob | undefined): Promise<void> {
  const { visible, size, pieces } = content;
  if (has > visible) {
    await writer.truncate(visible);
    has = visible;
  }
  if (has === 0 && visible > 0 && base) {
    has = Math.min(visible, base.size);
    await writer.write(0, base.slice(0, has));
  }
  for (const { start, bytes } of pieces) {
    if (start > has) {
      // So that what lies between is zeros, as it is to the guest.
      await writer.truncate(start);
    }
    await writer.write(start, bytes);
    has = Math.max(has, start + bytes.length);
  }
  if (has !== size) {
    await writer.truncate(size);
  }
}

/** A new name for the guest's version: the other one keeps its name. The guest's descriptors stay with theirs. */
async function keepBoth(
  volume: Volume,
  lease: Lease,
  file: FileNode,
  content: Content,
  outside: FileSystemFileHandle | undefined,
): Promise<File> {
  const directory = file.parent!;
  const parent = await directoryHandle(volume, directory, 0);
  const when = new Date(volume.now());
  for (let attempt = 1; ; attempt++) {
    const name = conflictName(file.name, when, attempt);
    if (await isTaken(volume, parent, name)) {
      continue;
    }
    const handle = await volume.disk.createFile(lease, parent, name);
    let pushed: File;
    try {
      const other = outside && (await volume.disk.snapshot(outside));
      pushed = (await replace(volume, lease, handle, content, undefined, other))!;
    } catch (error) {
      await volume.disk.remove(lease, parent, name).catch(() => {});
      throw error;
    }
    volume.note(file, (tally, path) => tally.conflicts.push({ node: file, path }));
    detach(file);
    [file.name, file.handle, file.checked] = [name, handle, performance.now()];
    directory.children.set(name, file);
    return pushed;
  }
}

async function isTaken(volume: Volume, parent: FileSystemDirectoryHandle, name: string): Promise<boolean> {
  try {
    await volume.disk.file(parent, name);
    return true;
  } catch (error) {
    if (refused(error, "no-entry", "is-directory")) {
      return !refused(error, "no-entry");
    }
    throw error;
  }
}

/** The disk has it: there is nothing dirty any more, or only what was written meanwhile. */
function settle(volume: Volume, file: FileNode, draft: Draft, version: number, pushed: File): void {
  volume.change(file, () => {
    file.draft = draft.version === version ? undefined : draft.over(pushed);
  });
  volume.see(file, pushed);
  file.base = file.opens > 0 ? pushed : undefined;
  // The guest keeps seeing the time it wrote at, not the time of the push.
  file.times.modified ??= toDatetime(draft.modified);
  file.times.asOf = pushed.lastModified;
}

/** Milliseconds as WASI has them. */
export function toDatetime(milliseconds: number): Datetime {
  // WASI has no times before 1970.
  milliseconds = Math.max(0, milliseconds);
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds: BigInt(seconds), nanoseconds: Math.floor((milliseconds - 1000 * seconds) * 1e6) };
}

function isSame(file: File, { size, modified }: Attributes): boolean {
  return file.size === size && file.lastModified === modified;
}
