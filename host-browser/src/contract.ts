// What the two halves of this host agree on: the file system on handles (`files/`), and the page and worker around it.
import type { InUse } from "./files/in-use.js";
import type { NotedSwap } from "./files/swap-notes.js";
import type { Unsaved } from "./journal/replay.js";

/** An error code of `wasi:filesystem`, as jco wants it thrown: the bare string. */
export type ErrorCode =
  | "access" | "would-block" | "already" | "bad-descriptor" | "busy" | "deadlock" | "quota" | "exist" | "file-too-large"
  | "illegal-byte-sequence" | "in-progress" | "interrupted" | "invalid" | "io" | "is-directory" | "loop" | "too-many-links"
  | "message-size" | "name-too-long" | "no-device" | "no-entry" | "no-lock" | "insufficient-memory" | "insufficient-space"
  | "not-directory" | "not-empty" | "not-recoverable" | "unsupported" | "no-tty" | "no-such-device" | "overflow"
  | "not-permitted" | "pipe" | "read-only" | "invalid-seek" | "text-file-busy" | "cross-device";

/** What a guest may do below a mount point (`mountfs:fs/types`). */
export type Access = "read" | "read-write";

/** A file that had changed on both sides. Paths are relative to the mount point. */
export interface Conflict {
  /** Where the other program's version is. */
  path: string;
  /** Where the app's is. */
  kept: string;
}

/** What could not be written. It stays unsynced. */
export interface Failure {
  /** Relative to the mount point, which itself is `.`. */
  path: string;
  /** Why, for a person. */
  reason: string;
}

/** What one sync did: `mountfs:fs/types.sync-report`, as jco lowers it. */
export interface SyncReport {
  /** Files that were written since the sync before. */
  files: bigint;
  /** Bytes that were written to them. */
  bytes: bigint;
  /** Names removed since the sync before. */
  removed: bigint;
  /** Files that had changed on both sides, and are kept in both versions. */
  conflicts: Conflict[];
  /** What could not be written. */
  failures: Failure[];
}

/** One granted directory in use. Everything that was opened through it fails with `no-device` after `end`. */
export interface Tree {
  /**
   * A `wasi:filesystem` descriptor of its root, an instance of the `Descriptor` class that jco is given. What is opened
   * through it counts as `inUse`. Throws `insufficient-memory` when that is too much.
   */
  root(inUse?: InUse): object;
  /** Pushes all that is dirty, many files at a time; never throws for one file's failure, but reports it. */
  sync(): Promise<SyncReport>;
  /** Makes dirty what a tab that died had not pushed. */
  restore(unsaved: Unsaved[]): Promise<void>;
  /** Removes the swap files that browsers left in it which died. Throws when one could not be removed. */
  clean(left: NotedSwap[]): Promise<void>;
  /** What the local directory does not have yet. */
  unsynced(): { files: number; bytes: number };
  /**
   * Other programs may have changed what has these paths, and what is in it. With no paths: anything that was looked up more
   * than `ago` milliseconds ago.
   */
  distrust(paths: string[], ago?: number): void;
  /**
   * Keeps the guest from changing the bytes of files until what it answers is called: who would, waits, and fails when the
   * tree ends meanwhile. So nothing is answered with success that the sync before the end would miss.
   */
  pause(): () => void;
  /** Cuts off every descriptor and stream. What is dirty is not written. */
  end(): void;
  /** After the end: waits until the browser has done what it was at, so that nothing reaches the disk any more. */
  settled(): Promise<void>;
}

/** Told of what happens in a tree, for the page's events. */
export interface TreeEvents {
  /** The number of dirty files or bytes changed. */
  dirty?(unsynced: { files: number; bytes: number }): void;
  /** During a sync: what is done of it, and what is left. */
  progress?(done: { files: number; bytes: number; filesToDo: number; bytesToDo: number }): void;
}
