// What window and worker say to each other, over comlink. Types only.
import type { Limits } from "./limits.js";
import type { Access, Answer, GrantKey, MountInfo, StartIn, SyncReport, WitMountOptions } from "./wit.js";

/** Changes when a window of one build cannot talk to a worker of another. */
export const PROTOCOL = 2;

/** A folder that the user granted, as it goes to the worker. */
export interface Granted {
  /** The directory's own handle, or a way to it. */
  handle: FileSystemDirectoryHandle;
  access: Access;
  label: string;
}

/** Who asks for a folder: the page, which is trusted, or the app in it, which is not. */
export type Asker = "page" | "app";

/** What the worker asks of the window. */
export interface WindowSide {
  /** Answers the kept grant, or asks the user. `by` is whose wish it is. */
  acquire(key: GrantKey, access: Access, startIn: StartIn | undefined, by: Asker): Promise<Answer<Granted>>;
  /** The mount that a grant was acquired for failed: what was kept before it is kept again. */
  withdraw(key: GrantKey): Promise<void>;
  /** Forgets the kept grant. True when there was one. */
  forget(key: GrantKey): Promise<Answer<boolean>>;
  /** The number of files and bytes that are not in the folder yet changed. */
  dirty(key: GrantKey, unsynced: { files: number; bytes: number }): void;
  /** What can be recovered in a folder changed. */
  recoverable(key: GrantKey, left: { files: number; bytes: number }): void;
  /** A sync goes on. */
  progress(key: GrantKey, done: Progress): void;
  /** The mount table may be another now. */
  mountsChanged(mounts: MountInfo[]): void;
}

/** How far a sync is. */
export interface Progress {
  files: number;
  bytes: number;
  filesToDo: number;
  bytesToDo: number;
}

/** The standard streams of one run, at the window's side. */
export interface Stdio {
  /** The next bytes of standard input; null at its end. */
  read(): Promise<Uint8Array | null>;
  /** Bytes for standard output (1) or standard error (2). */
  write(stream: 1 | 2, bytes: Uint8Array): Promise<void>;
}

/** What to run. */
export interface Program {
  args: string[];
  env: [string, string][];
  cwd: string | undefined;
}

/** How a run ended. */
export interface Ended {
  /** The exit code; 134 when the app trapped. */
  code: number;
  /** Why it trapped. */
  trap?: string;
  /** What came of the sync at its end. The paths are those that the app knows. */
  synced: SyncReport;
}

/** What the window asks of the worker. */
export interface WorkerSide {
  /** Loads the app. To be called once, before anything else. */
  start(window: WindowSide, protocol: number, limits: Limits): Promise<void>;
  mount(path: string, options: WitMountOptions): Promise<Answer<MountInfo>>;
  sync(path: string): Promise<Answer<SyncReport>>;
  unmount(path: string): Promise<Answer<SyncReport>>;
  revoke(path: string, id: string): Promise<Answer<boolean>>;
  mounted(): Promise<Answer<MountInfo[]>>;
  recover(path: string, id: string): Promise<Answer<SyncReport>>;
  discard(path: string, id: string): Promise<Answer<boolean>>;
  /**
   * Other programs may have changed what has these names in a folder. With no names: anything, but what was looked up in
   * the last `ago` milliseconds.
   */
  changedOutside(key: GrantKey, names: string[], ago: number): Promise<void>;
  /** Runs the app as a command. One at a time. */
  run(program: Program, stdio: Stdio): Promise<Answer<Ended>>;
}
