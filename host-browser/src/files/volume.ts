// The state of one folder: the nodes met, what is dirty, what was pushed. Trees on the same folder share it, so that
// they see each other's writes. What is done with it is in the other files, one operation each.
import type { Access } from "../contract.js";
import type { Journal, Written } from "../journal/journal.js";
import { Disk, type Lease, type Writer } from "./disk.js";
import { SMALL } from "./draft.js";
import { Failure } from "./errors.js";
import { Gate } from "./gate.js";
import { DirectoryNode, type FileNode, type Node, setBase } from "./node.js";
import type { SwapNotes } from "./swap-notes.js";

/** What was done since somebody asked. */
export interface Tally {
  /** Files made or written, and bytes written to them. */
  files: Map<FileNode, number>;
  removed: number;
  conflicts: { node: FileNode; path: string[] }[];
  /** Files of which another program's version was replaced and could not be saved, with the error. */
  lost: Map<FileNode, unknown>;
}

/** Somebody who uses the folder: a tree. */
export interface User {
  /** The directory it sees. */
  readonly base: DirectoryNode | undefined;
  /** Whether it may write there. */
  readonly access: Access;
  /** Done since its last sync. */
  tally: Tally;
  /** What finds its dirty files again when this worker dies. */
  readonly journal: Journal | undefined;
  /** Where the swap files are noted that are made in it. */
  readonly swaps?: SwapNotes | undefined;
  /** Told that the dirty files or bytes changed. */
  changed(): void;
}

/** How long, in milliseconds, the disk is believed to be as it was when last looked at; no open ever relies on it. */
export const FRESH = 1_000;
/** The same for what was fetched because the guest would ask soon. */
export const FETCHED = 5_000;
/** Dirty bytes that are held in memory before some are pushed early. */
const BUDGET = 64 * 1024 * 1024;
/** Bytes of files that are open and not written to, which are held in memory in case they are. */
const READY = 64 * 1024 * 1024;
/** Handles that are kept: each takes about 10 KiB of the browser's memory. */
const HANDLES = 16_384;
/** How long after a close what was written is pushed, in milliseconds. */
export const SOON = 1_000;
/** So many new files are pushed before that, while a guest that unpacks something, say, makes the next. */
const MANY = 16;

/** What a volume is made with. */
export interface VolumeOptions {
  /** The wall clock, in milliseconds. */
  now: () => number;
  /** Browser calls under way at once. */
  parallel: number;
  /** Milliseconds a browser call may take. */
  patience?: number | undefined;
}

/** A folder in use. */
export class Volume implements Lease {
  readonly root: DirectoryNode;
  readonly disk: Disk;
  readonly now: () => number;
  readonly parallel: number;
  readonly dirty = new Set<FileNode>();
  readonly users = new Set<User>();
  readonly writers = new Set<Writer>();
  /** Renames have it to themselves; pushes share it. */
  readonly gate = new Gate();
  /** What is being renamed: it may be gone under its old name already. */
  moving: Node | undefined;
  /** Nodes that have a handle, the one looked up last at the end. */
  readonly #handles = new Set<Node>();
  /** Files that are open. */
  readonly opened = new Set<FileNode>();
  /** Files of which there is something that was read before they are opened, the oldest first. */
  readonly readAhead = new Set<FileNode>();
  /** Whether the guest has asked about a file since it listed a directory. */
  asked = false;
  /** Makes the identities of this volume's nodes differ from all others'. */
  readonly seed = crypto.getRandomValues(new BigUint64Array(2));
  /** Pushes the files that nobody has open, or those of them that are new; set by whoever knows how. */
  pushClosed: (which?: "new") => Promise<void> = async () => {};
  /** Nothing looked up before this moment is believed any more. */
  #distrusted = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What is dirty takes about so many bytes of memory. */
  #bytes = 0;
  /** New files that were closed since the last time many were pushed. */
  #made = 0;
  #pushingMany = false;

