// Removals are on disk at once, and only what the guest names is ever removed: that a name is missing somewhere says
// nothing, since the browser hides names.
import type { Lease } from "./disk.js";
import { Draft } from "./draft.js";
import { refused } from "./errors.js";
import { directoryHandle, drop } from "./lookup.js";
import { isSwap } from "./names.js";
import type { DirectoryNode, FileNode } from "./node.js";
import { readAt } from "./read.js";
import type { Volume } from "./volume.js";

/** Up to this size, what is still open keeps its bytes when it loses its name. */
const HELD = 64 * 1024 * 1024;

/** Removes a file. Whoever has it open goes on reading and writing it, in memory, as in POSIX. */
export async function removeFile(volume: Volume, lease: Lease, file: FileNode): Promise<void> {
  // A push that ends after the removal would bring the file back.
  while (file.pushing) {
    await file.pushing.catch(() => {});
  }
  await hold(volume, file);
  const parent = await directoryHandle(volume, file.parent!, 0);
  // No push may begin while the browser is at it.
  let done = () => {};
  file.pushing = new Promise((resolve) => (done = resolve));
  try {
    await volume.disk.remove(lease, parent, file.name).catch((error: unknown) => {
      // Another program removed it first, but for the guest, who wrote to it, it was still there.
      if (!file.draft || !refused(error, "no-entry")) {
        throw error;
      }
    });
    noteRemoved(volume, file);
    unname(volume, file);
  } finally {
    file.pushing = undefined;
    done();
  }
}

/** Removes an empty directory. */
export async function removeDirectory(volume: Volume, lease: Lease, directory: DirectoryNode): Promise<void> {
  await removeEmpty(volume, lease, await directoryHandle(volume, directory.parent!, 0), directory.name);
  noteRemoved(volume, directory);
  drop(directory);
}

/**
 * Removes a directory in which there is nothing, or nothing but swap files of a browser that died. Those that are in use
 * the browser does not remove; whatever else the guest does not see stays, and the directory with it.
 */
export async function removeEmpty(
  volume: Volume,
  lease: Lease,
  parent: FileSystemDirectoryHandle,
  name: string,
): Promise<void> {
  const { disk } = volume;
  try {
    await disk.remove(lease, parent, name);
  } catch (error) {
    const directory = refused(error, "not-empty") && (await disk.directory(parent, name));
    const entries = directory ? await disk.list(directory) : [];
    if (!directory || entries.length === 0 || !entries.every(([entry, { kind }]) => kind === "file" && isSwap(entry))) {
      throw error;
    }
    for (const [swap] of entries) {
      await disk.remove(lease, directory, swap);
    }
    await disk.remove(lease, parent, name);
  }
}

/** Takes a file's bytes into memory before it loses its name, if somebody has it open. */
export async function hold(volume: Volume, file: FileNode): Promise<void> {
  if (file.opens === 0 || file.gone) {
    return;
  }
  const size = file.draft?.size ?? file.base?.size ?? 0;
  if (size > HELD) {
    return;
  }
  const held = new Draft(undefined);
  for (let offset = 0; offset < size;) {
    const bytes = await readAt(volume, file, offset, size - offset);
    if (bytes.length === 0) {
      break;
    }
    held.write(offset, bytes);
    offset += bytes.length;
  }
  held.resize(size);
  held.modified = file.draft?.modified ?? file.base?.lastModified ?? 0;
  file.held = held;
}

/** Takes a file's name: what was not pushed of it never will be. */
export function unname(volume: Volume, file: FileNode): void {
  drop(file);
  volume.change(file, () => {
    file.draft = file.opens > 0 ? (file.held ?? file.draft ?? new Draft(undefined)) : undefined;
  });
  file.base = file.window = file.held = undefined;
}

function noteRemoved(volume: Volume, node: FileNode | DirectoryNode): void {
  volume.note(node, (tally) => {
    tally.removed++;
    if (node.kind === "file") {
      tally.files.delete(node);
    }
  });
}
