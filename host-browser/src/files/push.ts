// Pushing: what the guest wrote reaches the disk, in a swap file that takes the file's place at once. What another
// program wrote meanwhile is not overwritten; but for the moment of the swap itself, of which `lookout.ts` tells.
import { type Attempt, isOurs, recognize, remember } from "./attempt.js";
import { asConflict } from "./claim.js";
import { makeAgain } from "./create.js";
import type { Lease, To, Writer } from "./disk.js";
import { Draft, SMALL } from "./draft.js";
import { Failure, refused } from "./errors.js";
import type { Piece } from "./extents.js";
import { type Held, HOLDS_LONG } from "./hold.js";
import { lastOther, lookOut, type Seen } from "./lookout.js";
import { directoryHandle, fileHandle } from "./lookup.js";
import { areSame, type Attributes, attributesOf, type Datetime, detach, type FileNode, setBase } from "./node.js";
import { inParallel } from "./pool.js";
import { hasLost, noteLost, rescue } from "./rescue.js";
import type { Volume } from "./volume.js";

/** Something could not be pushed. */
export interface Unpushed {
  file: FileNode;
  error: unknown;
}

/**
 * Pushes all dirty files of `files`, many at a time; those that could not be are given back. `within` is for a caller
 * that has the volume to itself already.
 */
export async function pushAll(
  volume: Volume,
  lease: Lease,
  files: Iterable<FileNode>,
  done: (file: FileNode) => void = () => {},
  within = false,
): Promise<Unpushed[]> {
  const failed: Unpushed[] = [];
  await inParallel(files, volume.parallel, async (file) => {
    await push(volume, lease, file, within).catch((error: unknown) => void failed.push({ file, error }));
    done(file);
  });
  return failed;
}

/** Pushes one file: after that, all that was written before is on disk, under its name or that of a conflict. */
export function push(volume: Volume, lease: Lease, file: FileNode, within = false): Promise<void> {
  const inTurn = async () => {
    while (file.pushing) {
      await file.pushing.catch(() => {});
    }
    if (!volume.dirty.has(file)) {
      return;
    }
    // Set only behind the gate: a rename, which has the volume to itself, may wait for it.
    const pushing = pushNow(volume, lease, file);
    file.pushing = pushing;
    try {
      await pushing;
    } finally {
      file.pushing = undefined;
    }
  };
  return within ? inTurn() : volume.gate.shared(inTurn);
}

async function pushNow(volume: Volume, given: Lease, file: FileNode): Promise<void> {
  const { draft } = file;
  if (!draft || file.gone || !file.parent) {
    return;
  }
  const { writers } = given;
  const check = () => {
    given.check();
    // Whoever wrote it may have gone, while others still use the volume.
    if (file.draft !== draft) {
      throw new Failure("no-device");
    }
  };
  const lease: Lease = { writers, check };
  // Another program's version is saved also when whoever wrote ours has gone; but not when nobody is left who may write.
  const rescuing: Lease = {
    writers,
    check: () => {
      given.check();
      if (!volume.isWritable(file)) {
        throw new Failure("no-device");
      }
    },
  };
  const { version } = draft;
  // What is pushed is what the file is now; the guest may go on writing.
  const content = contentOf(draft);
  // Asked for beside the file itself: a call of the browser's takes as long as it waits.
  const above = file.parent.handle;
  const swap = above && volume.disk.swaps.nameFor(above, file.name);
  await rescue(volume, rescuing, file);
  const place = await findPlace(volume, lease, file, content);
  let pushed: Pushed | undefined;
  if (place.handle) {
    await recognize(volume.disk, draft, place.handle);
    const { made } = place;
    const since = made ? attributesOf(made) : draft.since;
    const parent = await directoryHandle(volume, file.parent);
    const to = { handle: place.handle, parent, path: file.path(), swap: made ? undefined : swap };
    const trying = (attempt: Attempt) => remember(draft, attempt);
    const lost = (theirs: Held) => noteLost(file, theirs);
    try {
      pushed = await replace(volume, lease, to, content, { since, isNew: made !== undefined, trying, lost });
    } catch (error) {
      if (made) {
        await takeBack(volume, lease, to);
      }
      if (!refused(error, "is-directory")) {
        throw error;
      }
    }
  }
  if (pushed?.ours && hasLost(file)) {
    // If one of these cannot be saved, this fails; the next push compares with what was swapped in.
    const { file: base } = pushed;
    volume.change(file, () => draft.rebase(base));
  }
  await rescue(volume, rescuing, file);
  pushed ??= await keepBoth(volume, lease, file, content, place.handle);
  settle(volume, file, draft, version, pushed, content);
  volume.note(file, (tally) => tally.files.set(file, (tally.files.get(file) ?? 0) + content.bytes));
}