  constructor(
    readonly handle: FileSystemDirectoryHandle,
    options: VolumeOptions,
  ) {
    this.root = new DirectoryNode(undefined, "");
    this.root.handle = handle;
    this.disk = new Disk(handle, options.patience, (path) => this.#noteSwap(path));
    this.now = options.now;
    this.parallel = options.parallel;
  }

  /** Throws when nobody uses the folder any more. */
  check(): void {
    if (this.users.size === 0) {
      throw new Failure("no-device");
    }
  }

  /** Whether something looked up at `then` may be believed for `age` milliseconds. */
  isFresh(then: number, age: number): boolean {
    return then > this.#distrusted && performance.now() - then < age;
  }

  /** A node has a new handle: the oldest of too many goes, which would hardly be believed any more. */
  hasHandle(node: Node): void {
    this.#handles.delete(node);
    this.#handles.add(node);
    if (this.#handles.size > HANDLES) {
      const [oldest] = this.#handles;
      this.#handles.delete(oldest!);
      oldest!.handle = undefined;
    }
  }

  /** Looks everything up again from now on, but what was looked up in the last `ago` milliseconds. */
  distrust(ago = 0): void {
    this.#distrusted = Math.max(this.#distrusted, performance.now() - ago);
  }

  /** Whether a file's attributes may be believed without asking, for some milliseconds more. */
  isSeen({ seen, distrusted }: FileNode, more = 0): boolean {
    const since = Math.max(this.#distrusted, distrusted);
    return seen !== undefined && seen.at > since && performance.now() + more < seen.at + seen.age;
  }

  /**
   * Notes what a look that began `at` found on disk; `age` says for how long it may be believed, and `isFile` whether it is
   * sure to be a file.
   */
  see(file: FileNode, { size, lastModified: modified }: File, age = FRESH, isFile = true, at = performance.now()): void {
    // Looks may be answered in another order.
    if (!file.seen || file.seen.at <= at) {
      file.seen = { size, modified, at, age, isFile };
    }
  }

  /** Whether `more` bytes would be more than memory should hold. */
  isFull(more: number): boolean {
    return this.#bytes > 0 && this.#bytes + more > BUDGET && this.#bytes + more > this.#budget();
  }

  /** A push copies the whole file, so the bigger the biggest dirty file is, the more is pushed at once. */
  #budget(): number {
    let largest = 0;
    for (const { draft } of this.dirty) {
      largest = Math.max(largest, draft?.size ?? 0);
    }
    return Math.min(4 * BUDGET, Math.max(BUDGET, largest / 4));
  }

  /** Does something to a file's draft, or drops it, and keeps count. `written` is all that is done, if that is given. */
  change<T>(file: FileNode, change: () => T, written?: Written): T {
    const before = this.dirty.has(file) ? (file.draft?.weight ?? 0) : 0;
    const { draft } = file;
    try {
      return change();
    } finally {
      if (draft !== file.draft) {
        draft?.letGo();
      }
      const isDirty = file.draft !== undefined && !file.gone;
      this.#bytes += (isDirty ? file.draft!.weight : 0) - before;
      const was = this.dirty.size;
      if (isDirty) {
        this.dirty.add(file);
      } else {
        this.dirty.delete(file);
      }
      if (was !== this.dirty.size || isDirty || before > 0) {
        for (const user of this.users) {
          if (user.base) {
            user.journal?.note(file, user.base, written);
          }
          user.changed();
        }
      }
    }
  }

  /** Whether a file of this size may be kept in memory so that the guest can write to it at once, if it does. */
  mayKeep(size: number): boolean {
    let bytes = size;
    for (const { ready } of this.opened) {
      bytes += ready?.weight ?? 0;
    }
    return size <= SMALL && bytes <= READY;
  }

  /** A user goes. What nobody is left to write is not written any more. */
  leave(user: User): void {
    this.users.delete(user);
    for (const file of this.opened) {
      if (!this.isWritable(file)) {
        setBase(file, file.base);
      }
    }
    for (const file of this.dirty) {
      if (!this.isWritable(file)) {
        this.change(file, () => void (file.draft = undefined));
      }
    }
  }

  /** Whether there is anybody who may write it. */
  isWritable(node: Node): boolean {
    return [...this.users].some(({ access, base }) => access === "read-write" && base && node.isIn(base));
  }

  /** A file or directory has another name: so have the drafts in it. */
  moved(node: Node): void {
    for (const file of [...this.dirty].filter((file) => file.isIn(node))) {
      this.change(file, () => {});
    }
  }

  /** A file took the name of another, whose draft is about to go. */
  replaced(other: FileNode, file: FileNode): void {
    for (const { base, journal } of this.users) {
      if (base) {
        journal?.noteReplaced(other, file, base);
      }
    }
  }

  /** A file is about to be removed, or could not be. */
  removing(file: FileNode, removing: boolean): void {
    for (const { journal } of this.users) {
      journal?.noteRemoving(file, removing);
    }
  }

  /** Notes for each user who sees `node` what was done to it. */
  note(node: Node, what: (tally: Tally, path: string[]) => void): void {
    for (const { base, tally } of this.users) {
      if (base && node.isIn(base)) {
        what(tally, node.path(base));
      }
    }
  }

  /** Notes a swap file where one who uses the folder that it is in will find it. */
  #noteSwap(path: string[]): () => void {
    for (const { base, swaps } of this.users) {
      const above = base?.path();
      if (swaps && above?.every((name, depth) => name === path[depth])) {
        return swaps.add(path.slice(above.length));
      }
    }
    return () => {};
  }

  /** A descriptor or stream begins to use a file. */
  open(file: FileNode): void {
    file.opens++;
    this.opened.add(file);
    if (this.#made >= MANY && !this.#pushingMany) {
      // Not when the last was closed: it may be about to get its real name.
      [this.#made, this.#pushingMany] = [0, true];
      void this.pushClosed("new").finally(() => (this.#pushingMany = false));
    }
  }

  /** It does not any more: what was written goes to disk soon. */
  close(file: FileNode): void {
    if (--file.opens > 0) {
      return;
    }
    this.opened.delete(file);
    setBase(file, undefined);
    file.window = undefined;
    if (file.gone) {
      file.draft?.letGo();
      file.draft = undefined;
    } else if (file.draft) {
      this.pushSoon();
      // What is written again and again has to wait; a file is new only once.
      this.#made += file.draft.since.size === 0 ? 1 : 0;
    }
  }

  /** Pushes what is closed in a moment; not later and later while the guest goes on closing files. */
  pushSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.pushClosed();
    }, SOON);
  }

  /** Nobody uses it any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const writer of this.writers) {
      void writer.abort();
    }
  }
}
