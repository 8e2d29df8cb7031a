// Chromium writes a file in a swap file beside it, `name.crswap`, and leaves that there when it dies. Which ones are being
// written is noted in this origin's IndexedDB, from before they are made until they are gone; what browsers that died have
// left is removed after the next mount of the folder. No other file is taken for one: users may name theirs so, too.
import type { Disk, Lease } from "./disk.js";
import { refused } from "./errors.js";
import { limited } from "./limit.js";
import { swapName } from "./names.js";
import { isAlive, notes } from "./swap-notes.js";

/** Where a file is that is to be written. */
export interface Place {
  parent: FileSystemDirectoryHandle;
  /** Its path from the volume's root. */
  path: string[];
}

/** A swap file, from before it is made. */
export interface Swap {
  /** Removes it, if it is there still. One that is being written the browser does not remove. */
  remove(lease: Lease): Promise<void>;
  /** To be called when it is gone. */
  gone(): void;
}

/** Of one file there are no more: then Chromium refuses to write it. */
const MOST = 100;
/** A note is not waited for any longer, in milliseconds: the write matters more. */
const PATIENCE = 5_000;

/** The swap files in one folder. */
export class Swaps {
  constructor(
    private readonly root: FileSystemDirectoryHandle,
    private readonly disk: Disk,
  ) {}

  /** Notes the swap file that will be made next for a file. */
  async note({ parent, path }: Place): Promise<Swap> {
    const name = await this.#free(parent, path.at(-1)!).catch(() => undefined);
    if (name === undefined) {
      // It is written without, and stays if the browser dies.
      return { remove: async () => {}, gone: () => {} };
    }
    const noted = limited(notes().add(this.root, [...path.slice(0, -1), name]), PATIENCE, (drop) => drop());
    const gone = await noted.catch(() => () => {});
    return { remove: async (lease) => this.disk.remove(lease, parent, name), gone };
  }

  /** Makes room for a swap file, when a hundred were left of one file. The first of their names a user may have chosen. */
  async makeRoom(lease: Lease, { parent, path }: Place): Promise<void> {
    for (let number = 1; number < MOST; number++) {
      await this.disk.remove(lease, parent, swapName(path.at(-1)!, number)).catch(() => {});
    }
  }

  /** Removes what browsers have left in this folder that died. */
  async clean(lease: Lease): Promise<void> {
    for (const [key, { owner, root, path }] of await notes().all()) {
      const above = (await isAlive(owner)) ? null : await limited(this.root.resolve(root), PATIENCE);
      // What fails now is tried again by the next mount.
      const drop = () => notes().drop(key);
      await (above && this.#remove(lease, [...above, ...path]).then(drop, () => {}));
    }
  }

  /** The name that Chromium will choose. */
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

  async #remove(lease: Lease, path: string[]): Promise<void> {
    try {
      let parent = this.root;
      for (const name of path.slice(0, -1)) {
        parent = await this.disk.directory(parent, name);
      }
      const found = await this.disk.snapshot(await this.disk.file(parent, path.at(-1)!));
      // What is later than this browser is no file that an earlier one left.
      if (found.lastModified < performance.timeOrigin) {
        await this.disk.remove(lease, parent, path.at(-1)!);
      }
    } catch (error) {
      if (!refused(error, "no-entry", "is-directory", "not-directory")) {
        throw error;
      }
    }
  }
}
