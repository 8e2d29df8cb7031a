// Bytes of snapshots that are kept beyond the read that fetched them, for the next ones of the file.
import type { FileNode, Window } from "./node.js";

/** What is kept of all files' bytes that were read. */
const WINDOWS = 64 * 1024 * 1024;

/** The files of which there are some, the one read last at the end. */
const windows = new Set<FileNode>();

/** Keeps what was read, and lets go of what was read longest ago: a guest that reads from many files at once reads on. */
export function keepWindow(file: FileNode, window: Window): void {
  file.window = window;
  windows.delete(file);
  windows.add(file);
  let bytes = 0;
  for (const one of [...windows].reverse()) {
    bytes += one.window?.bytes.length ?? 0;
    if (!one.window || bytes > WINDOWS) {
      one.window = undefined;
      windows.delete(one);
    }
  }
}

/** Bytes of a snapshot, if they are kept. */
export function inWindow(file: FileNode, base: File, start: number, end: number): Uint8Array | undefined {
  const { window } = file;
  if (start >= end) {
    return new Uint8Array(0);
  }
  if (window?.of !== base || start < window.start || end > window.start + window.bytes.length) {
    return undefined;
  }
  return window.bytes.subarray(start - window.start, end - window.start);
}
