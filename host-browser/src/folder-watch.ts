// Notices changes in the mounted folders that other programs make.
import type { GrantKey } from "./wit.js";
import { type FolderObserver, Observer } from "./supported.js";

/** How long to collect changes before telling: a program that saves a file makes several. */
const COLLECT_MS = 60;

/** Watches mounted folders where the browser can. */
export class FolderWatch {
  readonly #changed: (key: GrantKey, names: string[]) => void;
  readonly #observers = new Map<string, FolderObserver>();

  constructor(changed: (key: GrantKey, names: string[]) => void) {
    this.#changed = changed;
  }

  /** Watches these folders, and no others. */
  async follow(
    keys: GrantKey[],
    folder: (key: GrantKey) => Promise<FileSystemDirectoryHandle | undefined>,
  ): Promise<void> {
    if (!Observer) return;
    const wanted = new Map(keys.map(({ path, id }) => [JSON.stringify([path, id]), { path, id }]));
    for (const [slot, observer] of this.#observers) {
      if (wanted.has(slot)) continue;
      observer.disconnect();
      this.#observers.delete(slot);
    }
    for (const [slot, key] of wanted) {
      if (this.#observers.has(slot)) continue;
      const again = () => {
        // It gave up, as after too many changes at once: what it missed is anything.
        if (this.#observers.get(slot) !== observer) return;
        this.#observers.delete(slot);
        void this.follow(keys, folder);
      };
      const observer = this.#observer(key, Observer, again);
      this.#observers.set(slot, observer);
      try {
        const handle = await folder(key);
        if (handle) await observer.observe(handle, { recursive: true });
      } catch {
        // Some folders cannot be watched; then changes are seen when the app looks.
        this.#observers.delete(slot);
      }
    }
  }

  /** Watches nothing any more. */
  close(): void {
    for (const observer of this.#observers.values()) observer.disconnect();
    this.#observers.clear();
  }

  #observer(key: GrantKey, Class: NonNullable<typeof Observer>, gaveUp: () => void): FolderObserver {
    const names = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    return new Class((records) => {
      for (const { relativePathComponents } of records) {
        const name = relativePathComponents.join("/");
        // The browser's own file beside one that is being written.
        if (!name.endsWith(".crswap")) names.add(name);
      }
      if (records.some(({ type }) => type === "errored")) gaveUp();
      if (!names.size) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        this.#changed(key, [...names]);
        names.clear();
      }, COLLECT_MS);
    });
  }
}
