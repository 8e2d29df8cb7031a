import type { GrantKey } from "./wit.js";

/** What changed. */
export type Change =
  /** Folders were mounted, unmounted or revoked. */
  | { what: "mounts" }
  /** What a folder does not have yet. */
  | ({ what: "unsynced"; files: number; bytes: number } & GrantKey)
  /**
   * What the app wrote in tabs that died, or were closed, before it was in the folder: `recover` puts it there, `discard`
   * removes it. It stays until one of them is called. Nothing is left of it when there are no files.
   */
  | ({ what: "recoverable"; files: number; bytes: number } & GrantKey)
  /**
   * Files in a mounted folder: `names` are paths in it; a directory's stands for all in it, and without names anything
   * may have changed. Changes of other programs and of the app, which the browser does not tell apart. Where it has no
   * `FileSystemObserver`, only what is in the folder itself is watched.
   */
  | ({ what: "folder"; names: string[] } & GrantKey);

/** The event `change`. */
export class MountfsChangeEvent extends Event {
  constructor(
    /** What changed. */
    readonly change: Change,
  ) {
    super("change");
  }
}

/** How far a sync is. */
export interface SyncProgress extends GrantKey {
  /** Files done. */
  files: number;
  /** Bytes in them that were written since the last sync. */
  bytes: number;
  /** Files left to do. */
  filesToDo: number;
  /** Bytes in them. */
  bytesToDo: number;
}

/** The event `progress`. */
export class MountfsProgressEvent extends Event {
  constructor(
    /** How far it is. */
    readonly progress: SyncProgress,
  ) {
    super("progress");
  }
}

/** The events of a {@link Mountfs}. */
export interface MountfsEventMap {
  /** What is mounted, unsynced or in a folder changed. */
  change: MountfsChangeEvent;
  /** A sync goes on; at most ten times a second for each folder. */
  progress: MountfsProgressEvent;
}
