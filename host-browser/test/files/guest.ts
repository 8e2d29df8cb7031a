// What runs in the page's worker: a guest, as far as these tests need one, and another program for folders that Node
// cannot reach.
import { Descriptor, filesystemErrorCode, InUse, openTree, type OpenFlags, Pollable } from "../../src/files/index.js";
import { LIMITS } from "../../src/limits.js";
import { Trees } from "../../src/worker/trees.js";
import type { Access, Tree } from "../../src/contract.js";
import { Journals } from "../../src/journal/journals.js";
import type { TreeOptions } from "../../src/files/index.js";
import { SOON } from "../../src/files/volume.js";

/**
 * Whether what is closed is pushed a moment later. Where no test waits for that, it is not: a machine that stands still for so
 * long must not make another test of it.
 */
let isPushedSoon = true;
const { setTimeout } = globalThis;
globalThis.setTimeout = ((work: () => void, ms?: number) =>
  ms === SOON && !isPushedSoon ? undefined : setTimeout(work, ms)) as typeof setTimeout;

const text = new TextDecoder();
const bytes = (value: string) => new TextEncoder().encode(value);

/** A tree as a program with a libc sees it. Errors are thrown as the bare codes. */
export class Guest {
  readonly tree: Tree;
  readonly root: Descriptor;

  constructor(handle: FileSystemDirectoryHandle, access: Access = "read-write", options: TreeOptions = {}) {
    this.tree = openTree(handle, access, options);
    this.root = this.tree.root() as Descriptor;
  }

  async open(path: string, how: OpenFlags = {}, flags = { read: true, write: false }): Promise<Descriptor> {
    return this.root.openAt({ symlinkFollow: true }, path, how, flags);
  }

  writing(path: string, how: OpenFlags = {}): Promise<Descriptor> {
    return this.open(path, how, { read: true, write: true });
  }

  async read(path: string): Promise<string> {
    const file = await this.open(path);
    let [all, offset] = ["", 0n];
    for (;;) {
      const [read, end] = await file.read(1n << 20n, offset);
      all += text.decode(read);
      offset += BigInt(read.length);
      if (end) {
        file[Symbol.dispose]();
        return all;
      }
    }
  }

  async write(path: string, content: string, how: OpenFlags = { create: true, truncate: true }): Promise<void> {
    const file = await this.writing(path, how);
    const stream = file.writeViaStream(0n);
    await stream.blockingWriteAndFlush(bytes(content));
    stream[Symbol.dispose]();
    file[Symbol.dispose]();
  }

  async append(path: string, content: string): Promise<void> {
    const file = await this.writing(path, { create: true });
    const stream = file.appendViaStream();
    await stream.blockingWriteAndFlush(bytes(content));
    stream[Symbol.dispose]();
    file[Symbol.dispose]();
  }

  async list(path = "."): Promise<string[]> {
    return (await this.listInOrder(path)).sort();
  }

  /** As the browser lists it. */
  async listInOrder(path: string): Promise<string[]> {
    const directory = await this.open(path, { directory: true });
    const stream = await directory.readDirectory();
    const names = [];
    for (let entry = stream.readDirectoryEntry(); entry; entry = stream.readDirectoryEntry()) {
      names.push(entry.name + (entry.type === "directory" ? "/" : ""));
    }
    return names;
  }

  async stat(path: string) {
    return this.root.statAt({}, path);
  }

  async hash(path: string): Promise<string> {
    const { lower, upper } = await this.root.metadataHashAt({}, path);
    return `${lower}-${upper}`;
  }

  async mkdir(path: string): Promise<void> {
    return this.root.createDirectoryAt(path);
  }

  async rmdir(path: string): Promise<void> {
    return this.root.removeDirectoryAt(path);
  }

  async unlink(path: string): Promise<void> {
    return this.root.unlinkFileAt(path);
  }

  async rename(from: string, to: string): Promise<void> {
    return this.root.renameAt(from, this.root, to);
  }

  sync() {
    return this.tree.sync();
  }
}

/** A tab: a guest whose writes are in a journal. It shares nothing with others, as if it had a worker of its own. */
export class Tab {
  readonly guest: Guest;
  /** Settles when there is something to recover. */
  readonly found: Promise<void>;

  private constructor(handle: FileSystemDirectoryHandle, access: Access, readonly journals: Journals, found: Promise<void>) {
    const { journal, swaps } = journals;
    this.guest = new Guest(handle, access, { journal, swaps });
    this.found = found;
    journals.look(this.guest.tree);
  }

  /** `alone`: how others are kept from sharing its volume. */
  static async open(
    handle: FileSystemDirectoryHandle,
    access: Access = "read-write",
    alone = (handle: FileSystemDirectoryHandle) => watched(handle, () => {}),
  ): Promise<Tab> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const user = { found: resolve, changed: () => {} };
    const folder = { key: { path: `/${handle.name}`, id: "test" }, label: handle.name };
    return new Tab(alone(handle), access, await Journals.open(folder, access, user), promise);
  }

  recover() {
    return this.journals.recover(this.guest.tree);
  }

  /** What tabs left that are dead by now goes, with their swap files. */
  discard() {
    return this.journals.discard();
  }

  /** What is dirty is not pushed. */
  async die(): Promise<void> {
    this.guest.tree.end();
    await this.journals.end();
  }
}

