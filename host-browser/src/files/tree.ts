// A granted directory in use: what may be done in it, and that it can be taken back at any time.
import type { Access, SyncReport, Tree, TreeEvents } from "../contract.js";
import type { Journal } from "../journal/journal.js";
import type { Unsaved } from "../journal/replay.js";
import { freshen } from "./base.js";
import { Descriptor } from "./descriptor.js";
import { type Lease, PATIENCE, type Writer } from "./disk.js";
import { codeOf, Failure, reasonOf } from "./errors.js";
import { InUse } from "./in-use.js";
import { limited } from "./limit.js";
import { walk } from "./lookup.js";
import { type DirectoryNode, type FileNode, forgetSeen } from "./node.js";
import { inParallel } from "./pool.js";
import { pushAll } from "./push.js";
import { isRemoved, restore } from "./restore.js";
import type { NotedSwap, SwapNotes } from "./swap-notes.js";
import { type Tally, type User, Volume } from "./volume.js";

/** How a tree is opened. */
export interface TreeOptions {
  /** Told of what happens in it. */
  events?: TreeEvents;
  /** The wall clock, in milliseconds; `Date.now` by default. */
  now?: () => number;
  /** Browser calls under way at once; 24 by default. */
  parallel?: number;
  /** Milliseconds after which a browser call counts as hung, and fails with `busy`; 30 seconds by default. */
  patience?: number;
  /** What finds again what is not on disk when this worker dies. */
  journal?: Journal | undefined;
  /** What finds the swap files that it leaves then. */
  swaps?: SwapNotes | undefined;
}

/**
 * Opens a tree on a directory. Nothing is read. Trees on the same directory see each other's writes, as does one on a
 * directory in another's that was used before it.
 */
export function openTree(handle: FileSystemDirectoryHandle, access: Access, options: TreeOptions = {}): Tree {
  return new OpenTree(handle, access, options);
}

/** Milliseconds to wait for what is not needed for an answer. */
const LEISURE = 5_000;

/** Milliseconds between two `dirty` events. */
const PAUSE = 100;

const volumes = new Set<Volume>();

