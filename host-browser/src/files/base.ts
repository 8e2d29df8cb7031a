// What an open file is read from, and what the guest's writes are over: a snapshot. When another program changes the file,
// the bytes of a snapshot are lost; so before anything is written over it, they are in memory, or open.
import { Draft, SMALL } from "./draft.js";
import { Failure } from "./errors.js";
import { snapshot } from "./lookup.js";
import { areSame, attributesOf, type FileNode, setBase } from "./node.js";
import { takeAhead } from "./read-ahead.js";
import type { Volume } from "./volume.js";
import { keepWindow } from "./windows.js";

/** So often a file is read again that another program writes to without pause. */
const TRIES = 5;

/** Takes a fresh snapshot for whoever has the file open; another one than `unreadable`, of which nothing can be read. */
export async function freshen(volume: Volume, file: FileNode, unreadable?: File): Promise<void> {
  const [fresh, ahead] = await Promise.all([snapshot(volume, file), file.opens > 0 ? takeAhead(volume, file) : undefined]);
  // The bytes that were read of it stay good when nothing changed.
  const isFresh = () => file.base && file.base !== unreadable && areSame(attributesOf(file.base), attributesOf(fresh));
  while (file.preparing && !isFresh()) {
    await file.preparing;
  }
  if (isFresh()) {
    return;
  }
  if (file.ready) {
    // Somebody may be about to write over it, without waiting for anything.
    await begin(file, load(volume, file, fresh));
  } else if (file.opens > 0 && ahead && areSame(attributesOf(ahead.of), attributesOf(fresh))) {
    setBase(file, ahead.of);
    keepWindow(file, ahead);
  } else {
    setBase(file, fresh);
  }
}

/**
 * Makes sure that what a write is over is known, and cannot be lost any more. Throws when the file was removed before it was
 * read.
 */
export async function prepare(volume: Volume, file: FileNode): Promise<void> {
  for (let under = preparing(volume, file); under; under = preparing(volume, file)) {
    await under;
  }
}

/** What a write has to wait for, because it answers at once, and cannot ask any more; `undefined` if nothing. */
export function preparing(volume: Volume, file: FileNode): Promise<void> | undefined {
  const { base } = file;
  if (!base || file.draft || file.ready || file.gone || !volume.isWritable(file)) {
    return undefined;
  }
  if (base.size === 0) {
    setBase(file, base, new Draft(base));
    return undefined;
  }
  return file.preparing ?? begin(file, load(volume, file, base));
}

/** The draft that a write goes to. */
export function draftOf(file: FileNode): Draft {
  if (!file.draft && !file.base && !file.gone) {
    // Nothing is known of what it would be over.
    throw new Failure("busy");
  }
  [file.draft, file.ready] = [file.draft ?? file.ready ?? new Draft(file.base), undefined];
  return file.draft;
}

function begin(file: FileNode, work: Promise<void>): Promise<void> {
  const preparing = work.finally(() => (file.preparing = undefined));
  file.preparing = preparing.catch(() => {});
  return preparing;
}

/** Gives an open file another base, and what a write needs of it. Throws when it is not there any more. */
async function load(volume: Volume, file: FileNode, base: File): Promise<void> {
  const was = file.base;
  for (let tries = 1; ; tries++) {
    const ready = await Draft.over(base);
    // Another program may have written into the file while it was read: not if the file is still what it was.
    const look = file.handle ? volume.disk.snapshot(file.handle) : snapshot(volume, file);
    const now = await look.catch(() => undefined);
    if (file.opens === 0 || file.draft || file.gone || file.base !== was || !volume.isWritable(file)) {
      ready.letGo();
      return;
    }
    const isSame = !now || areSame(attributesOf(now), attributesOf(base));
    // Of a large one nothing may be had.
    const isDone = isSame && (ready.isSafe || base.size > SMALL);
    const next = isDone || tries === TRIES ? undefined : await anew(volume, file);
    if (!next) {
      setBase(file, base, ready);
      return;
    }
    ready.letGo();
    base = next;
  }
}

/** The file as it is now; `undefined` when it cannot be looked at: whoever needs it is told then. */
async function anew(volume: Volume, file: FileNode): Promise<File | undefined> {
  try {
    return await snapshot(volume, file);
  } catch (error) {
    if (file.gone) {
      throw error;
    }
    return undefined;
  }
}
