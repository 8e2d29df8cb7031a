// From a name to a node, and from a node to a handle that is good now.
import { Failure, refused } from "./errors.js";
import { isShown, type Path } from "./names.js";
import { areSame, attributesOf, detach, DirectoryNode, FileNode, type Node } from "./node.js";
import { FRESH, type Volume } from "./volume.js";

/**
 * The handle of a directory, looked up from the root down where it was not within `age` milliseconds. Before a change
 * `age` is 0: a handle is a path to the browser, and another program may have put a link in its place since, through
 * which the change would be made outside of the folder. A look-up does not go through links.
 */
export async function directoryHandle(
  volume: Volume,
  directory: DirectoryNode,
  age = FRESH,
): Promise<FileSystemDirectoryHandle> {
  if (directory.gone) {
    throw new Failure("no-entry");
  }
  if (!directory.parent || (directory.handle && volume.isFresh(directory.checked, age))) {
    return directory.handle!;
  }
  const [began, { moves }] = [performance.now(), directory];
  const parent = await directoryHandle(volume, directory.parent, age);
  try {
    const handle = await volume.disk.directory(parent, directory.name);
    return keepHandle(volume, directory, handle, began, moves);
  } catch (error) {
    forgetLost(volume, directory, error, moves);
    throw error;
  }
}

/** Keeps a node's handle, looked up when it `began` and had been moved so often, unless it was moved since. */
function keepHandle<H extends FileSystemHandle>(volume: Volume, node: Node, handle: H, began: number, moves: number): H {
  if (node.moves === moves) {
    node.handle = handle as never;
    node.checked = began;
    volume.hasHandle(node);
  }
  return handle;
}

/**
 * Throws unless the way to a directory is as it was believed to be. Handles are paths to the browser, so what it is asked
 * below a directory in whose place another program put a link, it answers from where the link leads. To be called right
 * after asking, and waited for before anything of the answer is used.
 */
export function confirm(volume: Volume, directory: DirectoryNode): Promise<void> {
  if (!directory.parent) {
    return Promise.resolve();
  }
  // One that has begun may have looked before the answer came about; the next is for all who ask until it begins.
  const begun = Promise.resolve(directory.confirming).catch(() => {});
  return (directory.confirmingNext ??= begun.then(() => begin(volume, directory)));
}

/** Begins the next one: whoever asks from now on waits for another. */
function begin(volume: Volume, directory: DirectoryNode): Promise<void> {
  directory.confirmingNext = undefined;
  const began = performance.now();
  directory.confirming = confirmNow(volume, directory)
    .then(() => void (directory.confirmed = began))
    .finally(() => (directory.confirming = undefined));
  return directory.confirming;
}

/** The handle of a directory that was confirmed after `then`: in what a call asked before a change, the way to it may be. */
export async function confirmedHandle(
  volume: Volume,
  directory: DirectoryNode,
  then: number,
): Promise<FileSystemDirectoryHandle> {
  // One that is under way will do if it began late enough.
  await directory.confirming?.catch(() => {});
  if (directory.gone || directory.confirmed < then) {
    await confirm(volume, directory);
  }
  return directory.handle ?? directoryHandle(volume, directory, 0);
}

/** Looks up each directory on the way, all at once: to look a name up, the browser follows no link of that name. */
async function confirmNow(volume: Volume, directory: DirectoryNode): Promise<void> {
  const way: DirectoryNode[] = [];
  for (let at = directory; at.parent; at = at.parent) {
    way.push(at);
  }
  await Promise.all(
    way.map(async (at) => {
      const [began, { moves }] = [performance.now(), at];
      const above = at.parent?.handle;
      if (!above || at.gone) {
        // It was renamed or removed meanwhile.
        await directoryHandle(volume, at, 0);
        return;
      }
      try {
        await volume.disk.directory(above, at.name);
      } catch (error) {
        forgetLost(volume, at, error, moves);
        throw error;
      }
      at.checked = Math.max(at.checked, began);
    }),
  );
}

/** The same as {@link directoryHandle} for a file. */
export async function fileHandle(volume: Volume, file: FileNode, age = FRESH): Promise<FileSystemFileHandle> {
  if (file.gone || !file.parent) {
    throw new Failure("no-entry");
  }
  if (file.handle && volume.isFresh(file.checked, age)) {
    return file.handle;
  }
  const [began, { moves }] = [performance.now(), file];
  // Before a change, its directory is looked up at the same time.
  const parent = age > 0 ? await directoryHandle(volume, file.parent, age) : file.parent.handle;
  try {
    const asked = volume.disk.file(parent ?? (await directoryHandle(volume, file.parent)), file.name);
    const [handle] = await Promise.all([asked, age > 0 || confirm(volume, file.parent)]);
    return keepHandle(volume, file, handle, began, moves);
  } catch (error) {
    forgetLost(volume, file, error, moves);
    throw error;
  }
}