/** A version of a file, to be written. */
interface Content {
  size: number;
  /** What of the base is in it, from its start. */
  visible: number;
  pieces: Piece[];
  /** The bytes of the pieces. */
  bytes: number;
  /** The base's bytes, where they were kept, or the base, open: for when the file on disk is not the base any more. */
  kept: Draft["kept"];
  held: Draft["held"];
}

function contentOf(draft: Draft): Content {
  const { size, visible, kept, held, extents } = draft;
  return { size, visible, kept, held, pieces: extents.pieces(), bytes: extents.bytes };
}

/** All of it, if that is little, and known. */
function wholeOf({ size, visible, kept, pieces }: Content): Uint8Array | undefined {
  if (size > SMALL || (visible > 0 && !kept)) {
    return undefined;
  }
  const whole = new Uint8Array(size);
  whole.set(kept?.subarray(0, visible) ?? []);
  pieces.forEach(({ start, bytes }) => whole.set(bytes, start));
  return whole;
}

/** What came of a push. */
interface Pushed {
  /** What is in the place of the file now. */
  file: File;
  /** Whether that is what was pushed: else another program has changed it again. */
  ours: boolean;
}

/**
 * Where to write: the file as it is looked up now, a new one in its place, or none when there is something else, or when
 * what would be written is not whole.
 */
async function findPlace(
  volume: Volume,
  lease: Lease,
  file: FileNode,
  { visible, kept, held }: Content,
): Promise<{ handle?: FileSystemFileHandle; made?: File }> {
  try {
    return { handle: await fileHandle(volume, file, 0) };
  } catch (error) {
    if (refused(error, "is-directory")) {
      return {};
    }
    if (!refused(error, "no-entry")) {
      throw error;
    }
  }
  // It was removed outside, its directories perhaps with it; what the guest wrote is not.
  if (visible > 0 && !kept && !held?.isFresh) {
    return {};
  }
  const parent = await makeAgain(volume, lease, file.parent!);
  file.handle = await volume.disk.createFile(lease, parent, file.name);
  const found = await volume.disk.snapshot(file.handle);
  // Another program may have made it meanwhile.
  return found.size === 0 ? { handle: file.handle, made: found } : { handle: file.handle };
}

/** Removes a file that was made for a version that did not get there: else the next push took it for another program's. */
async function takeBack({ disk }: Volume, lease: Lease, { parent, path }: To): Promise<void> {
  const name = path.at(-1)!;
  try {
    if ((await disk.snapshot(await disk.file(parent, name))).size === 0) {
      await disk.remove(lease, parent, name);
    }
  } catch {
    // It stays, and is empty.
  }
}

/** How a version is written over a file. */
interface Replacing {
  /** What is to be there, if another program may come to it. */
  since?: Attributes | undefined;
  /** It was made for this version: what shows through of a base is not in it. */
  isNew: boolean;
  /** Where to take what was not kept of the base from then; without it that is zeros. */
  other?: Blob | undefined;
  /** Is told what is about to be swapped in. */
  trying?(attempt: Attempt): void;
  /** Gets another program's version that the swap replaced, or after a failure may have. */
  lost?(theirs: Held): void;
}

/** Writes a version over a file; `undefined` when that is not as it was `since`. */
async function replace(
  volume: Volume,
  lease: Lease,
  to: To,
  content: Content,
  { since, isNew, other, trying, lost }: Replacing,
): Promise<Pushed | undefined> {
  const { disk } = volume;
  const { handle } = to;
  const kept = !isNew && content.visible > 0 ? since : undefined;
  const isChanged = async () => since !== undefined && !areSame(attributesOf(await disk.snapshot(handle)), since);
  const writer = await disk.writer(lease, to, kept !== undefined, content.size).catch(async (error: unknown) => {
    // Another tab may be at it for the same reason.
    if (!(await isChanged())) {
      throw error;
    }
  });
  if (!writer) {
    return undefined;
  }
  const attempt = { size: content.size, pieces: content.pieces, until: 0 };
  let seen: Seen[] = [];
  try {
    await write(writer, content, kept ? kept.size : await writeBase(writer, content, other));
    // As late as it can be: what another program writes after this is replaced. What is the same now was the same when
    // Chromium copied it into the swap file, so it need not be compared before that, too.
    if (await isChanged()) {
      await writer.abort();
      return undefined;
    }
    attempt.until = Date.now();
    trying?.(attempt);
    const closing = writer.close();
    seen = since ? await lookOut(disk, handle, since, attempt, closing) : [];
    await closing;
    const file = await writer.placed();
    const ours = await isOurs(disk, file, attempt);
    const replaced = await lastOther(disk, seen, file);
    seen.filter(({ version }) => version !== replaced).forEach(({ version }) => version.letGo());
    if (replaced) {
      lost?.(replaced);
    }
    return { file, ours };
  } catch (error) {
    // The swap may have been done all the same; but not on Windows, while a version is open.
    seen.forEach(({ version }) => (HOLDS_LONG && lost ? lost(version) : version.letGo()));
    await writer.abort();
    throw error;
  }
}

