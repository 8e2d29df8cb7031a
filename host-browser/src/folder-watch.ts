// Notices changes in the mounted folders that other programs make.
//
// The browser's observer tells of each name in the whole folder, once it observes: not every browser has one, it refuses
// a folder with too many directories, and Chromium keeps it waiting until the browser itself has started, which takes
// seconds. Until then, or instead, we look at what is in the folder itself, while the page is shown. What nobody could
// see, before the watch began or while the user was elsewhere, is told without names: anything may have changed.
import { isSwap } from "./files/names.js";
import { snapshotOf } from "./files/snapshot.js";
import { type GrantKey, slot } from "./wit.js";
import { type FolderObserver, type FolderRecord, Observer } from "./supported.js";

/** How long to collect changes before telling: a program that saves a file makes several. */
const COLLECT_MS = 60;
/** From one look to the next, at least. */
const LOOK_MS = 2000;
/** Of the time, looking takes no more than one part in this many. */
const SELDOM = 20;
/** With more names at once than this, the system may have lost others. */
const MOST = 1000;

/**
 * Told of names, relative to the folder; of none when anything in it may have changed. What was looked up less than `ago`
 * milliseconds before is as it was seen then.
 */
type Changed = (key: GrantKey, names: string[], ago: number) => void;

/** Opens the folder of a grant. */
type Folder = (key: GrantKey) => Promise<FileSystemDirectoryHandle | undefined>;

/** Watches mounted folders. */
export class FolderWatch {
  readonly #changed: Changed;
  readonly #watched = new Map<string, Watched>();
  readonly #stop = new AbortController();

  constructor(changed: Changed) {
    this.#changed = changed;
    // The user comes back, from another program perhaps. On a disk of another computer nothing else tells of it.
    const back = () => document.hidden || this.#watched.forEach((watched) => watched.note([ANYTHING]));
    const { signal } = this.#stop;
    window.addEventListener("focus", back, { signal });
    document.addEventListener("visibilitychange", back, { signal });
  }

  /** Watches these folders, and no others. */
  follow(keys: GrantKey[], folder: Folder): void {
    // A worker may still have said something when it was stopped.
    if (this.#stop.signal.aborted) return;
    const wanted = new Map(keys.map(({ path, id }) => [slot({ path, id }), { path, id }]));
    for (const [name, watched] of this.#watched) {
      if (wanted.has(name)) continue;
      watched.close();
      this.#watched.delete(name);
    }
    for (const [name, key] of wanted) {
      if (this.#watched.has(name)) continue;
      this.#watched.set(name, new Watched(folder(key), (names, ago) => this.#changed(key, names, ago)));
    }
  }

  /** Watches nothing any more. */
  close(): void {
    this.follow([], async () => undefined);
    this.#stop.abort();
  }
}

/** The folder itself as a name in it. */
const ANYTHING = "";

/** One folder. */
class Watched {
  readonly #tell: (names: string[], ago: number) => void;
  readonly #names = new Set<string>();
  /** When the last of them was noted. */
  #noted = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #observer: FolderObserver | undefined;
  #observes = false;
  #looks = false;
  #closed = false;

  constructor(folder: Promise<FileSystemDirectoryHandle | undefined>, tell: (names: string[], ago: number) => void) {
    this.#tell = tell;
    // Without the folder, whoever mounts it has been told why.
    folder.then((handle) => handle && this.#watch(handle)).catch(() => undefined);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#observer?.disconnect();
  }

  /** Tells of these names, in a moment. */
  note(names: Iterable<string>): void {
    if (this.#closed) return;
    this.#noted = performance.now();
    for (const name of names) this.#names.add(name);
    if (this.#names.size) this.#timer ??= setTimeout(() => this.#tellNow(), COLLECT_MS);
  }

  #tellNow(): void {
    this.#timer = undefined;
    const names = [...this.#names];
    this.#names.clear();
    this.#tell(names.includes(ANYTHING) || names.length > MOST ? [] : names, performance.now() - this.#noted);
  }

  #watch(handle: FileSystemDirectoryHandle): void {
    void this.#observe(handle);
    if (!this.#looks) void this.#look(handle);
  }

  async #observe(handle: FileSystemDirectoryHandle): Promise<void> {
    if (!Observer || this.#closed) return;
    const observer = new Observer((records) => this.#heard(handle, records));
    this.#observer = observer;
    try {
      await observer.observe(handle, { recursive: true });
      if (this.#closed) return observer.disconnect();
      this.#observes = true;
      this.note([ANYTHING]);
    } catch {
      // Too big, or not there now. Then we look.
    }
  }

  #heard(handle: FileSystemDirectoryHandle, records: FolderRecord[]): void {
    for (const { type, relativePathComponents: at, relativePathMovedFrom: from } of records) {
      // With `errored` and `unknown` there is no path: it is the folder itself, and so anything.
      this.note([at, from ?? at].map((path) => path.join("/")));
      if (type !== "errored" || !this.#observes) continue;
      this.#observes = false;
      this.#watch(handle);
    }
  }

  /** Looks at the folder for as long as nothing observes it. */
  async #look(handle: FileSystemDirectoryHandle): Promise<void> {
    this.#looks = true;
    let before: Map<string, string> | undefined;
    for (let pause = LOOK_MS; ; ) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (this.#observes || this.#closed) break;
      if (document.hidden) continue;
      const began = performance.now();
      // When it is not there now, it may come back.
      const now = await entries(handle).catch(() => undefined);
      if (now) this.note(before ? different(before, now) : [ANYTHING]);
      before = now;
      pause = Math.max(LOOK_MS, SELDOM * (performance.now() - began));
    }
    this.#looks = false;
  }
}

/** What is in a folder. No file is read. */
async function entries(folder: FileSystemDirectoryHandle): Promise<Map<string, string>> {
  const all: Promise<[string, string]>[] = [];
  // A swap file is the browser's own, beside one that is being written. The observer does not tell of those.
  for await (const handle of folder.values()) if (!isSwap(handle.name)) all.push(entry(handle));
  return new Map(await Promise.all(all));
}

async function entry(handle: FileSystemHandle): Promise<[string, string]> {
  const { name, kind } = handle;
  if (kind === "directory") return [name, kind];
  const file = await snapshotOf(handle as FileSystemFileHandle).catch(() => undefined);
  return [name, `${file?.size} ${file?.lastModified}`];
}

function different(before: Map<string, string>, now: Map<string, string>): string[] {
  const names = new Set([...before.keys(), ...now.keys()]);
  return [...names].filter((name) => before.get(name) !== now.get(name));
}
