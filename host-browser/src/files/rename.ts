// Renaming. Copy, then remove: `move()` would ask the user about some names, and does not work on directories. Whenever
// it dies, all that was on disk under the old name is there, or all of it is there under the new one, or both; where the
// disk does not tell the two names apart, it may be under a third one.
import type { Lease, To } from "./disk.js";
import { Failure, refused } from "./errors.js";
import { adopt, child, childIfAny, directoryHandle, isDirtyBelow, snapshot, walk } from "./lookup.js";
import { checkNew, isShown, isSwap, mayBeSame, passingName } from "./names.js";
import {
  areSame, type Attributes, attributesOf, type DirectoryNode, type FileNode, forgetSeen, moveNode, type Node, setBase,
} from "./node.js";
import { inParallel } from "./pool.js";
import { pushAll, toDatetime } from "./push.js";
import { MOST } from "./read.js";
import { retain, unname } from "./remove.js";
import { rescue } from "./rescue.js";
import type { Volume } from "./volume.js";

/** A name in a directory; `slash` when the path said that it is a directory's. */
export interface Target {
  parent: DirectoryNode;
  name: string;
  slash: boolean;
}

/** How often a file is copied again because another program changed it meanwhile. */
const ATTEMPTS = 3;

/** Renames what is at `from` to `to`, replacing what POSIX lets it replace. */
export async function rename(volume: Volume, lease: Lease, from: Target, to: Target): Promise<void> {
  // Nothing is pushed while names change, so that no push lands under an old name.
  const renaming = volume.gate.alone(async () => {
    const node = await child(volume, from.parent, from.name);
    checkNew(to.name, node.kind);
    if (node.kind === "file" && (from.slash || to.slash)) {
      throw new Failure("not-directory");
    }
    if (node.kind === "directory" && to.parent.isIn(node)) {
      throw new Failure("invalid");
    }
    const other = await childIfAny(volume, to.parent, to.name);
    if (other === node) {
      return;
    }
    if (other?.kind === "directory" && node.isIn(other)) {
      // As POSIX has it, also for a file.
      throw new Failure("not-empty");
    }
    if (!other || !(await areOne(volume, node, to))) {
      await move(volume, lease, node, to, other);
      return;
    }
    // The copy would be the original: so by way of a third name.
    await move(volume, lease, node, { ...to, name: await freeName(volume, to) }, undefined);
    await move(volume, lease, node, to, await childIfAny(volume, to.parent, to.name));
  });
  await renaming.catch((error: unknown) => {
    // How far it got, the disk is asked.
    [from, to].forEach(({ parent, name }) => forgetSeen(parent, [name]));
    throw error;
  });
}

/** Whether both are names of one thing, on a disk that does not tell case or Unicode's forms apart: it lists only one. */
async function areOne(volume: Volume, node: Node, to: Target): Promise<boolean> {
  const [one, other] = [node.path(), [...to.parent.path(), to.name]];
  if (!mayBeSame(one, other)) {
    return false;
  }
  const at = one.findIndex((name, index) => name !== other[index]);
  let directory = node.parent!;
  for (let below = at + 1; below < one.length; below++) {
    directory = directory.parent!;
  }
  const listed = (await volume.disk.list(await directoryHandle(volume, directory))).map(([name]) => name);
  return !(listed.includes(one[at]!) && listed.includes(other[at]!));
}

async function freeName(volume: Volume, { parent, name }: Target): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const free = passingName(name, attempt);
    if (!(await childIfAny(volume, parent, free))) {
      return free;
    }
  }
}

/** `other` is what has the name now. */
async function move(volume: Volume, lease: Lease, node: Node, to: Target, other: Node | undefined): Promise<void> {
  volume.moving = node;
  try {
    await moveNow(volume, lease, node, to, other);
  } finally {
    volume.moving = undefined;
  }
  volume.moved(node);
}

async function moveNow(volume: Volume, lease: Lease, node: Node, to: Target, other: Node | undefined): Promise<void> {
  if (node.kind === "file") {
    if (other?.kind === "directory") {
      throw new Failure("is-directory");
    }
    if (other) {
      await rescue(volume, lease, other);
    }
    if (!(await carryFile(volume, lease, node, to, other))) {
      await pushBelow(volume, lease, node);
      await moveFile(volume, lease, node, to, await pushReplaced(volume, lease, to, other));
    }
  } else {
    if (other?.kind === "file") {
      throw new Failure("not-directory");
    }
    if (other && isDirtyBelow(volume, other)) {
      // Another program removed what was in it, but what the guest wrote there is still to be pushed.
      throw new Failure("not-empty");
    }
    await pushBelow(volume, lease, node);
    await moveDirectory(volume, lease, node, to, other);
  }
}

