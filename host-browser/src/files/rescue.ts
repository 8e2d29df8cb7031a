// What a swap replaces after all: another program's version that came so late that only `lookout.ts` saw it. It is held open
// until it is saved under the name of a conflict; what cannot be saved is tried again with the next push of the file, and
// before it is removed or replaced.
import { asConflict } from "./claim.js";
import type { Lease } from "./disk.js";
import type { Held } from "./hold.js";
import { adopt, snapshot } from "./lookup.js";
import { areSame, attributesOf, type FileNode } from "./node.js";
import type { Volume } from "./volume.js";

/** Versions of each file that are not saved yet. */
const versions = new WeakMap<FileNode, Set<Held>>();

/** Another program's version of a file was replaced, or may have been. */
export function noteLost(file: FileNode, version: Held): void {
  versions.set(file, (versions.get(file) ?? new Set()).add(version));
}

/** Whether one of a file is not saved yet. */
export function hasLost(file: FileNode): boolean {
  return versions.has(file);
}

/** Saves them under names of conflicts, but for what is in the place of the file after all. */
export async function rescue(volume: Volume, lease: Lease, file: FileNode): Promise<void> {
  for (const version of versions.get(file) ?? []) {
    const there = await snapshot(volume, file, 0).catch(() => undefined);
    try {
      if (!there || !areSame(attributesOf(there), attributesOf(version.file))) {
        await save(volume, lease, file, version);
      }
    } catch (error) {
      if (!version.isFresh) {
        // Its start is gone: there is no other try. Nobody may hear of this one, so the next sync tells.
        forget(file, version);
        volume.note(file, ({ lost }) => lost.set(file, error));
      }
      throw error;
    }
    forget(file, version);
  }
  versions.delete(file);
}

/** Another program's version gets a new name. */
async function save(volume: Volume, lease: Lease, file: FileNode, version: Held): Promise<void> {
  const { name, handle } = await asConflict(volume, lease, file, async (to) => {
    const writer = await volume.disk.writer(lease, to, false, version.file.size);
    try {
      let at = 0;
      for await (const bytes of version.bytes()) {
        await writer.write(at, bytes);
        at += bytes.length;
      }
      await writer.close();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  });
  const node = adopt(volume, file.parent!, name, handle) as FileNode;
  volume.note(file, (tally, path) => tally.conflicts.push({ node, path }));
}

function forget(file: FileNode, version: Held): void {
  versions.get(file)?.delete(version);
  version.letGo();
}
