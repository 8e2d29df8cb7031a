// `wasi:filesystem/types.descriptor`: conversion and checks; the meaning is in the files beside this one.
import { freshen, prepare, preparing } from "./base.js";
import { createDirectory, createFile } from "./create.js";
import { Failure, refused } from "./errors.js";
import { inputStream, outputStream, Relief } from "./file-streams.js";
import type { InUse, Release } from "./in-use.js";
import { hashOf, type MetadataHash } from "./identity.js";
import { askedOf, list, type Entry } from "./list.js";
import { childForSure, childIfAny, confirm, met, walk, walkToParent } from "./lookup.js";
import { checkNew, parse } from "./names.js";
import { type DirectoryNode, type FileNode, type Node, setBase } from "./node.js";
import { push } from "./push.js";
import { attributes, MOST, readAt } from "./read.js";
import { readOn } from "./read-ahead.js";
import { removeDirectory, removeFile } from "./remove.js";
import { rename } from "./rename.js";
import type { InputStream, OutputStream } from "./streams.js";
import { type NewTimestamp, setTimes, type Stat, statOf } from "./times.js";
import type { OpenTree } from "./tree.js";
import { resize, writeAt } from "./write.js";

/** `descriptor-flags`; what is missing is false. */
export interface DescriptorFlags {
  read?: boolean;
  write?: boolean;
  fileIntegritySync?: boolean;
  dataIntegritySync?: boolean;
  requestedWriteSync?: boolean;
  mutateDirectory?: boolean;
}

/** `open-flags`. */
export interface OpenFlags {
  create?: boolean;
  directory?: boolean;
  exclusive?: boolean;
  truncate?: boolean;
}

/** `path-flags`; there are no links to follow. */
export interface PathFlags {
  symlinkFollow?: boolean;
}

/** `descriptor-type`, as far as there are any. */
export type DescriptorType = "directory" | "regular-file";

/** Something that may be at once or later: a call that need not wait does not. */
type Soon<T> = T | Promise<T>;

/** An open file or directory. */
export class Descriptor {
  readonly #tree: OpenTree;
  /** `undefined` for the tree's root, which is found at its first use. */
  readonly #opened: Node | undefined;
  readonly #flags: { read: boolean; write: boolean };
  /** Whose it is, and all that is opened through it. */
  readonly #inUse: InUse;
  readonly #close: Release;

  /** Made by a tree, and by descriptors. */
  constructor(tree: OpenTree, node: Node | undefined, flags: { read: boolean; write: boolean }, inUse: InUse) {
    this.#tree = tree;
    this.#opened = node;
    this.#flags = flags;
    this.#inUse = inUse;
    this.#close = inUse.take("descriptors", () => node?.kind === "file" && tree.volume.close(node));
    if (node?.kind === "file") {
      tree.volume.open(node);
    }
  }

  readViaStream(offset: bigint): InputStream {
    return this.#tree.callNow(() => inputStream(this.#tree, this.#inUse, this.#readable(), position(offset)));
  }

  writeViaStream(offset: bigint): OutputStream {
    return this.#tree.callNow(() => outputStream(this.#tree, this.#inUse, this.#writable(), position(offset)));
  }

  appendViaStream(): OutputStream {
    return this.#tree.callNow(() => outputStream(this.#tree, this.#inUse, this.#writable(), "end"));
  }

  /** Reading ahead goes by what is read. */
  advise(): Soon<void> {
    return this.#tree.call(() => void this.#file());
  }

  syncData(): Soon<void> {
    return this.sync();
  }

