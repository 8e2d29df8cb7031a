// The journals of one mounted folder: the one that is written, and what tabs left that died.
import type { Access, SyncReport, Tree } from "../contract.js";
import type { NotedSwap, SwapNotes } from "../files/swap-notes.js";
import * as supported from "../supported.js";
import type { Journal } from "./journal.js";
import { findJournals, type Folder, type Left, type OpenJournal, openJournal, openShelf, type Search } from "./shelf.js";

/** Who is told. */
export interface JournalsUser {
  /** There is more, or less, to recover. */
  found(): void;
  /** `isWhole` is another. */
  changed(): void;
}

/** All journals of a mount. */
export class Journals {
  readonly #own: OpenJournal | undefined;
  readonly #shelf: FileSystemDirectoryHandle | undefined;
  readonly #access: Access;
  readonly #user: JournalsUser;
  #search: Search | undefined;
  readonly #left: Left[] = [];
  #ended = false;

  private constructor(
    own: OpenJournal | undefined,
    shelf: FileSystemDirectoryHandle | undefined,
    access: Access,
    user: JournalsUser,
  ) {
    this.#own = own;
    this.#shelf = shelf;
    this.#access = access;
    this.#user = user;
  }

  /**
   * Begins one, if the guest may write. Without one the guest works all the same; the console says why, unless this browser
   * has none.
   */
  static async open(folder: Folder, access: Access, user: JournalsUser): Promise<Journals> {
    const opening = supported.journals ? openShelf(folder) : undefined;
    const shelf = opening?.catch(() => undefined);
    let own;
    try {
      own = opening && access === "read-write" ? await openJournal(opening, () => user.changed()) : undefined;
    } catch (error) {
      console.warn("mountfs: unsynced work is lost if this tab closes: no journal could be made", error);
    }
    return new Journals(own, await shelf, access, user);
  }

  /** Looks for others, and removes the swap files that their tabs left in the folder, if the guest may write there. */
  look(tree: Tree): void {
    const found = (left: Left) => {
      this.#left.push(left);
      this.#user.found();
    };
    const clean = this.#access === "read-write" ? (swaps: NotedSwap[]) => tree.clean(swaps) : undefined;
    this.#search = this.#shelf && findJournals(this.#shelf, { found, clean });
  }

  /** The one that is written. */
  get journal(): Journal | undefined {
    return this.#own?.journal;
  }

  /** Where the swap files are noted that are being written. */
  get swaps(): SwapNotes | undefined {
    return this.#own?.swaps;
  }

  /** Whether all that the guest wrote would be found again. */
  get isWhole(): boolean {
    return this.journal?.isWhole === true;
  }

  /** What can be recovered. */
  get left(): { files: number; bytes: number } {
    const sum = (what: "files" | "bytes") => this.#left.reduce((sum, left) => sum + left[what], 0);
    return { files: sum("files"), bytes: sum("bytes") };
  }

  /**
   * Puts what can be recovered into the folder, after what is unsynced: so that of two versions the later one keeps the
   * name. What is left of tabs goes when it is on disk, or in the journal of this one.
   */
  async recover(tree: Tree): Promise<SyncReport> {
    await this.#search?.looked;
    const all = await tree.sync();
    for (let left = this.#left.shift(); left; left = this.#left.shift()) {
      try {
        await tree.restore(await left.unsaved());
        add(all, await tree.sync());
      } catch (error) {
        this.#putBack(left);
        throw error;
      }
      if (all.failures.length > 0 && !this.isWhole) {
        this.#putBack(left);
        break;
      }
      await left.discard();
    }
    this.#user.found();
    return all;
  }

  /** It is found again: here, or by the next mount if this one ended meanwhile. */
  #putBack(left: Left): void {
    if (this.#ended) {
      left.release();
    } else {
      this.#left.push(left);
    }
  }

  /** Removes what can be recovered. True when there was something. */
  async discard(): Promise<boolean> {
    await this.#search?.looked;
    const left = this.#left.splice(0);
    await Promise.all(left.map((one) => one.discard()));
    if (left.length > 0) {
      this.#user.found();
    }
    return left.length > 0;
  }

  /** The folder is not used any more. What is in the journals stays for the next mount. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#search?.stop();
    this.#left.splice(0).forEach((left) => left.release());
    await this.#own?.close();
  }
}

function add(all: SyncReport, { files, bytes, removed, conflicts, failures }: SyncReport): void {
  all.files += files;
  all.bytes += bytes;
  all.removed += removed;
  all.conflicts.push(...conflicts);
  // What failed before was tried again.
  all.failures = failures;
}