/** What descriptors and streams see of their tree. */
export class OpenTree implements Tree, Lease, User {
  base: DirectoryNode | undefined;
  tally: Tally = noTally();
  readonly writers = new Set<Writer>();
  /** While the guest may not change bytes: settles when it may. */
  paused: Promise<void> | undefined;
  /** What to do with each call under way when the tree ends. */
  readonly #calls = new Set<() => void>();
  #volume: Volume | undefined;
  #placing: Promise<void> | undefined;
  #ended = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly handle: FileSystemDirectoryHandle,
    readonly access: Access,
    private readonly options: TreeOptions,
  ) {}

  root(inUse = new InUse()): Descriptor {
    return new Descriptor(this, undefined, { read: true, write: false }, inUse);
  }

  /** The volume; only in calls, before which it is found. */
  get volume(): Volume {
    return this.#volume!;
  }

  async sync(): Promise<SyncReport> {
    let failures: SyncReport["failures"];
    try {
      this.check();
      await this.#place();
      const failed = (await this.#push()).filter(({ file, error }) => this.tally.lost.get(file) !== error);
      await this.#refresh();
      failures = failed.map(({ file, error }) => ({ path: this.#name(file), reason: reasonOf(error) }));
    } catch (error) {
      failures = [{ path: ".", reason: reasonOf(error) }];
    }
    const { files, removed, conflicts, lost } = this.tally;
    this.tally = noTally();
    for (const [file, error] of lost) {
      const reason = `another program's version of it was replaced, and could not be kept: ${reasonOf(error)}`;
      failures.push({ path: this.#name(file), reason });
    }
    return {
      files: BigInt(files.size),
      bytes: BigInt([...files.values()].reduce((sum, bytes) => sum + bytes, 0)),
      removed: BigInt(removed),
      conflicts: conflicts.map(({ node, path }) => ({ path: path.join("/"), kept: this.#name(node) })),
      failures,
    };
  }

  get journal(): Journal | undefined {
    return this.options.journal;
  }

  get swaps(): SwapNotes | undefined {
    return this.options.swaps;
  }

  async clean(left: NotedSwap[]): Promise<void> {
    this.check();
    await this.#place();
    const above = this.base!.path();
    await this.volume.disk.swaps.clean(this, left.map(({ path, since }) => ({ path: [...above, ...path], since })));
  }

  async restore(unsaved: Unsaved[]): Promise<void> {
    this.check();
    await this.#place();
    this.check();
    const removed = await Promise.all(unsaved.map((one) => isRemoved(this.volume, this.base!, one)));
    this.check();
    unsaved.filter((_, index) => !removed[index]).forEach((one) => restore(this.volume, this.base!, one));
  }

  unsynced(): { files: number; bytes: number } {
    const dirty = this.#dirty();
    return { files: dirty.length, bytes: sumOf(dirty) };
  }

  distrust(paths: string[], ago = 0): void {
    const { base } = this;
    if (paths.length === 0) {
      this.#volume?.distrust(ago);
    } else if (base) {
      paths.forEach((path) => forgetSeen(base, path.split("/")));
    }
  }

  /** Waits until the guest may change bytes. Throws `no-device` when the tree ended meanwhile. */
  async unpaused(): Promise<void> {
    while (this.paused) {
      await this.paused;
    }
    this.check();
  }

  pause(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    // Somebody else may have paused it, too: it goes on when all let it.
    const paused: Promise<void> = Promise.all([this.paused, promise]).then(() => {
      if (this.paused === paused) {
        this.paused = undefined;
      }
    });
    this.paused = paused;
    return resolve;
  }

  end(): void {
    if (this.#ended) {
      return;
    }
    this.#ended = true;
    clearTimeout(this.#timer);
    for (const writer of this.writers) {
      void writer.abort();
    }
    for (const cut of this.#calls) {
      cut();
    }
    this.#calls.clear();
    this.#volume?.leave(this);
    if (this.#volume?.users.size === 0) {
      this.#volume.end();
      volumes.delete(this.#volume);
    }
  }

  async settled(): Promise<void> {
    // But not for long: a call that hangs behind a dialog keeps nobody from taking a folder back.
    await (this.#volume && limited(this.#volume.disk.settled(), LEISURE).catch(() => {}));
  }

  check(): void {
    if (this.#ended) {
      throw new Failure("no-device");
    }
  }

  /** Throws `read-only`, unless the guest may write. */
  checkWritable(): void {
    this.check();
    if (this.access === "read") {
      throw new Failure("read-only");
    }
  }

  changed(): void {
    if (!this.options.events?.dirty || this.#ended) {
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.options.events?.dirty?.(this.unsynced());
    }, PAUSE);
  }

  /**
   * The edge: runs one call of the guest. Only WIT error codes come out, whatever happens, and none later than the end
   * of the tree. What can be answered at once is: a call that suspends costs the guest much more.
   */
  call<T>(work: () => T | Promise<T>): T | Promise<T> {
    if (this.#volume === undefined && !this.#ended) {
      return this.#guard(this.#place().then(work));
    }
    const answer = this.callNow(work);
    return answer instanceof Promise ? this.#guard(answer) : answer;
  }

  /** The same for a call that always answers at once; it may come before there is a volume. */
  callNow<T>(work: () => T): T {
    try {
      this.check();
      return work();
    } catch (error) {
      throw codeOf(error);
    }
  }

  #guard<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const cut = () => reject("no-device");
      this.#calls.add(cut);
      answer.then(
        (value) => {
          this.#calls.delete(cut);
          resolve(value);
        },
        (error: unknown) => {
          this.#calls.delete(cut);
          reject(this.#ended ? "no-device" : codeOf(error));
        },
      );
    });
  }

  /** Finds the volume that the directory is in, or makes one. */
  #place(): Promise<void> {
    return (this.#placing ??= this.#find().catch((error: unknown) => {
      this.#placing = undefined;
      throw error;
    }));
  }

  async #find(): Promise<void> {
    for (const volume of volumes) {
      const base = await within(volume, this.handle);
      this.check();
      if (base && volume.users.size > 0) {
        this.#join(volume, base);
        return;
      }
    }
    this.check();
    const { now = Date.now, parallel = 24, patience } = this.options;
    const volume = new Volume(this.handle, { now, parallel, patience });
    volume.pushClosed = async (which) => {
      await pushAll(volume, volume, closed(volume, which));
    };
    volumes.add(volume);
    this.#join(volume, volume.root);
  }

  #join(volume: Volume, base: DirectoryNode): void {
    this.base = base;
    volume.users.add(this);
    this.#volume = volume;
    volume.dirty.forEach((file) => this.journal?.note(file, base));
  }

  #push() {
    const dirty = this.#dirty();
    // As much as it is now: what the guest writes meanwhile is no part of it.
    const bytes = new Map(dirty.map((file) => [file, bytesOf(file)]));
    const done = { files: 0, bytes: 0, filesToDo: dirty.length, bytesToDo: sumOf(dirty) };
    return pushAll(this.volume, this, dirty, (file) => {
      done.files++;
      done.filesToDo--;
      done.bytes += bytes.get(file)!;
      done.bytesToDo -= bytes.get(file)!;
      this.options.events?.progress?.({ ...done });
    });
  }

  /** From here on the guest sees what other programs did before. */
  async #refresh(): Promise<void> {
    const { volume } = this;
    volume.distrust();
    const clean = [...volume.opened].filter((file) => !file.draft && !file.gone && file.isIn(this.base!));
    await inParallel(clean, volume.parallel, async (file) => {
      // What cannot be read any more says so when it is read.
      await freshen(volume, file).catch(() => {});
    });
  }

  #dirty(): FileNode[] {
    const base = this.base;
    return base && this.#volume ? [...this.#volume.dirty].filter((file) => file.isIn(base)) : [];
  }

  #name(file: FileNode): string {
    return file.path(this.base).join("/");
  }
}

/** The dirty files that nobody has open when it is their turn: of one being written again, only a part may be there. */
function* closed({ dirty }: Volume, which?: "new"): Generator<FileNode> {
  for (const file of [...dirty]) {
    if (file.opens === 0 && (which === undefined || file.draft?.since.size === 0)) {
      yield file;
    }
  }
}

/** The node of a directory in a volume, if it is the volume's or below it. */
async function within(volume: Volume, handle: FileSystemDirectoryHandle): Promise<DirectoryNode | undefined> {
  try {
    const parts = await limited(volume.handle.resolve(handle), PATIENCE);
    const node = parts && (await walk(volume, volume.root, { parts, directory: true }));
    return node as DirectoryNode | undefined;
  } catch {
    // Not to be compared: each is by itself.
    return undefined;
  }
}

function sumOf(files: FileNode[]): number {
  return files.reduce((sum, file) => sum + bytesOf(file), 0);
}

function bytesOf({ draft }: FileNode): number {
  return draft?.extents.bytes ?? 0;
}

function noTally(): Tally {
  return { files: new Map(), removed: 0, conflicts: [], lost: new Map() };
}
