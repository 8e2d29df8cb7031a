// The files and directories that the guest has met. A node is one for all who use it, so that what one descriptor
// writes another reads; it knows its parent and its name, not its path, so that it is found again after a rename.
import type { Draft } from "./draft.js";

/** A moment as WASI has it. */
export interface Datetime {
  seconds: bigint;
  nanoseconds: number;
}

/** Size and time of a file at some moment. */
export interface Attributes {
  size: number;
  /** In milliseconds, as `File.lastModified`. */
  modified: number;
}

/** Those of a snapshot. */
export function attributesOf({ size, lastModified: modified }: File): Attributes {
  return { size, modified };
}

/** Whether a file has not changed, as far as a browser tells. */
export function areSame(one: Attributes, other: Attributes): boolean {
  return one.size === other.size && one.modified === other.modified;
}

/** Bytes of a snapshot. */
export interface Window<Of extends Blob = Blob> {
  of: Of;
  start: number;
  bytes: Uint8Array;
}

/** Times that the guest set, which the browser cannot store. */
export interface Times {
  accessed?: Datetime;
  modified?: Datetime;
  /** The time on disk when `modified` was set: when that changes, the disk is right again. */
  asOf?: number;
}

let made = 0;

/** What a file and a directory have in common. */
abstract class Entry {
  /** Its identity: no other node ever has it. */
  readonly id = ++made;
  /** When `handle` was looked up. */
  checked = -Infinity;
  /** It has no name any more: it was removed, or replaced. */
  gone = false;
  /** How often it was given another place: what was asked before that is of the old one. */
  moves = 0;
  times: Times = {};

  constructor(
    /** `undefined` for the root. */
    public parent: DirectoryNode | undefined,
    public name: string,
  ) {}

  /** The names from below `top` down to it; from below the root when it is not in `top`. */
  path(top?: DirectoryNode): string[] {
    return this.parent && (this as unknown) !== top ? [...this.parent.path(top), this.name] : [];
  }

  /** Whether it is `top`, or anywhere below it. */
  isIn(top: Node): boolean {
    let at: Node | undefined = this as unknown as Node;
    while (at && at !== top) {
      at = at.parent;
    }
    return at === top;
  }
}

/** A directory. */
export class DirectoryNode extends Entry {
  readonly kind = "directory";
  handle: FileSystemDirectoryHandle | undefined;
  /** What has been met in it; more may be on disk. */
  readonly children = new Map<string, Node>();
  /** Children whose attributes may be wanted next, the last one first. */
  ahead: FileNode[] = [];
  /** How many of them to fetch, and how many are being fetched. */
  wanted = 0;
  fetching = 0;
  /** The file that the guest asked about last, and whether that was the one after the one before. */
  asked: FileNode | undefined;
  asksInOrder = false;
  /** The file that is opened next by a guest that goes by the listing, and how many it has opened like that. */
  next: FileNode | undefined;
  inOrder = 0;
  /** It is being confirmed, and will be once more after that. */
  confirming: Promise<void> | undefined;
  confirmingNext: Promise<void> | undefined;
  /** When the last look began that found the way to it as it was believed to be. */
  confirmed = -Infinity;
}

/** A file. */
export class FileNode extends Entry {
  readonly kind = "file";
  handle: FileSystemFileHandle | undefined;
  /**
   * Attributes on disk, when the look began that found them (`performance.now()`), for how long to believe them; `isFile`:
   * surely a file's.
   */
  seen: (Attributes & { at: number; age: number; isFile: boolean }) | undefined;
  /** Until when no look that began is believed: another program changed it then. */
  distrusted = -Infinity;
  /** Descriptors and streams that have it open. */
  opens = 0;
  /** What is read from, as long as it is open. */
  base: File | undefined;
  /** The bytes last read from `base`, and some behind them. */
  window: Window | undefined;
  /** The one after it in the listing of its directory. */
  next: FileNode | undefined;
  /** All its bytes, read before it is opened. */
  readAhead: Promise<Window<File> | undefined> | undefined;
  /** What the guest wrote and the disk does not have. */
  draft: Draft | undefined;
  /** All of it in memory, while it loses its name. */
  retained: Draft | undefined;
  /** What the next write goes to, if there is no draft yet: one over `base`, of which nothing is lost if it can be helped. */
  ready: Draft | undefined;
  /** Another base is being made ready. It never fails. */
  preparing: Promise<void> | undefined;
  /** A push under way. */
  pushing: Promise<void> | undefined;
  /** The attributes are being fetched. */
  fetching: Promise<void> | undefined;
}

/** A file or a directory. */
export type Node = FileNode | DirectoryNode;

/** A file is read from `base` from now on, if it is open; `ready` is for its next write, if that is known already. */
export function setBase(file: FileNode, base: File | undefined, ready?: Draft): void {
  file.ready?.letGo();
  [file.base, file.ready] = [file.opens > 0 ? base : undefined, undefined];
  if (file.base && !file.draft) {
    file.ready = ready;
  } else {
    ready?.letGo();
  }
}

/** Gives a node another place. Handles are paths to the browser: those of all nodes in it are forgotten. */
export function moveNode(node: Node, parent: DirectoryNode, name: string): void {
  detach(node);
  [node.parent, node.name] = [parent, name];
  parent.children.set(name, node);
  forgetHandles(node);
}

/** Takes a node out of its directory's list. */
export function detach(node: Node): void {
  if (node.parent?.children.get(node.name) === node) {
    node.parent.children.delete(node.name);
  }
}

/** What was seen of a path on disk, and of what is in it, is not believed any more. */
export function forgetSeen(base: DirectoryNode, path: string[]): void {
  let node: Node | undefined = base;
  for (const name of path) {
    node = node?.kind === "directory" ? node.children.get(name) : undefined;
  }
  if (node) {
    forgetAllSeen(node);
  }
}

function forgetAllSeen(node: Node): void {
  node.checked = -Infinity;
  if (node.kind === "file") {
    node.seen = undefined;
    node.distrusted = performance.now();
  } else {
    node.children.forEach(forgetAllSeen);
  }
}

function forgetHandles(node: Node): void {
  node.moves++;
  node.handle = undefined;
  node.checked = -Infinity;
  if (node.kind === "directory") {
    node.children.forEach(forgetHandles);
  }
}