/**
 * The file as it is on disk now, which may be believed for `trust` milliseconds. Any handle will do, however old: the
 * browser reads through no link of its name, and the way to it is confirmed. Before a change `age` is 0, and it is looked up.
 * Of a directory that has taken its place the browser gives a snapshot, too: unless `hasty`, that is found out.
 */
export async function snapshot(
  volume: Volume,
  file: FileNode,
  age = FRESH,
  trust = FRESH,
  hasty = false,
): Promise<File> {
  // What is answered late is of then, and may have changed since.
  const [began, { moves }] = [performance.now(), file];
  try {
    const known = age > 0 && !file.gone ? file.handle : undefined;
    const handle = known ?? (await fileHandle(volume, file, age));
    const [snapshot] = await Promise.all([volume.disk.snapshot(handle), confirm(volume, file.parent!)]);
    const { seen } = file;
    const isFile = !known || (seen ? seen.isFile && areSame(seen, attributesOf(snapshot)) : volume.isFresh(file.checked, FRESH));
    if (!isFile && !hasty) {
      await fileHandle(volume, file, 0);
    }
    if (file.moves === moves) {
      volume.see(file, snapshot, trust, isFile || !hasty, began);
    }
    return snapshot;
  } catch (error) {
    forgetLost(volume, file, error, moves);
    throw error;
  }
}

/**
 * The node of a name in a directory. Throws `no-entry` when there is none. `likely` is what to ask for first: the
 * browser tells a file from a directory only by refusing the one for the other. `opening`: a snapshot of it is taken next,
 * if it is a file, which shows whether it is there, and by which way.
 */
export async function child(
  volume: Volume,
  directory: DirectoryNode,
  name: string,
  likely: "file" | "directory" = "file",
  opening = false,
): Promise<Node> {
  if (!isShown(name)) {
    throw new Failure("no-entry");
  }
  const known = directory.children.get(name);
  if (known && ((opening && known.kind === "file") || isTrusted(volume, known) || (await isStillThere(volume, known)))) {
    return known;
  }
  const parent = await directoryHandle(volume, directory);
  const ask = async (kind: "file" | "directory") => {
    const began = performance.now();
    const confirmed = (opening && kind === "file") || confirm(volume, directory);
    const [handle] = await Promise.all([volume.disk[kind](parent, name), confirmed]);
    return adopt(volume, directory, name, handle, began)!;
  };
  try {
    return await ask(likely);
  } catch (error) {
    if (!refused(error, "is-directory", "not-directory")) {
      throw error;
    }
    return ask(likely === "file" ? "directory" : "file");
  }
}

/** The node of a name, or `undefined`. */
export async function childIfAny(
  volume: Volume,
  directory: DirectoryNode,
  name: string,
  opening = false,
): Promise<Node | undefined> {
  try {
    return await child(volume, directory, name, "file", opening);
  } catch (error) {
    if (refused(error, "no-entry")) {
      return undefined;
    }
    throw error;
  }
}

/** The same, believing nothing: for calls that insist on a name being free. */
export async function childForSure(volume: Volume, directory: DirectoryNode, name: string): Promise<Node | undefined> {
  const found = await childIfAny(volume, directory, name);
  if (!found || isDirtyBelow(volume, found)) {
    return found;
  }
  try {
    await (found.kind === "file" ? fileHandle(volume, found, 0) : directoryHandle(volume, found, 0));
    return found;
  } catch (error) {
    if (!found.gone) {
      throw error;
    }
    // It was removed or replaced a moment ago.
    return childIfAny(volume, directory, name);
  }
}

/** What of a path it takes to walk it; `opening` as in {@link child}. */
type Way = Omit<Path, "named"> & { opening?: boolean | undefined };

/** Walks all parts of a path from `base`, above which no `..` may lead. */
export function walk(volume: Volume, base: DirectoryNode, { parts, directory, opening }: Way): Node | Promise<Node> {
  let at: Node = base;
  for (let step = 0; step < parts.length; step++) {
    const next = enter(volume, base, at, parts[step]!, directory || step < parts.length - 1, opening);
    if (next instanceof Promise) {
      // Once the browser has to be asked, it does not matter that the rest of the walk waits.
      return walkOn(volume, base, next, { parts: parts.slice(step + 1), directory, opening });
    }
    at = next;
  }
  return directory && at.kind === "file" ? Promise.reject(new Failure("not-directory")) : at;
}

