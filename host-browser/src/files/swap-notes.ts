// Notes of the swap files that are being written, in this origin's IndexedDB: they outlive the browser, and each says whose
// it is.
import { createStore, entries, promisifyRequest, type UseStore } from "idb-keyval";
import { lock } from "../lock.js";

/** What is noted of one. */
interface Note {
  /** The lock that its worker holds as long as it lives. */
  owner: string;
  root: FileSystemDirectoryHandle;
  path: string[];
}

/** The notes of this origin; those that come while others are on their way are written together. */
class Notes {
  readonly #store: UseStore = createStore("mountfs-swaps", "swaps");
  readonly #owner = `mountfs-swaps ${crypto.randomUUID()}`;
  readonly #holding = lock(this.#owner);
  #added = new Map<string, Note>();
  #dropped: string[] = [];
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  async add(root: FileSystemDirectoryHandle, path: string[]): Promise<() => void> {
    await this.#holding;
    const key = crypto.randomUUID();
    this.#added.set(key, { owner: this.#owner, root, path });
    await this.#write();
    return () => this.drop(key);
  }

  drop(key: string): void {
    this.#dropped.push(key);
    this.#write().catch(() => {});
  }

  all(): Promise<[string, Note][]> {
    return entries(this.#store);
  }

  #write(): Promise<void> {
    this.#next ??= this.#writing
      .catch(() => {})
      .then(() => {
        const [added, dropped] = [this.#added, this.#dropped];
        [this.#added, this.#dropped, this.#next] = [new Map(), [], undefined];
        return (this.#writing = this.#store("readwrite", (store) => {
          added.forEach((swap, key) => store.put(swap, key));
          dropped.forEach((key) => store.delete(key));
          return promisifyRequest(store.transaction);
        }));
      });
    return this.#next;
  }
}

let made: Notes | undefined;

/** The one that writes for this worker. */
export function notes(): Notes {
  return (made ??= new Notes());
}

/** Whether the worker lives that made a note. */
export async function isAlive(owner: string): Promise<boolean> {
  const release = await lock(owner, { ifAvailable: true });
  release?.();
  return release === undefined;
}