/** What a call throws: an error code, or something that must not come out. */
export async function thrown(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    const stream = error as { tag?: string; val?: never };
    if (stream?.tag === "last-operation-failed") {
      return filesystemErrorCode(stream.val!);
    }
    return typeof error === "string" ? error : (stream?.tag ?? `not a code: ${String(error)}`);
  }
}

/** What a call throws, and the browser's last exception on the way. */
export async function provoked(call: () => unknown): Promise<{ exception: string | undefined; code: unknown }> {
  let exception: string | undefined;
  let ofStream = false;
  const restore: (() => void)[] = [];
  const types = [FileSystemFileHandle, FileSystemDirectoryHandle, FileSystemWritableFileStream, WritableStream, Blob];
  for (const type of types) {
    const prototype = type.prototype as unknown as Record<string, unknown>;
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (name === "constructor" || typeof value !== "function") {
        continue;
      }
      prototype[name] = function (this: unknown, ...args: unknown[]) {
        const answer: unknown = value.apply(this, args);
        // That there is no swap file is what is hoped for.
        if (answer instanceof Promise && !String(args[0]).endsWith(".crswap")) {
          answer.catch((error: Error) => {
            // The file is looked at while it is swapped in, and what that meets matters to nobody.
            if (!ofStream) exception = error.name;
            ofStream ||= this instanceof WritableStream;
          });
        }
        return answer;
      };
      restore.push(() => (prototype[name] = value));
    }
  }
  const code = await thrown(call);
  restore.forEach((undo) => undo());
  return { exception, code };
}

/** Does something, and counts the browser's calls by name that this takes, and the `bytes` that are read. */
export async function counted(work: () => unknown): Promise<Record<string, number>> {
  const calls: Record<string, number> = {};
  const tell = (name: string, by = 1) => (calls[name] = (calls[name] ?? 0) + by);
  const restore: (() => void)[] = [];
  const METHODS = {
    getFile: FileSystemFileHandle,
    createWritable: FileSystemFileHandle,
    getFileHandle: FileSystemDirectoryHandle,
    getDirectoryHandle: FileSystemDirectoryHandle,
    entries: FileSystemDirectoryHandle,
    slice: Blob,
    arrayBuffer: Blob,
    write: FileSystemWritableFileStream,
  };
  for (const [name, { prototype }] of Object.entries(METHODS)) {
    const methods = prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
    const method = methods[name]!;
    methods[name] = function (this: unknown, ...args: unknown[]) {
      tell(name);
      if (name === "arrayBuffer") {
        tell("bytes", (this as Blob).size);
      }
      if (name === "write") {
        const { data } = args[0] as { data: Uint8Array | Blob };
        tell("written", data instanceof Blob ? data.size : data.byteLength);
      }
      return method.apply(this, args);
    };
    restore.push(() => (methods[name] = method));
  }
  try {
    await work();
    return calls;
  } finally {
    restore.forEach((undo) => undo());
  }
}

/** A clock that stands still, so that nothing depends on how fast the machine is, until it is told how much has passed. */
export function frozen(): { pass(milliseconds: number): void; melt(): void } {
  let now = performance.now();
  performance.now = () => now;
  return { pass: (milliseconds) => void (now += milliseconds), melt: () => Reflect.deleteProperty(performance, "now") };
}

/** Told of each call that reaches the browser; may throw, or wait. */
export type Hook = (call: string, name: string) => unknown;

/** A handle that tells of its calls. */
export function watched<H extends FileSystemHandle>(handle: H, hook: Hook): H {
  const wrap = (value: unknown): unknown => {
    if (value instanceof FileSystemHandle) {
      return watched(value, hook);
    }
    if (value instanceof FileSystemWritableFileStream) {
      return watchedObject(value, async (call, go) => {
        await hook(call, handle.name);
        return go();
      });
    }
    return value;
  };
  return watchedObject(handle, (call, go, args) => {
    if (call === "entries") {
      return watchedEntries(handle as unknown as FileSystemDirectoryHandle, hook);
    }
    if (call === "resolve" || call === "isSameEntry") {
      return Promise.resolve(call === "resolve" ? null : false);
    }
    return (async () => {
      const [name, options] = args as [string | undefined, { create?: boolean } | undefined];
      const verb = options?.create ? `${call}:create` : call;
      await hook(verb, typeof name === "string" ? name : handle.name);
      return wrap(await go());
    })();
  });
}

async function* watchedEntries(handle: FileSystemDirectoryHandle, hook: Hook) {
  await hook("entries", handle.name);
  for await (const [name, entry] of handle.entries()) {
    yield [name, watched(entry, hook)] as const;
  }
}

