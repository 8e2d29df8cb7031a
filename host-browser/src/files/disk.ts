// The calls of the File System API that look at a folder or change it, each with a time limit and its errors translated.
// `move()` is not among them: on a local folder it asks the user about each `.py` file. The bytes of a snapshot are read
// by `draft.ts` and `hold.ts`, too.
import { type Asked, Failure, hasNoSwap, refused, translate } from "./errors.js";
import { limited } from "./limit.js";
import { snapshotOf } from "./snapshot.js";
import { type Note, type Place, type Swap, Swaps } from "./swaps.js";

/** Somebody's right to change the disk, which may end at any time: it is checked right before each change. */
export interface Lease {
  /** Throws `no-device` when it has ended. */
  check(): void;
  /** What is being written under it, to be cut off when it ends. */
  readonly writers: Set<Writer>;
}

/** A file to be written. */
export interface To extends Place {
  handle: FileSystemFileHandle;
}

/** Milliseconds a call may take by default: a picker or a prompt may hold the browser up, a disk does not. */
export const PATIENCE = 30_000;

/** A swap file is a copy of its file; slower than this, in bytes a millisecond, nothing copies. */
const SLOWEST_COPY = 5_000;

/** Entries of a directory that are asked for within one time limit. */
const TOGETHER = 256;

/** The calls, with their time limit. */
export class Disk {
  readonly #changing = new Set<Promise<unknown>>();

  readonly swaps: Swaps;

  /** `root` is the folder that all of them are in. */
  constructor(
    root: FileSystemDirectoryHandle,
    readonly patience = PATIENCE,
    noteSwap: Note = () => () => {},
  ) {
    this.swaps = new Swaps(root, this, noteSwap);
  }

  /** The handle of the file of this name. */
  file(parent: FileSystemDirectoryHandle, name: string): Promise<FileSystemFileHandle> {
    return this.#ask({ to: "look-up", name, wants: "file" }, () => parent.getFileHandle(name));
  }

  /** The handle of the directory of this name. */
  directory(parent: FileSystemDirectoryHandle, name: string): Promise<FileSystemDirectoryHandle> {
    return this.#ask({ to: "look-up", name, wants: "directory" }, () => parent.getDirectoryHandle(name));
  }

  /**
   * Makes an empty file, unless there is a file of this name. Older versions of Chromium (148) go through a link here,
   * out of the folder; no version does when it looks a name up. So what was made is to be looked up.
   */
  async makeFile(lease: Lease, parent: FileSystemDirectoryHandle, name: string): Promise<FileSystemFileHandle> {
    lease.check();
    return this.#ask({ to: "create", name, wants: "file" }, () => parent.getFileHandle(name, { create: true }));
  }

  /** The same, and looks it up. */
  async createFile(lease: Lease, parent: FileSystemDirectoryHandle, name: string): Promise<FileSystemFileHandle> {
    await this.makeFile(lease, parent, name);
    return this.file(parent, name);
  }

  /** The same for a directory. */
  async createDirectory(
    lease: Lease,
    parent: FileSystemDirectoryHandle,
    name: string,
  ): Promise<FileSystemDirectoryHandle> {
    lease.check();
    await this.#ask({ to: "create", name, wants: "directory" }, () => parent.getDirectoryHandle(name, { create: true }));
    return this.directory(parent, name);
  }

  /** Removes a file, or a directory without entries. Never recursive: that would take what the browser hides too. */
  async remove(lease: Lease, parent: FileSystemDirectoryHandle, name: string): Promise<void> {
    lease.check();
    return this.#ask({ to: "remove", name }, () => parent.removeEntry(name));
  }

  /** The file as it is now: its attributes, and its bytes for as long as nobody changes it. */
  snapshot(handle: FileSystemFileHandle): Promise<File> {
    return this.#ask({ to: "read" }, () => snapshotOf(handle));
  }

