// Listing a directory, and fetching what a guest that lists one asks next: the attributes of what is in it.
import { adopt, confirm, directoryHandle, fileHandle } from "./lookup.js";
import { isShown } from "./names.js";
import type { DirectoryNode, FileNode } from "./node.js";
import { FETCHED, type Volume } from "./volume.js";

/** An entry as the guest sees it. */
export interface Entry {
  type: "directory" | "regular-file";
  name: string;
}

/** Files fetched ahead of a guest that only lists; one that goes on to ask has more fetched ahead of it. */
const AHEAD = 256;

/** The entries of a directory, those included that the guest wrote and another program removed. */
export async function list(volume: Volume, directory: DirectoryNode): Promise<Entry[]> {
  const listed = await volume.disk.list(await directoryHandle(volume, directory));
  await confirm(volume, directory);
  const entries = new Map<string, Entry>();
  directory.ahead.length = 0;
  for (const [name, handle] of listed) {
    if (!isShown(name)) {
      continue;
    }
    const node = adopt(volume, directory, name, handle);
    if (node?.kind === "file" && !node.draft && !volume.isSeen(node)) {
      directory.ahead.push(node);
    }
    const kind = node?.kind ?? (handle.kind === "file" ? "directory" : "file");
    entries.set(name, { type: kind === "file" ? "regular-file" : "directory", name });
  }
  for (const file of volume.dirty) {
    if (file.parent === directory && !entries.has(file.name)) {
      entries.set(file.name, { type: "regular-file", name: file.name });
    }
  }
  directory.ahead.reverse();
  fetchAhead(volume, directory, AHEAD);
  return [...entries.values()];
}

/** Fetches the attributes of the next `count` files of a directory, beside whatever else is going on. */
export function fetchAhead(volume: Volume, directory: DirectoryNode, count: number): void {
  directory.wanted = Math.min(directory.ahead.length, Math.max(directory.wanted, count));
  while (directory.fetching < volume.parallel && directory.wanted > 0) {
    const file = directory.ahead.pop();
    directory.wanted--;
    if (!file) {
      return;
    }
    if (file.gone || file.draft || volume.isSeen(file)) {
      continue;
    }
    directory.fetching++;
    file.fetching = fetchOne(volume, file).finally(() => {
      file.fetching = undefined;
      directory.fetching--;
      fetchAhead(volume, directory, 0);
    });
  }
}

async function fetchOne(volume: Volume, file: FileNode): Promise<void> {
  try {
    volume.check();
    if (file.parent) {
      // What was listed long ago, or was one of very many, is looked up again.
      const handle = file.handle ?? (await fileHandle(volume, file));
      const [snapshot] = await Promise.all([volume.disk.snapshot(handle), confirm(volume, file.parent)]);
      volume.see(file, snapshot, FETCHED);
    }
  } catch {
    // Whoever asks for it asks the browser again, and is told.
  }
}