  getFlags(): DescriptorFlags {
    return this.#tree.callNow(() => {
      const canWrite = this.#tree.access === "read-write";
      return this.#isFile()
        ? { ...this.#flags }
        : // A directory of a writable tree can be changed, however it was opened, as in POSIX.
          { read: true, mutateDirectory: canWrite };
    });
  }

  getType(): DescriptorType {
    return this.#tree.callNow(() => (this.#isFile() ? "regular-file" : "directory"));
  }

  setSize(size: bigint): Soon<void> {
    return this.#tree.call(async () => {
      const file = this.#writable();
      const wanted = position(size, "file-too-large");
      do {
        await prepare(this.#tree.volume, file);
        await this.#tree.unpaused();
      } while (preparing(this.#tree.volume, file));
      resize(this.#tree.volume, file, wanted);
    });
  }

  setTimes(accessed: NewTimestamp, modified: NewTimestamp): Soon<void> {
    return this.#tree.call(() => {
      this.#tree.checkWritable();
      return setTimes(this.#tree.volume, this.#node(), accessed, modified);
    });
  }

  read(length: bigint, offset: bigint): Soon<[Uint8Array, boolean]> {
    return this.#tree.call(() => {
      const file = this.#readable();
      const start = position(offset);
      const wanted = Number(length < BigInt(MOST) ? length : BigInt(MOST));
      const answer = (bytes: Uint8Array): [Uint8Array, boolean] => {
        const size = file.draft?.size ?? file.base?.size;
        return [bytes, size === undefined ? bytes.length < wanted : start + bytes.length >= size];
      };
      const bytes = readAt(this.#tree.volume, file, start, wanted);
      return bytes instanceof Promise ? bytes.then(answer) : answer(bytes);
    });
  }

  write(bytes: Uint8Array, offset: bigint): Soon<bigint> {
    return this.#tree.call(async () => {
      const { volume } = this.#tree;
      const file = this.#writable();
      const start = position(offset, "file-too-large");
      const relief = new Relief(this.#tree);
      do {
        await prepare(volume, file);
        while (relief.room() === 0) {
          await relief.under;
        }
        await this.#tree.unpaused();
      } while (preparing(volume, file));
      // As much as there is room for: it is for the guest to go on.
      const taken = bytes.subarray(0, MOST);
      writeAt(volume, file, start, taken);
      return BigInt(taken.length);
    });
  }

  readDirectory(): Soon<DirectoryEntryStream> {
    return this.#tree.call(async () => {
      const directory = this.#directory();
      this.#inUse.check("descriptors");
      this.#inUse.check("listings");
      return new DirectoryEntryStream(this.#tree, await list(this.#tree.volume, directory), this.#inUse);
    });
  }

  /** A file's bytes are on disk after this. A directory's names always are. */
  sync(): Soon<void> {
    return this.#tree.call(() => {
      const node = this.#node();
      return node.kind === "file" && node.draft && !node.gone ? push(this.#tree.volume, this.#tree, node) : undefined;
    });
  }

  createDirectoryAt(path: string): Soon<void> {
    return this.#change(path, "exist", async (parent, name) => {
      await createDirectory(this.#tree.volume, this.#tree, parent, name);
    });
  }

  stat(): Soon<Stat> {
    return this.#tree.call(() => statOf(this.#tree.volume, this.#node()));
  }

  statAt(_: PathFlags, path: string): Soon<Stat> {
    return this.#at(path, (node) => {
      if (node.kind === "file") {
        askedOf(this.#tree.volume, node);
      }
      return statOf(this.#tree.volume, node);
    });
  }

  setTimesAt(_: PathFlags, path: string, accessed: NewTimestamp, modified: NewTimestamp): Soon<void> {
    return this.#at(path, (node) => {
      this.#tree.checkWritable();
      return setTimes(this.#tree.volume, node, accessed, modified);
    });
  }

  /** Neither the browser's files nor its directories have second names. */
  linkAt(_: PathFlags, path: string, directory: Descriptor, newPath: string): Soon<void> {
    return this.#tree.call(() => {
      this.#tree.checkWritable();
      throw new Failure("unsupported");
    });
  }

  openAt(_: PathFlags, path: string, how: OpenFlags, flags: DescriptorFlags): Soon<Descriptor> {
    return this.#tree.call(async () => {
      const tree = this.#tree;
      if (flags.write || flags.mutateDirectory || how.create || how.truncate) {
        tree.checkWritable();
      }
      // Before anything is made or emptied.
      this.#inUse.check("descriptors");
      if (how.create && how.directory) {
        throw new Failure("invalid");
      }
      try {
        return await this.#openOnce(path, how, flags);
      } catch (error) {
        // What was believed to be there was removed: then it may be made, or is another thing now.
        if (!refused(error, "no-entry", "is-directory", "not-directory")) {
          throw error;
        }
        return await this.#openOnce(path, how, flags);
      }
    });
  }

  readlinkAt(path: string): Soon<string> {
    return this.#at(path, () => {
      throw new Failure("invalid");
    });
  }

  removeDirectoryAt(path: string): Soon<void> {
    return this.#change(path, "busy", async (parent, name) => {
      const node = await childOf(this.#tree, parent, name);
      if (node.kind === "file") {
        throw new Failure("not-directory");
      }
      await removeDirectory(this.#tree.volume, this.#tree, node);
    });
  }

  renameAt(path: string, directory: Descriptor, newPath: string): Soon<void> {
    return this.#tree.call(async () => {
      const tree = this.#tree;
      tree.checkWritable();
      if (directory.#tree !== tree) {
        throw new Failure("cross-device");
      }
      const [from, to] = [parse(path), parse(newPath)];
      const old = await walkToParent(tree.volume, this.#directory(), from, "busy");
      const target = await walkToParent(tree.volume, directory.#directory(), to, "busy");
      await rename(tree.volume, tree, { ...old, slash: from.directory }, { ...target, slash: to.directory });
    });
  }

  symlinkAt(_: string, path: string): Soon<void> {
    return this.#tree.call(() => {
      this.#tree.checkWritable();
      parse(path);
      throw new Failure("unsupported");
    });
  }

  unlinkFileAt(path: string): Soon<void> {
    return this.#change(path, "busy", async (parent, name, slash) => {
      const node = await childOf(this.#tree, parent, name);
      if (node.kind === "directory") {
        throw new Failure("is-directory");
      }
      if (slash) {
        throw new Failure("not-directory");
      }
      await removeFile(this.#tree.volume, this.#tree, node);
    });
  }

  isSameObject(other: Descriptor): boolean {
    const [ours, theirs] = [this.#opened ?? this.#tree.base, other.#opened ?? other.#tree.base];
    return ours ? ours === theirs : this.#tree === other.#tree && !other.#opened;
  }

  metadataHash(): Soon<MetadataHash> {
    return this.#tree.call(() => hashOf(this.#tree.volume, this.#node()));
  }

  /** Of a name that was met it is as it was: preview 1 guests ask for that of each name they list, one after the other. */
  metadataHashAt(_: PathFlags, path: string): Soon<MetadataHash> {
    const find: typeof walk = (volume, base, way) => met(base, way) ?? walk(volume, base, way);
    return this.#at(path, (node) => hashOf(this.#tree.volume, node), find);
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  async #openOnce(path: string, how: OpenFlags, flags: DescriptorFlags): Promise<Descriptor> {
    const tree = this.#tree;
    const { node, made } = await this.#find(path, how);
    if (node.kind === "directory") {
      if (flags.write || how.truncate || (how.create && !how.directory)) {
        throw new Failure("is-directory");
      }
      return new Descriptor(tree, node, { read: true, write: false }, this.#inUse);
    }
    if (how.directory) {
      throw new Failure("not-directory");
    }
    return this.#openFile(node, how, flags, made);
  }

  /** `made` is what is on disk if it was made. */
  async #find(path: string, how: OpenFlags): Promise<{ node: Node; made?: File }> {
    const { volume } = this.#tree;
    const began = performance.now();
    const parsed = parse(path);
    if (!how.create || !parsed.named) {
      const node = await walk(volume, this.#directory(), { ...parsed, opening: !how.directory });
      if (how.create && how.exclusive) {
        throw new Failure("exist");
      }
      return { node };
    }
    const { parent, name } = await walkToParent(volume, this.#directory(), parsed, "exist");
    if (!how.exclusive && !parent.children.has(name)) {
      // It is probably to be made: while it is asked for, the way there is confirmed.
      confirm(volume, parent).catch(() => {});
    }
    const found = await (how.exclusive ? childForSure(volume, parent, name) : childIfAny(volume, parent, name, true));
    if (found && how.exclusive) {
      throw new Failure("exist");
    }
    if (found?.kind === "file" && parsed.directory) {
      throw new Failure("not-directory");
    }
    if (!found && parsed.directory) {
      throw new Failure("is-directory");
    }
    if (found) {
      return { node: found };
    }
    const { file, made } = await createFile(volume, this.#tree, parent, name, began);
    return { node: file, made };
  }

  async #openFile(file: FileNode, how: OpenFlags, flags: DescriptorFlags, made?: File): Promise<Descriptor> {
    const { volume } = this.#tree;
    const write = flags.write === true;
    if (write || how.truncate) {
      checkNew(file.name, "file");
    }
    const descriptor = new Descriptor(this.#tree, file, { read: flags.read === true || !write, write }, this.#inUse);
    if (!write && !how.truncate) {
      readOn(volume, file);
    }
    try {
      // Each open sees the file as it is now; but what the guest wrote, it keeps seeing.
      if (made) {
        if (!file.base) {
          setBase(file, made);
        }
      } else if (!file.draft) {
        await freshen(volume, file);
      }
      if (write && !how.truncate && volume.mayKeep(file.base?.size ?? 0)) {
        await prepare(volume, file);
      }
      await (how.truncate ? this.#tree.unpaused() : this.#tree.check());
      if (how.truncate && (file.draft?.size ?? file.base?.size) !== 0) {
        resize(volume, file, 0);
      }
      return descriptor;
    } catch (error) {
      descriptor[Symbol.dispose]();
      throw error;
    }
  }

  #at<T>(path: string, work: (node: Node) => Soon<T>, by = walk): Soon<T> {
    const find = () => by(this.#tree.volume, this.#directory(), parse(path));
    const tell = (node: Node) => {
      const answer = work(node);
      // What was believed to be there may turn out to be another thing now.
      return answer instanceof Promise
        ? answer.catch(async (error: unknown) => (node.gone ? work(await find()) : Promise.reject(error)))
        : answer;
    };
    return this.#tree.call(() => {
      const node = find();
      return node instanceof Promise ? node.then(tell) : tell(node);
    });
  }

  #change(
    path: string,
    noName: "busy" | "exist",
    work: (parent: DirectoryNode, name: string, slash: boolean) => Promise<void>,
  ): Soon<void> {
    return this.#tree.call(async () => {
      this.#tree.checkWritable();
      const parsed = parse(path);
      const { parent, name } = await walkToParent(this.#tree.volume, this.#directory(), parsed, noName);
      await work(parent, name, parsed.directory);
    });
  }

  #isFile(): boolean {
    return this.#opened?.kind === "file";
  }

  #node(): Node {
    return this.#opened ?? this.#tree.base!;
  }

  #directory(): DirectoryNode {
    const node = this.#node();
    if (node.kind === "file") {
      throw new Failure("not-directory");
    }
    return node;
  }

  #file(): FileNode {
    if (this.#opened?.kind !== "file") {
      throw new Failure("is-directory");
    }
    return this.#opened;
  }

  #readable(): FileNode {
    const file = this.#file();
    if (!this.#flags.read) {
      throw new Failure("bad-descriptor");
    }
    return file;
  }

  #writable(): FileNode {
    const file = this.#file();
    this.#tree.checkWritable();
    if (!this.#flags.write) {
      throw new Failure("bad-descriptor");
    }
    return file;
  }
}

/** What is left to tell of a directory: `wasi:filesystem/types.directory-entry-stream`. */
export class DirectoryEntryStream {
  readonly #tree: OpenTree;
  #entries: Entry[];
  #next = 0;
  readonly #close: Release[];

  /** Made by a descriptor. */
  constructor(tree: OpenTree, entries: Entry[], inUse: InUse) {
    this.#tree = tree;
    this.#entries = entries;
    this.#close = [inUse.take("descriptors"), inUse.take("listings", () => (this.#entries = []))];
  }

  readDirectoryEntry(): Entry | undefined {
    return this.#tree.callNow(() => this.#entries[this.#next++]);
  }

  [Symbol.dispose](): void {
    this.#close.forEach((close) => close());
  }
}

async function childOf(tree: OpenTree, parent: DirectoryNode, name: string): Promise<Node> {
  return walk(tree.volume, parent, { parts: [name], directory: false });
}

/** An offset or a size as a number; what is too large for a file of any disk is refused. */
function position(value: bigint, tooLarge: "invalid" | "file-too-large" = "invalid"): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new Failure(tooLarge);
  }
  return Number(value);
}
