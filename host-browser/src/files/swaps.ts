// Chromium writes a file in a swap file beside it, `name.crswap`, and leaves that there when it dies. Which ones are being
// written is noted, from before they are made until they are gone; what browsers that died have left is removed after the
// next mount of the folder. No other file is taken for one: users may name theirs so, too.
import type { Disk, Lease } from "./disk.js";
import { refused } from "./errors.js";
import { originalsOf, swapName } from "./names.js";
import type { NotedSwap } from "./swap-notes.js";

/** Where a file is that is to be written. */
export interface Place {
  parent: FileSystemDirectoryHandle;
  /** Its path from the volume's root. */
  path: string[];
  /** The name of its swap file, where that was looked up already. */
  swap?: Promise<string | undefined> | undefined;
}

/** A swap file, from before it is made. */
export interface Swap {
  /** Removes it, if it is there still. One that is being written the browser does not remove. */
  remove(lease: Lease): Promise<void>;
  /** The same, where it was moved into a directory in the place of its file. */
  removeIn(lease: Lease, directory: string): Promise<void>;
  /** To be called when it is gone. */
  gone(): void;
}

/** Notes a swap file, by its path from the volume's root, that will be made next. Answers what to call when it is gone. */
export type Note = (path: string[]) => () => void;

/** Of one file there are no more: then Chromium refuses to write it. */
const MOST = 100;
/** How much earlier than the clock, in milliseconds, a file system may say that a file was written. */
const COARSE = 2_000;

/** The swap files in one folder. */
export class Swaps {
  constructor(
    private readonly root: FileSystemDirectoryHandle,
    private readonly disk: Disk,
    private readonly add: Note,
  ) {}

  /** Notes the swap file that will be made next for a file. */
  async note({ parent, path, swap }: Place): Promise<Swap> {
    const name = await (swap ?? this.nameFor(parent, path.at(-1)!));
    if (name === undefined) {
      // It is written without, and stays if the browser dies.
      return { remove: async () => {}, removeIn: async () => {}, gone: () => {} };
    }
    const gone = this.add([...path.slice(0, -1), name]);
    return {
      remove: async (lease) => this.disk.remove(lease, parent, name),
      removeIn: async (lease, directory) => this.disk.remove(lease, await this.disk.directory(parent, directory), name),
      gone,
    };
  }

  /** Makes room for a swap file, when a hundred were left of one file. The first of their names a user may have chosen. */
  async makeRoom(lease: Lease, { parent, path }: Place): Promise<void> {
    for (let number = 1; number < MOST; number++) {
      await this.disk.remove(lease, parent, swapName(path.at(-1)!, number)).catch(() => {});
    }
  }

  /** Removes what browsers have left in this folder that died. Throws when something could not be removed. */
  async clean(lease: Lease, left: NotedSwap[]): Promise<void> {
    await Promise.all(left.map((swap) => this.#remove(lease, swap)));
  }

  /** The name that Chromium will choose for the swap file of a file; `undefined` when that is not to be known. */
  nameFor(parent: FileSystemDirectoryHandle, name: string): Promise<string | undefined> {
    return this.#free(parent, name).catch(() => undefined);
  }

  async #free(parent: FileSystemDirectoryHandle, name: string): Promise<string> {
    for (let number = 0; number < MOST; number++) {
      const swap = swapName(name, number);
      const found = await this.disk.file(parent, swap).catch((error: unknown) => {
        if (!refused(error, "no-entry")) {
          throw error;
        }
      });
      if (!found) {
        return swap;
      }
    }
    throw new Error(`there is no room for a swap file of ${name}`);
  }

  async #remove(lease: Lease, { path, since }: NotedSwap): Promise<void> {
    try {
      let parent = this.root;
      for (const name of path.slice(0, -1)) {
        parent = await this.disk.directory(parent, name);
      }
      const name = path.at(-1)!;
      const found = await this.disk.snapshot(await this.disk.file(parent, name));
      // What is later than this browser is no file that an earlier one left.
      if (found.lastModified >= performance.timeOrigin) {
        return;
      }
      // Nor is what is earlier than its note, unless nothing was written to it yet: it begins as a copy, times and all.
      if (found.lastModified > since - COARSE || (await this.#isCopy(parent, name, found))) {
        await this.disk.remove(lease, parent, name);
      }
    } catch (error) {
      if (!refused(error, "no-entry", "is-directory", "not-directory")) {
        throw error;
      }
    }
  }

  /** Whether a swap file is as its file is. */
  async #isCopy(parent: FileSystemDirectoryHandle, swap: string, { size, lastModified }: File): Promise<boolean> {
    for (const name of originalsOf(swap)) {
      const handle = await this.disk.file(parent, name).catch(() => undefined);
      const file = handle && (await this.disk.snapshot(handle));
      if (file?.size === size && file.lastModified === lastModified) {
        return true;
      }
    }
    return false;
  }
}
