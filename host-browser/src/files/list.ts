// Listing a directory, and fetching what a guest that lists one asks next: the attributes of what is in it.
import { adopt, confirm, directoryHandle, snapshot } from "./lookup.js";
import { isShown } from "./names.js";
import type { DirectoryNode, FileNode } from "./node.js";
import { FETCHED, FRESH, type Volume } from "./volume.js";

/** An entry as the guest sees it. */
export interface Entry {
  type: "directory" | "regular-file";
  name: string;
}

/** Files fetched ahead of a guest that only lists. */
const LISTED = 8;
/** The same of one that asks about them. */
const ASKED = 256;
/** As many are asked for at once, where there are: their directory is confirmed for all of them together. */
const GROUP = 12;
/** Files that one which asks about them in their order waits for at once: to be suspended costs a guest more than the wait. */
const TOGETHER = 16;
/** For how long, in milliseconds, at most. */
const SHORT = 20;

/**
 * The entries of a directory, those included that the guest wrote and another program removed. They are sorted: a guest
 * that sorts them and one that does not go on in the same order, for which there is work that can be done beforehand.
 */
export async function list(volume: Volume, directory: DirectoryNode): Promise<Entry[]> {
  const place = await directoryHandle(volume, directory);
  const began = performance.now();
  const [listed] = await Promise.all([volume.disk.list(place), confirm(volume, directory)]);
  listed.sort(([one], [other]) => (one < other ? -1 : 1));
  const entries = new Map<string, Entry>();
  const files: FileNode[] = [];
  for (const [name, handle] of listed) {
    if (!isShown(name)) {
      continue;
    }
    const node = adopt(volume, directory, name, handle, began);
    if (node?.kind === "file") {
      files.push(node);
    }
    const kind = node?.kind ?? (handle.kind === "file" ? "directory" : "file");
    entries.set(name, { type: kind === "file" ? "regular-file" : "directory", name });
  }
  for (const file of volume.dirty) {
    if (file.parent === directory && !entries.has(file.name)) {
      entries.set(file.name, { type: "regular-file", name: file.name });
    }
  }
  files.forEach((file, place) => (file.next = files[place + 1]));
  directory.next = files[0];
  directory.ahead = files.filter((file) => isWanted(volume, file)).reverse();
  // One that asked about what it listed before will do so again.
  fetchAhead(volume, directory, volume.asked ? ASKED : LISTED);
  volume.asked = false;
  return [...entries.values()];
}

/** A guest that asks about one of a directory's files will ask about the next. */
export function askedOf(volume: Volume, file: FileNode): void {
  const { parent } = file;
  if (!parent) {
    return;
  }
  volume.asked = true;
  [parent.asksInOrder, parent.asked] = [parent.asked?.next === file, file];
  if (parent.ahead.length > 0) {
    fetchAhead(volume, parent, ASKED);
  }
}

/** Waits until a file's attributes have been fetched, if they are being. */
export async function fetched(file: FileNode): Promise<void> {
  await file.fetching;
  const others: Promise<void>[] = [];
  let next = file.parent?.asksInOrder ? file.next : undefined;
  for (let left = TOGETHER - 1; next && left > 0; left--, next = next.next) {
    if (next.fetching) {
      others.push(next.fetching);
    }
  }
  if (others.length > 0) {
    // One that hangs keeps no guest from what it asked for.
    await Promise.race([Promise.all(others), new Promise((resolve) => setTimeout(resolve, SHORT))]);
  }
}

/** Fetches the attributes of the next `count` files of a directory, beside whatever else is going on. */
function fetchAhead(volume: Volume, directory: DirectoryNode, count: number): void {
  directory.wanted = Math.min(directory.ahead.length, Math.max(directory.wanted, count));
  if (volume.parallel - directory.fetching < Math.min(directory.wanted, GROUP, volume.parallel)) {
    return;
  }
  while (directory.fetching < volume.parallel && directory.wanted > 0) {
    const file = directory.ahead.pop()!;
    directory.wanted--;
    if (!isWanted(volume, file)) {
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

/** Whether its attributes are not known, or will not be believed any more soon, and nobody has asked for them just now. */
function isWanted(volume: Volume, file: FileNode): boolean {
  const isKnown = volume.isSeen(file, FRESH) || (file.seen && volume.isFresh(file.seen.at, FRESH));
  return !isKnown && !file.gone && !file.draft && !file.fetching;
}

async function fetchOne(volume: Volume, file: FileNode): Promise<void> {
  try {
    volume.check();
    await snapshot(volume, file, FRESH, FETCHED, true);
  } catch {
    // Whoever asks for it asks the browser again, and is told.
  }
}