/** What is dirty goes to disk first, under the old name: so a conflict is seen there, where it is. */
async function pushBelow(volume: Volume, lease: Lease, node: Node): Promise<void> {
  const dirty = [...volume.dirty].filter((file) => file.isIn(node));
  const [failed] = await pushAll(volume, lease, dirty, undefined, true);
  if (failed) {
    throw failed.error;
  }
}

/**
 * What is dirty of the file that has the new name goes to disk before the copy does: if the browser dies after that, the
 * journal must not have a version of a file that is another one by then, which would be kept as a conflict. What cannot be
 * pushed would only be replaced. Answers the file if it still has the name.
 */
async function pushReplaced(
  volume: Volume,
  lease: Lease,
  { parent, name }: Target,
  other: FileNode | undefined,
): Promise<FileNode | undefined> {
  if (other?.draft) {
    await pushAll(volume, lease, [other], undefined, true);
  }
  return other && parent.children.get(name) === other ? other : undefined;
}

/**
 * A file that is new, and on disk still empty, needs no copy: what was written is pushed under the new name later.
 * This is how most programs save: they write a new file and rename it over the old one, which stays as it is on disk
 * until the push swaps it.
 */
async function carryFile(
  volume: Volume,
  lease: Lease,
  file: FileNode,
  to: Target,
  other: FileNode | undefined,
): Promise<boolean> {
  const { draft } = file;
  if (!draft || draft.since.size > 0) {
    return false;
  }
  try {
    const found = await snapshot(volume, file, 0);
    if (found.size > 0 || found.lastModified !== draft.since.modified) {
      return false;
    }
  } catch (error) {
    if (refused(error, "no-entry", "is-directory")) {
      // Another program removed it: the push makes it again.
      return false;
    }
    throw error;
  }
  await toTarget(volume, lease, to, other, async ({ handle }) => {
    const replaced = await volume.disk.snapshot(handle);
    await removeSource(volume, lease, file);
    draft.since = attributesOf(replaced);
    draft.base = undefined;
    settle(volume, file, to, other, handle);
  });
  volume.pushSoon();
  return true;
}

async function moveFile(
  volume: Volume,
  lease: Lease,
  file: FileNode,
  to: Target,
  other: FileNode | undefined,
): Promise<void> {
  const item: Copied = { file };
  const handle = await toTarget(volume, lease, to, other, async (made) => {
    [item.made, item.copy] = [made, await copyWhole(volume, lease, file, made)];
  });
  await removeOriginal(volume, lease, item);
  settle(volume, file, to, other, handle);
}

/** Does something with the target's file, which is taken away again when that fails and it was not there before. */
async function toTarget<T>(
  volume: Volume,
  lease: Lease,
  { parent, name }: Target,
  other: FileNode | undefined,
  work: (to: To) => Promise<T>,
): Promise<FileSystemFileHandle> {
  if (other) {
    await retain(volume, other);
  }
  const directory = await directoryHandle(volume, parent, 0);
  const isEmpty = async () => (await volume.disk.snapshot(await volume.disk.file(directory, name))).size === 0;
  let isNew = false;
  try {
    // With `other` this finds its file.
    const handle = await volume.disk.createFile(lease, directory, name);
    // One that another program made meanwhile is replaced, but it is not ours to remove.
    isNew = !other && (await isEmpty());
    await work({ handle, parent: directory, path: [...parent.path(), name] });
    return handle;
  } catch (error) {
    if (other) {
      other.retained = undefined;
    } else {
      // Never a directory: it is another program's.
      await (isNew ? volume.disk.file(directory, name).then(() => true) : isEmpty())
        .then((isOurs) => (isOurs ? volume.disk.remove(lease, directory, name) : undefined))
        .catch(() => {});
    }
    throw error;
  }
}

async function removeSource(volume: Volume, lease: Lease, file: FileNode): Promise<void> {
  await volume.disk.remove(lease, await directoryHandle(volume, file.parent!, 0), file.name);
}

