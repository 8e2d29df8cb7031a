// New files and directories are on disk at once, empty: a name that the folder does not take fails when the guest
// chooses it, and not at some later sync.
import type { Lease } from "./disk.js";
import { Failure, refused } from "./errors.js";
import { adopt, childForSure, confirm, confirmedHandle, directoryHandle } from "./lookup.js";
import { checkNew } from "./names.js";
import type { DirectoryNode, FileNode } from "./node.js";
import type { Volume } from "./volume.js";

/** Makes a file, and tells what was made. The caller knows that there is none, having asked after `then`. */
export async function createFile(
  volume: Volume,
  lease: Lease,
  directory: DirectoryNode,
  name: string,
  then: number,
): Promise<{ file: FileNode; made: File }> {
  checkNew(name, "file");
  const parent = await confirmedHandle(volume, directory, then);
  const fresh = await volume.disk.makeFile(lease, parent, name);
  const [handle, made] = await Promise.all([
    volume.disk.file(parent, name),
    volume.disk.snapshot(fresh),
    confirm(volume, directory),
  ]);
  const file = adopt(volume, directory, name, handle) as FileNode;
  volume.see(file, made);
  volume.note(file, (tally) => tally.files.set(file, tally.files.get(file) ?? 0));
  return { file, made };
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

/** The handle of a directory, which is made again if another program removed it. */
export async function makeAgain(volume: Volume, lease: Lease, directory: DirectoryNode): Promise<FileSystemDirectoryHandle> {
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
