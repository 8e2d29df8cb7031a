// Removals are on disk at once, and only what the guest names is ever removed: that a name is missing somewhere says
// nothing, since the browser hides names.
import type { Lease } from "./disk.js";
import { Draft } from "./draft.js";
import { Failure, refused } from "./errors.js";
import { directoryHandle, drop, isDirtyBelow } from "./lookup.js";
import { checkNameless, noteNameless } from "./nameless.js";
import { type DirectoryNode, type FileNode, forgetSeen, type Node, setBase } from "./node.js";
import { readAt } from "./read.js";
import { rescue } from "./rescue.js";
import type { Volume } from "./volume.js";

/** Up to this size, what is still open keeps its bytes when it loses its name. */
const RETAINED = 64 * 1024 * 1024;

/** Removes a file. Whoever has it open goes on reading and writing it, in memory, as in POSIX. */
export async function removeFile(volume: Volume, lease: Lease, file: FileNode): Promise<void> {
  await retain(volume, file);
  // A push that ends after the removal would bring the file back; one may have begun while the directory was looked up.
  let parent: FileSystemDirectoryHandle;
  do {
    while (file.pushing) {
      await file.pushing.catch(() => {});
    }
    parent = await directoryHandle(volume, file.parent!, 0);
  } while (file.pushing);
  // No push may begin while the browser is at it.
  const { promise, resolve: done } = Promise.withResolvers<void>();
  file.pushing = promise;
  volume.removing(file, true);
  try {
    await rescue(volume, lease, file);
    await unsure(file, volume.disk.remove(lease, parent, file.name)).catch((error: unknown) => {
      // Another program removed it first, but for the guest, who wrote to it, it was still there.
      if (!file.draft || !refused(error, "no-entry")) {
        throw error;
      }
    });
    noteRemoved(volume, file);
    unname(volume, file);
  } catch (error) {
    volume.removing(file, false);
    file.retained = undefined;
    throw error;
  } finally {
    file.pushing = undefined;
    done();
  }
}

/** Removes an empty directory. What the guest does not see in it, a swap file say, may be the user's: then it stays. */
export async function removeDirectory(volume: Volume, lease: Lease, directory: DirectoryNode): Promise<void> {
  if (isDirtyBelow(volume, directory)) {
    // Another program removed what was in it, but what the guest wrote there is still to be pushed.
    throw new Failure("not-empty");
  }
  const parent = await directoryHandle(volume, directory.parent!, 0);
  await unsure(directory, volume.disk.remove(lease, parent, directory.name));
  noteRemoved(volume, directory);
  drop(directory);
}

/** Until a removal is known to have failed, the disk is asked again what is there. */
async function unsure(node: Node, removal: Promise<void>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    forgetSeen(node.parent!, [node.name]);
    throw error;
  }
}

/** Takes a file's bytes into memory before it loses its name, if somebody has it open. */
export async function retain(volume: Volume, file: FileNode): Promise<void> {
  if (file.opens === 0 || file.gone) {
    return;
  }
  const size = file.draft?.size ?? file.base?.size ?? 0;
  if (size > RETAINED) {
    return;
  }
  checkNameless(size);
  const retained = new Draft(undefined);
  for (let offset = 0; offset < size;) {
    const bytes = await readAt(volume, file, offset, size - offset);
    if (bytes.length === 0) {
      break;
    }
    retained.write(offset, bytes);
    offset += bytes.length;
  }
  retained.resize(size);
  retained.modified = file.draft?.modified ?? file.base?.lastModified ?? 0;
  file.retained = retained;
}

/** Takes a file's name: what was not pushed of it never will be. */
export function unname(volume: Volume, file: FileNode): void {
  drop(file);
  volume.change(file, () => {
    const { draft, retained } = file;
    if (draft) {
      // Others may have written more while it was taken away.
      retained?.overlay(draft);
    }
    file.draft = file.opens > 0 ? (retained ?? draft ?? new Draft(undefined)) : undefined;
  });
  setBase(file, undefined);
  file.window = file.retained = undefined;
  if (file.opens > 0) {
    noteNameless(file);
  }
}

function noteRemoved(volume: Volume, node: Node): void {
  volume.note(node, (tally) => {
    tally.removed++;
    if (node.kind === "file") {
      tally.files.delete(node);
    }
  });
}