/** The file has its new name. */
function settle(
  volume: Volume,
  file: FileNode,
  { parent, name }: Target,
  other: FileNode | undefined,
  handle: FileSystemFileHandle,
): void {
  moveNode(file, parent, name);
  [file.handle, file.checked] = [handle, performance.now()];
  if (other) {
    volume.replaced(other, file);
    unname(volume, other);
  }
  volume.note(file, (tally) => tally.files.set(file, tally.files.get(file) ?? 0));
}

/** What a file was when it was copied, and its copy. */
interface Copy {
  source: Attributes;
  copy: File;
}

/** Copies a file until the copy is what the file is. */
async function copyWhole(volume: Volume, lease: Lease, file: FileNode, to: To): Promise<Copy> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const source = await snapshot(volume, file, 0);
    const copy = await copyOnce(volume, lease, source, to).catch((error: unknown) => {
      if (error instanceof Failure && error.stale) {
        return undefined;
      }
      throw error;
    });
    const now = copy && (await snapshot(volume, file));
    if (copy && now && areSame(attributesOf(now), attributesOf(source))) {
      volume.see(file, copy);
      if (file.times.asOf !== source.lastModified || !file.times.modified) {
        file.times.modified = toDatetime(source.lastModified);
      }
      file.times.asOf = copy.lastModified;
      return { source: attributesOf(source), copy };
    }
  }
  throw new Failure("busy");
}