/** What was met at a path, whether or not it is there still. */
export function met(base: DirectoryNode, { parts, directory }: Way): Node | undefined {
  let at: Node | undefined = base;
  for (const part of parts) {
    at = at?.kind === "directory" ? at.children.get(part) : undefined;
  }
  return directory && at?.kind === "file" ? undefined : at;
}

async function walkOn(
  volume: Volume,
  base: DirectoryNode,
  next: Promise<Node>,
  { parts, directory, opening }: Way,
): Promise<Node> {
  let at = await next;
  for (const [step, part] of parts.entries()) {
    at = await enter(volume, base, at, part, directory || step < parts.length - 1, opening);
  }
  if (directory && at.kind === "file") {
    throw new Failure("not-directory");
  }
  return at;
}

/** The directory that the name at the end of a path is in, and that name. Throws `noName` where there is none. */
export async function walkToParent(
  volume: Volume,
  base: DirectoryNode,
  { parts, named }: Path,
  noName: "busy" | "exist",
): Promise<{ parent: DirectoryNode; name: string }> {
  const name = parts.at(-1);
  if (name === undefined || !named) {
    await walk(volume, base, { parts, directory: true });
    throw new Failure(noName);
  }
  const parent = await walk(volume, base, { parts: parts.slice(0, -1), directory: true });
  return { parent: parent as DirectoryNode, name };
}

/**
 * The node of what the browser found under a name, in a look that began `at`. What was met there before stays the same
 * node, if it is of the same kind; `undefined` when something else is there but the guest has written to what was.
 */
export function adopt(
  volume: Volume,
  directory: DirectoryNode,
  name: string,
  handle: FileSystemHandle,
  at = performance.now(),
): Node | undefined {
  let node = directory.children.get(name);
  if (node && node.kind !== handle.kind) {
    if (isDirtyBelow(volume, node)) {
      return undefined;
    }
    drop(node);
    node = undefined;
  }
  node ??= handle.kind === "file" ? new FileNode(directory, name) : new DirectoryNode(directory, name);
  node.handle = handle as FileSystemFileHandle & FileSystemDirectoryHandle;
  node.checked = at;
  volume.hasHandle(node);
  directory.children.set(name, node);
  return node;
}

/** Whether the guest wrote something in it that is not on disk. */
export function isDirtyBelow(volume: Volume, node: Node): boolean {
  return node.kind === "file" ? volume.dirty.has(node) : [...volume.dirty].some((file) => file.isIn(node));
}

/** Takes the name from a node that is not on disk any more. */
export function drop(node: Node): void {
  detach(node);
  node.gone = true;
  if (node.kind === "directory") {
    [...node.children.values()].forEach(drop);
  }
}

function enter(
  volume: Volume,
  base: DirectoryNode,
  at: Node,
  part: string,
  throughIt: boolean,
  opening = false,
): Node | Promise<Node> {
  if (at.kind === "file") {
    return Promise.reject(new Failure("not-directory"));
  }
  if (part === "..") {
    return at === base || !at.parent ? Promise.reject(new Failure("not-permitted")) : at.parent;
  }
  const known = at.children.get(part);
  return known && isTrusted(volume, known)
    ? known
    : child(volume, at, part, throughIt ? "directory" : "file", opening && !throughIt);
}

/** Whether it need not be asked whether a node is there. */
function isTrusted(volume: Volume, node: Node): boolean {
  return volume.isFresh(node.checked, FRESH) || (node.kind === "file" && (node.draft !== undefined || volume.isSeen(node)));
}

async function isStillThere(volume: Volume, node: Node): Promise<boolean> {
  try {
    // What is being fetched anyway is not fetched twice.
    if (node.kind === "directory") {
      await directoryHandle(volume, node);
    } else if (node.fetching) {
      await node.fetching;
      return volume.isSeen(node) || (await isStillThere(volume, node));
    } else {
      await snapshot(volume, node);
    }
    return true;
  } catch (error) {
    if (refused(error, "no-entry", "is-directory", "not-directory")) {
      return isDirtyBelow(volume, node);
    }
    throw error;
  }
}

/**
 * Another program removed or replaced it; what the guest wrote in it is still to be pushed, so that is kept. What is being
 * moved, or was since it was asked for, is somewhere else.
 */
function forgetLost(volume: Volume, node: Node, error: unknown, moves: number): void {
  const isMoved = node.moves !== moves || (volume.moving && node.isIn(volume.moving));
  if (refused(error, "no-entry", "is-directory", "not-directory") && !isMoved && !node.gone && !isDirtyBelow(volume, node)) {
    drop(node);
  }
}
