// Reading ahead of a guest that opens one small file after the other, in the order in which they were listed. What is read
// is shown to nobody before the file is opened, and found by a new look to be the one that was read: no open is any later
// than it would be.
import { snapshot } from "./lookup.js";
import { areSame, attributesOf, type FileNode, type Window } from "./node.js";
import { FETCHED, FRESH, type Volume } from "./volume.js";

/** Files that are read ahead of a guest. */
const AHEAD = 8;
/** Files that are kept until they are opened: those of one directory, and of another that the guest goes to and fro to. */
const KEPT = 2 * AHEAD;
/** Larger ones are not. */
const SMALL = 64 * 1024;
/** The coarsest clock of a disk, in milliseconds: what is older than that does not change without having another time. */
const TICK = 2_000;

/** The guest opens a file for reading: goes on with those behind it, more and more, as long as it goes by the listing. */
export function readOn(volume: Volume, file: FileNode): void {
  const { parent: directory } = file;
  if (!directory) {
    return;
  }
  directory.inOrder = directory.next === file ? directory.inOrder + 1 : 0;
  directory.next = file.next;
  // It reads, and does not ask for attributes.
  directory.wanted = 0;
  const count = Math.min(directory.inOrder, AHEAD);
  const those: FileNode[] = [];
  let { next } = file;
  for (let left = count; next && left > 0; left--, next = next.next) {
    if (!next.readAhead && !next.draft && !next.gone && next.opens === 0) {
      those.push(next);
    }
  }
  // Several at once: their directory is confirmed for all of them together.
  if (those.length >= count / 2 || !next) {
    those.forEach((one) => keep(volume, one, readAhead(volume, one)));
  }
}

/** What was read of a file before it is opened. To be used if that is what a look finds that began after that. */
export function takeAhead(volume: Volume, file: FileNode): FileNode["readAhead"] {
  const { readAhead } = file;
  letGo(volume, file);
  return readAhead;
}

function keep(volume: Volume, file: FileNode, bytes: FileNode["readAhead"]): void {
  file.readAhead = bytes;
  volume.readAhead.add(file);
  for (const oldest of volume.readAhead) {
    if (volume.readAhead.size <= KEPT) {
      return;
    }
    letGo(volume, oldest);
  }
}

function letGo(volume: Volume, file: FileNode): void {
  file.readAhead = undefined;
  volume.readAhead.delete(file);
}

async function readAhead(volume: Volume, file: FileNode): Promise<Window<File> | undefined> {
  try {
    volume.check();
    const of = await snapshot(volume, file, FRESH, FETCHED, true);
    volume.check();
    if (of.size > SMALL || of.lastModified > volume.now() - TICK) {
      return undefined;
    }
    const bytes = await volume.disk.read(of, 0, of.size);
    const { seen } = file;
    if (seen && bytes.length > 0 && areSame(seen, attributesOf(of))) {
      // A directory, which has a snapshot, too, has no bytes.
      seen.isFile = true;
    }
    return { of, start: 0, bytes };
  } catch {
    // Whoever opens it is told.
    return undefined;
  }
}
