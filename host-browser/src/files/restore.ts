// What a tab that died had not pushed is dirty again, to be pushed as everything is: where another program changed the
// file since, or the guest did, both versions are kept.
import type { Unsaved } from "../journal/replay.js";
import { remember } from "./attempt.js";
import { refused } from "./errors.js";
import { fileHandle } from "./lookup.js";
import { DirectoryNode, FileNode } from "./node.js";
import type { Volume } from "./volume.js";

/** Whether the guest had removed it, and the tab died before it could note that. */
export async function isRemoved(volume: Volume, base: DirectoryNode, { path, removing }: Unsaved): Promise<boolean> {
  if (!removing) {
    return false;
  }
  try {
    await fileHandle(volume, nodeOf(base, path), 0);
    return false;
  } catch (error) {
    if (refused(error, "no-entry", "is-directory", "not-directory")) {
      return true;
    }
    throw error;
  }
}

/** Makes a file dirty. */
export function restore(volume: Volume, base: DirectoryNode, { path, draft }: Unsaved): void {
  draft.modified = volume.now();
  if (draft.extents.covers(draft.visible, draft.size)) {
    // The tab may have died when the push was done.
    remember(draft, { size: draft.size, pieces: draft.extents.pieces(), until: Infinity });
  }
  const file = nodeOf(base, path);
  volume.change(file, () => void (file.draft = draft));
}

/**
 * A node that the guest does not know: what the guest has open stays what it is, and learns of this version once it is on
 * disk, as of another program's.
 */
function nodeOf(base: DirectoryNode, path: string): FileNode {
  const names = path.split("/");
  const name = names.pop()!;
  return new FileNode(names.reduce((parent, name) => new DirectoryNode(parent, name), base), name);
}