async function copyOnce(volume: Volume, lease: Lease, source: File, to: To): Promise<File> {
  const writer = await volume.disk.writer(lease, to, false, source.size);
  try {
    if (source.size > 0) {
      await writer.write(0, source);
    }
    await writer.close();
    return await writer.placed();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** A directory of the source, and its copy; `within` is where the copy was made. */
interface Pair {
  from: DirectoryNode;
  to: FileSystemDirectoryHandle;
  within: FileSystemDirectoryHandle | undefined;
}

/** A file of the source, and its copy once that is made. */
interface Copied {
  file: FileNode;
  made?: To;
  copy?: Copy;
}

/** Copies of files, by their paths in the directory that is renamed. */
type Copies = Map<string, Attributes>;

/**
 * What is under the new names of directories whose rename failed, by both names: when files are under the new name only,
 * it cannot be taken back, and the next try goes on with it.
 */
const unfinished = new WeakMap<Volume, Map<string, Copies>>();

async function moveDirectory(
  volume: Volume,
  lease: Lease,
  node: DirectoryNode,
  { parent, name }: Target,
  other: DirectoryNode | undefined,
): Promise<void> {
  if (!unfinished.has(volume)) {
    unfinished.set(volume, new Map());
  }
  const [tried, which] = [unfinished.get(volume)!, JSON.stringify([node.path(), parent.path(), name])];
  const begun = tried.get(which);
  if (other && !(await hasOnly(volume, await directoryHandle(volume, other), node, begun))) {
    throw new Failure("not-empty");
  }
  const copies: Copies = begun ?? new Map();
  tried.set(which, copies);
  const above = await directoryHandle(volume, parent, 0);
  const pairs: Pair[] = [];
  const files: (Copied & { to: FileSystemDirectoryHandle })[] = [];
  try {
    const top = await volume.disk.createDirectory(lease, above, name);
    pairs.push({ from: node, to: top, within: other ? undefined : above });
    for (const pair of pairs) {
      for (const [entry, handle] of await volume.disk.list(await directoryHandle(volume, pair.from, 0))) {
        const found = isShown(entry) ? adopt(volume, pair.from, entry, handle) : undefined;
        if (found?.kind === "directory") {
          const to = await volume.disk.createDirectory(lease, pair.to, entry);
          pairs.push({ from: found, to, within: pair.to });
        } else if (found) {
          files.push({ file: found, to: pair.to });
        }
      }
    }
    await inParallel(files, volume.parallel, async (item) => {
      const handle = await volume.disk.createFile(lease, item.to, item.file.name);
      const path = item.file.path(node);
      if (!(await isCopy(volume, await volume.disk.snapshot(handle), node, copies, path))) {
        // Another program was faster, and made a file there.
        throw new Failure("not-empty");
      }
      item.made = { handle, parent: item.to, path: [...parent.path(), name, ...path] };
      item.copy = await copyWhole(volume, lease, item.file, item.made);
      copies.set(path.join("/"), attributesOf(item.copy.copy));
    });
  } catch (error) {
    await removeCopies(volume, lease, files, pairs);
    throw error;
  }
  // The copy is whole: from here on, the old names are what is too much.
  await inParallel(files, volume.parallel, async (item) => {
    await removeOriginal(volume, lease, item);
    copies.set(item.file.path(node).join("/"), attributesOf(item.copy!.copy));
  });
  for (const { from } of pairs.slice(1).reverse()) {
    await volume.disk.remove(lease, await directoryHandle(volume, from.parent!, 0), from.name);
  }
  // Fails with `not-empty` when the browser hides something in it: that stays, and nothing else does.
  await volume.disk.remove(lease, await directoryHandle(volume, node.parent!, 0), node.name);
  tried.delete(which);
  if (other) {
    other.gone = true;
  }
  moveNode(node, parent, name);
}

/** Whether there is nothing in a directory but what an earlier try to rename `node` to it put there. */
async function hasOnly(
  volume: Volume,
  directory: FileSystemDirectoryHandle,
  node: DirectoryNode,
  copies: Copies | undefined,
  path: string[] = [],
): Promise<boolean> {
  for (const [name, handle] of await volume.disk.list(directory)) {
    if (isSwap(name)) {
      continue;
    }
    const below = [...path, name];
    const isOurs =
      handle.kind === "directory"
        ? copies && (await hasOnly(volume, handle as FileSystemDirectoryHandle, node, copies, below))
        : copies && (await isCopy(volume, await volume.disk.snapshot(handle as FileSystemFileHandle), node, copies, below));
    if (!isOurs) {
      return false;
    }
  }
  return true;
}

/** Whether a file is a copy of ours, begun or done, or no different from what it would be. */
async function isCopy(
  volume: Volume,
  found: File,
  node: DirectoryNode,
  copies: Copies,
  path: string[],
): Promise<boolean> {
  const copy = copies.get(path.join("/"));
  if (found.size === 0 || (copy && areSame(attributesOf(found), copy))) {
    return true;
  }
  // Nobody was told that it was swapped in.
  const file = await Promise.resolve(walk(volume, node, { parts: path, directory: false })).catch((error: unknown) => {
    if (!refused(error, "no-entry", "not-directory")) {
      throw error;
    }
  });
  return file?.kind === "file" && (await areEqual(volume, found, await snapshot(volume, file, 0)));
}

async function areEqual({ disk }: Volume, one: File, other: File): Promise<boolean> {
  let equal = one.size === other.size;
  for (let at = 0; equal && at < one.size; at += MOST) {
    const [left, right] = await Promise.all([one, other].map((file) => disk.read(file, at, at + MOST)));
    equal = left!.every((byte, index) => byte === right![index]);
  }
  return equal;
}

/** Removes a file that was copied; what another program made of it meanwhile is copied before. */
async function removeOriginal(volume: Volume, lease: Lease, item: Copied): Promise<void> {
  const { file, made, copy } = item;
  const parent = await directoryHandle(volume, file.parent!, 0);
  const now = await volume.disk.snapshot(await volume.disk.file(parent, file.name));
  if (made && !(copy && areSame(attributesOf(now), copy.source))) {
    item.copy = await copyWhole(volume, lease, file, made);
  }
  await volume.disk.remove(lease, parent, file.name);
  takeCopy(file, item.copy!);
}

/** From now on a file is its copy, also for what is over what was copied. */
function takeCopy(file: FileNode, { source, copy }: Copy): void {
  const { draft, ready } = file;
  const over = [draft, ready].find((over) => over && areSame(over.since, source));
  over?.rebase(copy);
  if (over && over === ready) {
    file.base = copy;
  } else {
    setBase(file, copy);
  }
}

/** Takes back an unfinished copy, as far as it can be. */
async function removeCopies(volume: Volume, lease: Lease, files: Copied[], pairs: Pair[]): Promise<void> {
  await inParallel(files, volume.parallel, async ({ file, made }) => {
    await (made && volume.disk.remove(lease, made.parent, file.name).catch(() => {}));
  });
  for (const { to, within } of pairs.toReversed()) {
    await (within && volume.disk.remove(lease, within, to.name).catch(() => {}));
  }
}
