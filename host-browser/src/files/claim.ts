// A name for a version that cannot have the name it was written under. The browser has no call that makes a file only where
// there is none, so one looks for a name at a time, in all tabs: two would take the same, and one replace the other's file.
import { makeAgain } from "./create.js";
import type { Lease, To } from "./disk.js";
import { Failure, refused } from "./errors.js";
import { conflictName } from "./names.js";
import type { FileNode } from "./node.js";
import type { Volume } from "./volume.js";

const LOCK = "mountfs-conflict";

/** Makes a file with the name of a conflict, and fills it; it is gone again when that fails. */
export async function asConflict<T>(
  volume: Volume,
  lease: Lease,
  file: FileNode,
  fill: (to: To) => Promise<T>,
): Promise<{ name: string; handle: FileSystemFileHandle; done: T }> {
  const parent = await makeAgain(volume, lease, file.parent!);
  const { name, handle } = await claim(volume, lease, parent, file.name);
  try {
    return { name, handle, done: await fill({ handle, parent, path: [...file.parent!.path(), name] }) };
  } catch (error) {
    await volume.disk.remove(lease, parent, name).catch(() => {});
    throw error;
  }
}

/** Makes an empty file of the first name that is free for another version of the file `of`. */
async function claim(
  volume: Volume,
  lease: Lease,
  parent: FileSystemDirectoryHandle,
  of: string,
): Promise<{ name: string; handle: FileSystemFileHandle }> {
  const when = new Date(volume.now());
  const late = AbortSignal.timeout(volume.disk.patience);
  const find = async () => {
    for (let attempt = 1; ; attempt++) {
      const name = conflictName(of, when, attempt);
      if (!(await isTaken(volume, parent, name))) {
        return { name, handle: await volume.disk.createFile(lease, parent, name) };
      }
    }
  };
  try {
    return await navigator.locks.request(LOCK, { signal: late }, find);
  } catch (error) {
    throw error === late.reason ? new Failure("busy") : error;
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
