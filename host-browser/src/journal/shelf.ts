// Where journals are: in the private storage of this origin, in a bucket of their own where the browser has buckets, so
// that no folder that a guest can be given has them in it. Each grant's folder has its journals in a directory.
//
// Who writes a journal, or offers what is in it, holds a lock of its name, which the browser lets go when the tab dies.
// So each has one owner at a time, and whoever waits for the lock is told of the death when it happens. Beside a journal
// are the notes of the swap files that its tab is writing, which go the same way.
import { limited } from "../files/limit.js";
import { type NotedSwap, SwapNotes, swapsIn } from "../files/swap-notes.js";
import { lock } from "../lock.js";
import * as supported from "../supported.js";
import type { GrantKey } from "../wit.js";
import { Journal } from "./journal.js";
import { Log, type LogFile } from "./log.js";
import { replay, type Unsaved } from "./replay.js";

/** A granted folder: the label is there because a page can put another folder in a grant's place. */
export interface Folder {
  key: GrantKey;
  label: string;
}

/** A journal of this tab. */
export interface OpenJournal {
  readonly journal: Journal;
  readonly swaps: SwapNotes;
  /** Nobody writes it any more. What is in it is found by the next mount. */
  close(): Promise<void>;
}

/** A journal of a tab that died. */
export interface Left {
  readonly files: number;
  readonly bytes: number;
  unsaved(): Promise<Unsaved[]>;
  /** Removes it. */
  discard(): Promise<void>;
  /** Leaves it for the next mount, or another tab that waits for it. */
  release(): void;
}

/** With the number of the log's format: what another version wrote is neither read nor removed. */
const NAME = "mountfs-journals-1";
/** The two files of a log. */
const SLOTS = [".0", ".1"];
/** The file of the notes. */
const SWAPS = ".swaps";
/** How long a mount waits for its journal, in milliseconds: long, because without one the work of a tab can be lost. */
const PATIENCE = 15_000;

/** Where a folder's journals are. Throws where the browser has no place for them. */
export async function openShelf({ key: { path, id }, label }: Folder): Promise<FileSystemDirectoryHandle> {
  const shelf = async () => (await (all ??= openAll())).getDirectoryHandle(nameOf(path, id, label), { create: true });
  const again = () => {
    // It may be gone: the user can clear this site's data at any time.
    all = undefined;
    return shelf();
  };
  return limited(shelf().catch(again), PATIENCE);
}

/** Where all are. */
let all: Promise<FileSystemDirectoryHandle> | undefined;

/** What they are in. Kept: a bucket that is garbage may not answer any more (`grants/store.ts`). */
let bucket: { getDirectory(): Promise<FileSystemDirectoryHandle> };

/** Asks the browser for that, so that the first mount does not have to wait for it. */
export function prepareShelves(): void {
  if (supported.journals) {
    all ??= openAll();
    all.catch(ignore);
  }
}

/** Begins a journal. */
export async function openJournal(
  shelf: Promise<FileSystemDirectoryHandle>,
  changed: () => void,
): Promise<OpenJournal> {
  return limited(create(shelf, changed), PATIENCE, (late) => void late.close());
}

async function create(shelf: Promise<FileSystemDirectoryHandle>, changed: () => void): Promise<OpenJournal> {
  const name = crypto.randomUUID();
  // Before there is anything that another tab could find.
  const release = (await lock(lockOf(name)))!;
  try {
    const directory = await shelf;
    const [notes, ...files] = await Promise.all([SWAPS, ...SLOTS].map((slot) => openFile(directory, name + slot)));
    const journal = new Journal(new Log(files as [LogFile, LogFile]), changed);
    const swaps = new SwapNotes(notes!);
    const close = async () => {
      const done = [...(journal.isEmpty ? SLOTS : []), ...(swaps.isEmpty ? [SWAPS] : [])];
      journal.close();
      swaps.close();
      await remove(directory, name, done);
      release();
    };
    return { journal, swaps, close };
  } catch (error) {
    release();
    throw error;
  }
}

/** Whoever looks for the journals of tabs that died. */
export interface Search {
  /** Those of tabs that were dead when it began have been found. */
  readonly looked: Promise<void>;
  /** Finds no more. */
  stop(): void;
}

/** Who looks. */
export interface Finder {
  /** Told of each journal. */
  found(left: Left): void;
  /** Removes the swap files that a tab was writing, if it may. Until that was done, they are found again. */
  clean: ((swaps: NotedSwap[]) => Promise<void>) | undefined;
}