function watchedObject<T extends object>(
  object: T,
  call: (name: string, go: () => unknown, args: unknown[]) => unknown,
): T {
  return new Proxy(object, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") {
        return value;
      }
      return (...args: unknown[]) => call(String(key), () => value.apply(target, args), args);
    },
  });
}

/** Another program, on a folder that only the browser reaches. */
export const outside = {
  async at(root: FileSystemDirectoryHandle, path: string) {
    const parts = path.split("/").filter(Boolean);
    const name = parts.pop()!;
    let directory = root;
    for (const part of parts) {
      directory = await directory.getDirectoryHandle(part, { create: true });
    }
    return { directory, name };
  },
  async write(root: FileSystemDirectoryHandle, path: string, content: string) {
    const { directory, name } = await outside.at(root, path);
    const stream = await (await directory.getFileHandle(name, { create: true })).createWritable();
    await stream.write(content);
    await stream.close();
  },
  async read(root: FileSystemDirectoryHandle, path: string) {
    const { directory, name } = await outside.at(root, path);
    return (await (await directory.getFileHandle(name)).getFile()).text();
  },
  async names(root: FileSystemDirectoryHandle, path = "") {
    const { directory, name } = await outside.at(root, `${path}/.`);
    void name;
    const names = [];
    for await (const found of directory.keys()) {
      names.push(found);
    }
    return names.sort();
  },
  async remove(root: FileSystemDirectoryHandle, path: string) {
    const { directory, name } = await outside.at(root, path);
    await directory.removeEntry(name, { recursive: true });
  },
};

/**
 * While `work` has `a` pushed, into which the guest wrote `guest`, another program puts its version there in the middle of the swap.
 * That is looked at, `meanwhile` is called, and then the swap replaces it. By the page's clock, the disk's is a minute late.
 */
async function overtaken<T>(
  handle: FileSystemDirectoryHandle,
  { theirs, meanwhile = () => {} }: { theirs: string; meanwhile?: () => void },
  work: (swap: { over: Promise<void>; opened: () => number }) => Promise<T>,
): Promise<T> {
  const [stream, file, blob] = [FileSystemWritableFileStream.prototype, FileSystemFileHandle.prototype, Blob.prototype];
  const [{ close }, { getFile }, open, { now }] = [stream, file, blob.stream, Date];
  const [looked, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let [opened, closes] = [0, 0];
  blob.stream = function () {
    opened++;
    return open.call(this);
  };
  file.getFile = async function () {
    const found = await getFile.call(this);
    if (opened > 0) setTimeout(looked.resolve);
    return found;
  };
  stream.close = async function () {
    if (closes++ > 0) return close.call(this);
    await this.abort();
    await outside.write(handle, "a", theirs);
    await looked.promise;
    meanwhile();
    await outside.write(handle, "a", "guest");
    over.resolve();
  };
  Date.now = () => now() + 60_000;
  try {
    return await work({ over: over.promise, opened: () => opened });
  } finally {
    Object.assign(stream, { close });
    Object.assign(file, { getFile });
    Object.assign(blob, { stream: open });
    Object.assign(Date, { now });
  }
}

/** What the tests' functions are given. */
export interface Kit {
  /** The test's folder. */
  handle: FileSystemDirectoryHandle;
  Guest: typeof Guest;
  thrown: typeof thrown;
  provoked: typeof provoked;
  watched: typeof watched;
  counted: typeof counted;
  frozen: typeof frozen;
  outside: typeof outside;
  overtaken: typeof overtaken;
  Tab: typeof Tab;
  InUse: typeof InUse;
  LIMITS: typeof LIMITS;
  Trees: typeof Trees;
  Pollable: typeof Pollable;
  bytes: typeof bytes;
  text: (bytes: Uint8Array) => string;
  sleep: (milliseconds: number) => Promise<void>;
  /** From now on, in this test's folder, what is closed is pushed a moment later. */
  pushSoon: () => void;
  /** Kept between two calls of one test. */
  kept: { guest: Guest; tab: Tab; file: Descriptor; going: Promise<unknown>; go: () => void };
}

const kept: Record<string, unknown> = {};

onmessage = async ({ data: { handle, code, args, port, fresh } }) => {
  if (fresh) {
    Object.keys(kept).forEach((key) => delete kept[key]);
    isPushedSoon = false;
  }
  const kit = {
    handle,
    Guest,
    thrown,
    provoked,
    watched,
    counted,
    frozen,
    outside,
    overtaken,
    Tab,
    InUse,
    LIMITS,
    Trees,
    Pollable,
    bytes,
    kept,
    text: (value: Uint8Array) => text.decode(value),
    sleep: (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    pushSoon: () => void (isPushedSoon = true),
  };
  try {
    port.postMessage({ value: await (0, eval)(`(${code})`)(kit, ...args) });
  } catch (error) {
    port.postMessage({ error: error instanceof Error ? `${error.stack}` : (JSON.stringify(error) ?? String(error)) });
  }
};
