// What an open file is read from, and what the guest's writes are over: a snapshot. When another program changes the file,
// the bytes of a snapshot are lost; so before anything is written over it, they are in memory, or open.
import { Draft } from "./draft.js";
import { Failure } from "./errors.js";
import { snapshot } from "./lookup.js";
import { areSame, attributesOf, type FileNode, setBase } from "./node.js";
import { takeAhead } from "./read-ahead.js";
import type { Volume } from "./volume.js";
import { keepWindow } from "./windows.js";

/** So often a file is read again that changes while it is read. */
const TRIES = 5;

/** Takes a fresh snapshot for whoever has the file open; `stale`: the one that there is cannot be read. */
export async function freshen(volume: Volume, file: FileNode, stale = false): Promise<void> {
  const [fresh, ahead] = await Promise.all([snapshot(volume, file), file.opens > 0 ? takeAhead(volume, file) : undefined]);
  // The bytes that were read of it stay good when nothing changed.
  const isSame = () => !stale && file.base && areSame(attributesOf(file.base), attributesOf(fresh));
  while (file.preparing && !isSame()) {
    await file.preparing;
  }
  if (isSame()) {
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
 * Makes sure that what a write is over is known, and cannot be lost any more. Throws when the file was removed before that was
 * done.
 */
export async function prepare(volume: Volume, file: FileNode): Promise<void> {
  for (let under = preparing(volume, file); under; under = preparing(volume, file)) {
    await under;
  }
}

/** What a write has to wait for, because it answers at once, and cannot ask any more; `undefined` if nothing. */
export function preparing(volume: Volume, file: FileNode): Promise<void> | undefined {
  const { base } = file;
  if (!base || file.draft || file.gone || file.ready?.base === base) {
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
  const { base, ready } = file;
  if (!file.draft && ready?.base === base) {
    [file.draft, file.ready] = [ready, undefined];
  }
  if (!file.draft && !base && !file.gone) {
    // Nothing is known of what it would be over.
    throw new Failure("busy");
  }
  return (file.draft ??= new Draft(base));
}

function begin(file: FileNode, work: Promise<void>): Promise<void> {
  const preparing = work.finally(() => (file.preparing = undefined));
  file.preparing = preparing.catch(() => {});
  return preparing;
}

/** Gives an open file another base, once all that may be asked of it later is had. Throws when it is not there any more. */
async function load(volume: Volume, file: FileNode, base: File): Promise<void> {
  for (let tries = 1; ; tries++) {
    const ready = await Draft.over(base);
    // What is written into the file while it is read is read. It was not, if the file is still what it was.
    const now = await (file.handle && volume.disk.snapshot(file.handle).catch(() => undefined));
    if (file.opens === 0 || file.draft || file.gone) {
      ready.letGo();
      return;
    }
    const isSame = now ? areSame(attributesOf(now), attributesOf(base)) : ready.isSafe;
    const next = isSame || tries === TRIES ? undefined : await anew(volume, file);
    if (next) {
      ready.letGo();
      base = next;
      continue;
    }
    setBase(file, base, ready);
    if (ready.kept) {
      keepWindow(file, { of: base, start: 0, bytes: ready.kept });
    }
    return;
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