/** Writes what shows through of the base into an empty swap file; tells how much of it there was. */
async function writeBase(writer: Writer, { visible, kept, held }: Content, other: Blob | undefined): Promise<number> {
  const bytes = visible > 0 ? kept : undefined;
  // A push that failed may have read from it: then its start is gone, and the rest is of no use.
  const open = visible > 0 && !bytes && held?.isFresh ? held : undefined;
  let at = 0;
  const start = open?.bytes();
  const next = async () => (await start?.next().catch(ignore))?.value;
  for (let some = await next(); some && at < visible; some = await next()) {
    await writer.write(at, some.subarray(0, visible - at));
    at += Math.min(some.length, visible - at);
  }
  const rest = bytes ? new Blob([bytes as Uint8Array<ArrayBuffer>]) : other?.slice(0, visible);
  if (at < visible && rest && rest.size > at) {
    await writer.write(at, rest.slice(at));
    at = rest.size;
  }
  return at;
}

/** Writes a version into a swap file that has `has` bytes of its base already. */
async function write(writer: Writer, content: Content, has: number): Promise<void> {
  const { visible, size, pieces } = content;
  if (has > visible) {
    await writer.truncate(visible);
    has = visible;
  }
  for (const { start, bytes } of pieces) {
    if (start > has) {
      // So that what lies between is zeros, as it is to the guest.
      await writer.truncate(start);
    }
    await writer.write(start, bytes);
    has = Math.max(has, start + bytes.length);
  }
  if (has !== size) {
    await writer.truncate(size);
  }
}

/** A new name for the guest's version: the other one keeps its name. The guest's descriptors stay with theirs. */
async function keepBoth(
  volume: Volume,
  lease: Lease,
  file: FileNode,
  content: Content,
  outside: FileSystemFileHandle | undefined,
): Promise<Pushed> {
  const directory = file.parent!;
  const { name, handle, done } = await asConflict(volume, lease, file, async (to) => {
    const other = outside && (await volume.disk.snapshot(outside));
    return (await replace(volume, lease, to, content, { isNew: true, other }))!;
  });
  volume.note(file, (tally, path) => tally.conflicts.push({ node: file, path }));
  detach(file);
  [file.name, file.handle, file.checked] = [name, handle, performance.now()];
  directory.children.set(name, file);
  return done;
}

/** The disk has it: there is nothing dirty any more, or only what was written meanwhile. */
function settle(
  volume: Volume,
  file: FileNode,
  draft: Draft,
  version: number,
  { file: pushed, ours }: Pushed,
  content: Content,
): void {
  volume.change(file, () => {
    // If it is another draft, whoever wrote this one has gone meanwhile.
    if (file.draft === draft) {
      if (draft.version === version) {
        file.draft = undefined;
      } else if (ours) {
        draft.rebase(pushed);
      }
      // Else it stays over what it was over, so that the next push sees that the file changed.
    }
  });
  volume.see(file, pushed);
  // Of what is there nothing has to be read before the guest may write on.
  const whole = ours && file.opens > 0 && volume.mayKeep(pushed.size) ? wholeOf(content) : undefined;
  setBase(file, pushed, whole && new Draft(pushed, whole));
  // The guest keeps seeing the time it wrote at, not the time of the push.
  file.times.modified ??= toDatetime((file.draft ?? draft).modified);
  file.times.asOf = pushed.lastModified;
}

/** Milliseconds as WASI has them. */
export function toDatetime(milliseconds: number): Datetime {
  // WASI has no times before 1970.
  milliseconds = Math.max(0, milliseconds);
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds: BigInt(seconds), nanoseconds: Math.floor((milliseconds - 1000 * seconds) * 1e6) };
}

function ignore(): void {}
