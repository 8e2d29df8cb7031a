// New files and directories are on disk at once, empty: a name that the folder does not take fails when the guest
// chooses it, and not at some later sync.
import type { Lease } from "./disk.js";
import { Failure, refused } from "./errors.js";
import { adopt, childForSure, directoryHandle } from "./lookup.js";
import { checkNew } from "./names.js";
import type { DirectoryNode, FileNode } from "./node.js";
import type { Volume } from "./volume.js";

/** Makes a file. The caller knows that there is none. */
export async function createFile(
  volume: Volume,
  lease: Lease,
  directory: DirectoryNode,
  name: string,
): Promise<FileNode> {
  checkNew(name, "file");
  const parent = await directoryHandle(volume, directory, 0);
  const handle = await volume.disk.createFile(lease, parent, name);
  const file = adopt(volume, directory, name, handle) as FileNode;
  volume.see(file, await volume.disk.snapshot(handle));
  volume.note(file, (tally) => tally.files.set(file, tally.files.get(file) ?? 0));
  return file;
}

/** Makes a directory. Throws `exist` when there is anything of this name. */
export async function createDirectory(
  volume: Volume,
  lease: Lease,
  directory: DirectoryNode,
  name: string,
): Promise<DirectoryNode> {
  checkNew(name, "directory");
  if (await childForSure(volume, directory, name)) {
    throw new Failure("exist");
  }
  const parent = await directoryHandle(volume, directory, 0);
  try {
    const handle = await volume.disk.createDirectory(lease, parent, name);
    return adopt(volume, directory, name, handle) as DirectoryNode;
  } catch (error) {
    // A file has come between.
    throw refused(error, "not-directory") ? new Failure("exist") : error;
  }
}
