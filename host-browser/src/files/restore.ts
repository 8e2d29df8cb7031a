// What a tab that died had not pushed is dirty again, to be pushed as everything is: where another program changed the
// file since, or the guest did, both versions are kept.
import type { Unsaved } from "../journal/replay.js";
import { remember } from "./attempt.js";
import { DirectoryNode, FileNode } from "./node.js";
import type { Volume } from "./volume.js";

/**
 * Makes a file dirty. Its node is none that the guest knows: what the guest has open stays what it is, and learns of this
 * version once it is on disk, as of another program's.
 */
export function restore(volume: Volume, base: DirectoryNode, { path, draft }: Unsaved): void {
  const names = path.split("/");
  const name = names.pop()!;
  const parent = names.reduce((parent, name) => new DirectoryNode(parent, name), base);
  const file = new FileNode(parent, name);
  draft.modified = volume.now();
  if (draft.extents.covers(draft.visible, draft.size)) {
    // The tab may have died when the push was done.
    remember(draft, { size: draft.size, pieces: draft.extents.pieces(), until: Infinity });
  }
  volume.change(file, () => void (file.draft = draft));
}
