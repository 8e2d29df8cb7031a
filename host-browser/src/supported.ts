// The one place that looks at what this browser has.

/** The observer of changes that other programs make; not in every browser, and not in TypeScript's types yet. */
export interface FolderObserver {
  observe(handle: FileSystemHandle, options?: { recursive?: boolean }): Promise<void>;
  disconnect(): void;
}

/** One change that the observer saw. */
export interface FolderRecord {
  type: "appeared" | "disappeared" | "modified" | "moved" | "unknown" | "errored";
  relativePathComponents: string[];
  /** With `moved`, when it came from the same folder. */
  relativePathMovedFrom?: string[] | null;
}

type ObserverClass = new (callback: (records: FolderRecord[]) => void) => FolderObserver;

/** WebAssembly can wait for a promise: without it nothing here runs. */
export const suspension = typeof WebAssembly === "object" && "Suspending" in WebAssembly;

/** The user can choose a folder of the computer. */
export const picker = typeof showDirectoryPicker === "function";

/** A dropped folder can be had as a handle. */
export const drop =
  typeof DataTransferItem === "function" && "getAsFileSystemHandle" in DataTransferItem.prototype;

/** There is private storage for this site. */
export const privateStorage =
  typeof navigator === "object" && typeof navigator.storage?.getDirectory === "function";

/** Storage apart from the rest of this site's; not in TypeScript's types yet. */
interface Buckets {
  open(name: string): Promise<{ getDirectory(): Promise<FileSystemDirectoryHandle>; indexedDB: IDBFactory }>;
}

/** It, where it exists. */
export const buckets = (globalThis.navigator as { storageBuckets?: Buckets } | undefined)?.storageBuckets;

/** What is unsynced can be kept for the case that the tab dies. */
export const journals = privateStorage && "locks" in navigator;

/** Tells of changes made outside, where it exists. */
export const Observer = (globalThis as { FileSystemObserver?: ObserverClass }).FileSystemObserver;

/** Makes what a page with Trusted Types takes for an address; not in TypeScript's types yet. */
interface TrustedTypes {
  createPolicy<R extends object>(name: string, rules: R): R;
}

/** It, where it exists. */
export const trustedTypes = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;

/** The user clicked or pressed a key just now, so that the browser lets us ask. */
export const active = (): boolean => navigator.userActivation?.isActive ?? false;