  /** Bytes of a snapshot. */
  async read(file: Blob, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    // A slice is another object in the browser's own process, which takes as long to make as a small one to read.
    const part = start === 0 && end >= file.size ? file : file.slice(start, end);
    return new Uint8Array(await this.#ask({ to: "read" }, () => part.arrayBuffer()));
  }

  /** The entries of a directory. */
  async list(handle: FileSystemDirectoryHandle): Promise<[string, FileSystemHandle][]> {
    const listed: [string, FileSystemHandle][] = [];
    const entries = handle.entries();
    // Many within one time limit: to set one for each takes longer than the entry.
    let late = false;
    const some = async () => {
      for (let count = 0; count < TOGETHER && !late; count++) {
        const next = await entries.next();
        if (next.done) {
          return false;
        }
        listed.push(next.value);
      }
      return true;
    };
    try {
      while (await this.#ask({ to: "list" }, some));
      return listed;
    } finally {
      late = true;
    }
  }

  /** Starts to write a file of about `size` bytes; `keep` starts with what is in it, else it starts empty. */
  async writer(lease: Lease, to: To, keep: boolean, size: number): Promise<Writer> {
    const writer = this.#writer(lease, to, keep, size);
    // With its end, if the right to write ended meanwhile.
    this.#changing.add(writer);
    try {
      return await writer;
    } finally {
      this.#changing.delete(writer);
    }
  }

  async #writer(lease: Lease, to: To, keep: boolean, size: number): Promise<Writer> {
    lease.check();
    const patience = this.patience + size / SLOWEST_COPY;
    // "exclusive" keeps two pages from writing one file; a browser that does not know it takes no notice.
    const options = { keepExistingData: keep, mode: "exclusive" };
    const open = () => {
      // It may have ended while the swap file was noted.
      lease.check();
      return to.handle.createWritable(options);
    };
    const ask = () => this.#ask({ to: "write" }, open, patience, (late) => void late.abort().catch(ignore));
    const swap = await this.swaps.note(to);
    let writer: Writer;
    try {
      const stream = await ask().catch(async (error: unknown) => {
        if (!hasNoSwap(error)) {
          throw error;
        }
        await this.swaps.makeRoom(lease, to);
        return ask();
      });
      writer = new Writer(this, lease, to, stream, (call) => this.#ask({ to: "write" }, call, patience), swap);
    } catch (error) {
      // Chromium may have made it before it failed.
      await clear(swap, lease);
      throw error;
    }
    try {
      lease.check();
    } catch (error) {
      await writer.abort();
      throw error;
    }
    return writer;
  }

  /** Waits for the calls under way that change something: what the browser has begun, it does. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#changing);
  }

  async #ask<T>(
    asked: Asked,
    call: () => Promise<T>,
    patience = this.patience,
    late?: (answer: T) => void,
  ): Promise<T> {
    let answer: Promise<T> | undefined;
    try {
      answer = limited(call(), patience, late);
      if (asked.to === "create" || asked.to === "write" || asked.to === "remove") {
        this.#changing.add(answer);
      }
      return await answer;
    } catch (error) {
      throw translate(error, asked);
    } finally {
      this.#changing.delete(answer!);
    }
  }
}

/** A file being written beside its name, until `close` swaps it in. */
export class Writer {
  #over = false;

  constructor(
    private readonly disk: Disk,
    private readonly lease: Lease,
    private readonly to: To,
    private readonly stream: FileSystemWritableFileStream,
    private readonly ask: <T>(call: () => Promise<T>) => Promise<T>,
    private readonly swap: Swap,
  ) {
    lease.writers.add(this);
  }

  /** Writes bytes at an offset. */
  write(position: number, data: Uint8Array<ArrayBuffer> | Blob): Promise<void> {
    return this.#step(() => this.stream.write({ type: "write", position, data }));
  }

  /** Cuts it, or extends it with zeros. */
  truncate(size: number): Promise<void> {
    return this.#step(() => this.stream.truncate(size));
  }

  /** Puts it in the place of the file. */
  async close(): Promise<void> {
    await this.#step(() => this.stream.close());
    this.#end();
    this.swap.gone();
  }

  /**
   * What is in the place of the file after that. Throws `is-directory` when a directory came there in that moment:
   * Chromium may have moved the swap file into it, and then it is removed again.
   */
  async placed(): Promise<File> {
    const { handle, parent, path } = this.to;
    const name = path.at(-1)!;
    // A directory has a snapshot, too; whether it is one, only its parent tells.
    const look = this.disk.file(parent, name).catch(async (error: unknown) => {
      if (refused(error, "is-directory")) {
        await this.swap.removeIn(this.lease, name).catch(ignore);
      }
      throw error;
    });
    const [file] = await Promise.all([this.disk.snapshot(handle), look]);
    return file;
  }

  /** Leaves the file as it is, and no swap file; never throws. */
  async abort(): Promise<void> {
    if (!this.#over) {
      this.#end();
      await this.ask(() => this.stream.abort()).catch(ignore);
      // Chromium leaves it when it could not be put in the place of the file.
      await clear(this.swap, this.lease);
    }
  }

  async #step(call: () => Promise<void>): Promise<void> {
    this.#check();
    try {
      // Inside, so that whatever a stream says that was aborted meanwhile is not taken for its own failure.
      await this.ask(() => call().catch((error: unknown) => (this.#check(), Promise.reject(error))));
    } catch (error) {
      this.#check();
      throw error;
    }
  }

  #check(): void {
    this.lease.check();
    if (this.#over) {
      throw new Failure("no-device");
    }
  }

  #end(): void {
    this.#over = true;
    this.lease.writers.delete(this);
  }
}

/** Removes a swap file that is there still. What cannot be removed stays noted: the next mount does it. */
async function clear(swap: Swap, lease: Lease): Promise<void> {
  try {
    await swap.remove(lease);
  } catch (error) {
    if (!refused(error, "no-entry")) {
      return;
    }
  }
  swap.gone();
}

function ignore(): void {}