/** Finds each journal of a folder whose tab died, now and later. */
export function findJournals(directory: FileSystemDirectoryHandle, finder: Finder): Search {
  const over = new AbortController();
  const failed = (error: unknown) => {
    if (!over.signal.aborted) {
      console.warn("mountfs: cannot look for what was not saved", error);
    }
  };
  const look = async (name: string, release: () => void) => {
    if (over.signal.aborted) {
      return release();
    }
    // What cannot be removed now, the next mount tries again.
    await limited(clean(directory, name, finder), PATIENCE).catch(ignore);
    const left = await open(directory, name, release);
    if (over.signal.aborted) {
      release();
    } else if (left) {
      finder.found(left);
    }
  };
  const search = async () => {
    const names = new Set<string>();
    for await (const file of directory.keys()) {
      names.add(file.slice(0, file.lastIndexOf(".")));
    }
    for (const name of names) {
      const release = await lock(lockOf(name), { ifAvailable: true });
      if (release) {
        // One that cannot be read stays, and hides no other.
        await look(name, release).catch(failed);
      } else {
        // Its tab lives, or is dying.
        const { signal } = over;
        lock(lockOf(name), { signal }).then((release) => look(name, release!)).catch(failed);
      }
    }
  };
  return { looked: search().catch(failed), stop: () => over.abort() };
}

async function clean(directory: FileSystemDirectoryHandle, name: string, { clean }: Finder): Promise<void> {
  if (clean) {
    const [notes] = await filesOf(directory, [name + SWAPS]);
    const swaps = notes ? await swapsIn(notes) : [];
    await (swaps.length > 0 && clean(swaps));
    await remove(directory, name, [SWAPS]);
  }
}

/** A journal whose lock is held; it is removed when there is nothing in it. */
async function open(
  directory: FileSystemDirectoryHandle,
  name: string,
  release: () => void,
): Promise<Left | undefined> {
  const unsaved = async () => replay(await filesOf(directory, SLOTS.map((slot) => name + slot)));
  const discard = async () => {
    await remove(directory, name, SLOTS);
    release();
  };
  try {
    const files = await unsaved();
    if (files.length === 0) {
      await discard();
      return undefined;
    }
    const bytes = files.reduce((sum, { draft }) => sum + draft.extents.bytes, 0);
    return { files: files.length, bytes, unsaved, discard, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Removes all journals of a grant that no tab writes. It never throws: a folder is taken back whatever becomes of them. */
export async function forgetJournals(key: GrantKey): Promise<void> {
  if (supported.journals) {
    await limited(removeAll(key), PATIENCE).catch((error: unknown) => {
      console.warn("mountfs: cannot remove what was not saved in a folder that was taken back", error);
    });
  }
}

async function removeAll({ path, id }: GrantKey): Promise<void> {
  const shelves = await openAll();
  for await (const [name, directory] of shelves.entries()) {
    if (!name.startsWith(nameOf(path, id, "")) || directory.kind !== "directory") {
      continue;
    }
    for await (const file of directory.keys()) {
      await directory.removeEntry(file).catch(ignore);
    }
    // There may be one that is being written.
    await shelves.removeEntry(name).catch(ignore);
  }
}

async function openAll(): Promise<FileSystemDirectoryHandle> {
  bucket = (await supported.buckets?.open("mountfs-journals")) ?? navigator.storage;
  return (await bucket.getDirectory()).getDirectoryHandle(NAME, { create: true });
}

function nameOf(path: string, id: string, label: string): string {
  // None of these has a space then, and no name has `/`.
  return [id, path, label].map(encodeURIComponent).join(" ");
}

function lockOf(name: string): string {
  return `mountfs-journal ${name}`;
}

/** Not in TypeScript's types for a page, which has no such thing. */
type SyncFile = FileSystemFileHandle & { createSyncAccessHandle(): Promise<LogFile> };

async function openFile(directory: FileSystemDirectoryHandle, name: string): Promise<LogFile> {
  const file = (await directory.getFileHandle(name, { create: true })) as SyncFile;
  return file.createSyncAccessHandle();
}

/** Those that there are: fewer if a tab died before it had made all, or they were removed meanwhile. */
async function filesOf(directory: FileSystemDirectoryHandle, names: string[]): Promise<File[]> {
  const files = names.map(async (name) => {
    try {
      return await (await directory.getFileHandle(name)).getFile();
    } catch (error) {
      if (error instanceof DOMException && error.name === "NotFoundError") {
        return undefined;
      }
      throw error;
    }
  });
  return (await Promise.all(files)).filter((file) => file !== undefined);
}

async function remove(directory: FileSystemDirectoryHandle, name: string, slots: string[]): Promise<void> {
  await Promise.all(slots.map((slot) => directory.removeEntry(name + slot).catch(ignore)));
}

function ignore(): void {}
