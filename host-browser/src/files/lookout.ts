// While `close` swaps a file in, which takes seconds for a large one, another program may still put its version in that
// place; the swap then replaces it. Chromium has no swap that refuses, but what is open stays readable when it loses its
// name: so a version that is seen in time is opened, and can be kept. What comes and goes between two looks cannot.
import { type Attempt, mayBeOurs } from "./attempt.js";
import type { Disk } from "./disk.js";
import { hold, type Held } from "./hold.js";
import { areSame, type Attributes, attributesOf } from "./node.js";

/** Milliseconds between two looks, at most; the first ones follow at once. */
const PAUSE = 5;

/** So many are kept: the last one may still be what was swapped in, on a disk whose clock is ahead. */
const MOST_SEEN = 2;

/** A version that was seen. */
export interface Seen {
  version: Held;
  /** It was another one right after it was opened: so what is open is either. */
  isDoubtful: boolean;
}

/**
 * The last versions seen in the place of a file while it was `closing`: without the one of `since`, and without what may be
 * the attempt itself, which is there a while before `closing` settles.
 */
export async function lookOut(
  disk: Disk,
  handle: FileSystemFileHandle,
  since: Attributes,
  attempt: Attempt,
  closing: Promise<void>,
): Promise<Seen[]> {
  const all: Seen[] = [];
  let [over, seen] = [false, since];
  const ended = closing.then(
    () => void (over = true),
    () => void (over = true),
  );
  for (let looks = 0; !over; looks++) {
    // The file was compared right before, so the first look comes after a pause. At the end nobody waits for either: what is
    // opened after that is what was swapped in.
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, Math.min(looks, PAUSE)))]);
    const found = over ? undefined : await Promise.race([ended, disk.snapshot(handle).catch(() => undefined)]);
    if (!found || areSame(attributesOf(found), seen) || mayBeOurs(found, attempt)) {
      continue;
    }
    const version = await hold(found, disk.patience).catch(() => undefined);
    if (!version) {
      // It was swapped just then.
      continue;
    }
    const still = await disk.snapshot(handle).catch(() => undefined);
    seen = attributesOf(found);
    all.push({ version, isDoubtful: !still || !areSame(attributesOf(still), seen) });
    if (all.length > MOST_SEEN) {
      all.shift()!.version.letGo();
    }
  }
  return all;
}

/** The last of them that is another than what is there after the swap. */
export async function lastOther(disk: Disk, all: Seen[], file: File): Promise<Held | undefined> {
  for (const { version, isDoubtful } of all.toReversed()) {
    if (!areSame(attributesOf(version.file), attributesOf(file)) && !(isDoubtful && (await beginsAs(disk, version, file)))) {
      return version;
    }
  }
  return undefined;
}

/** Whether the first bytes of both are the same. */
async function beginsAs(disk: Disk, version: Held, file: File): Promise<boolean> {
  const { value: first = new Uint8Array() } = await version.bytes().next();
  const there = await disk.read(file, 0, first.length);
  return there.length === first.length && there.every((byte, at) => byte === first[at]);
}
