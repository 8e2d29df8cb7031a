// What a browser says went wrong, as `wasi:filesystem` says it: the one place where that is decided.
import type { ErrorCode } from "../contract.js";

/** A refusal with its WIT error code, while it is still on its way to the edge. */
export class Failure extends Error {
  override name = "Failure";

  /** `stale`: the snapshot that was read is not the file any more, so a fresh one may be read. */
  constructor(
    readonly code: ErrorCode,
    readonly stale = false,
    cause?: unknown,
  ) {
    super(code, { cause });
  }
}

/** What the browser was asked for when it failed: the same exception means different things. */
export interface Asked {
  to: "look-up" | "create" | "list" | "read" | "write" | "remove";
  /** The name, where the call takes one. */
  name?: string;
  /** The kind of thing that was wanted under the name. */
  wants?: "file" | "directory";
}

/** The longest name that the local file systems of all platforms take, in bytes of UTF-8. */
export const LONGEST_NAME = 255;
/** The longest that Chromium takes on a local folder: the name of its swap file must fit too. */
const LONGEST_IN_CHROMIUM = 248;

/** What Chromium's message says when the system refused, where for a lock it says that modifications are not allowed. */
const BY_SYSTEM = /read-only|underlying filesystem/;

/** The same when a hundred swap files were left of one file, and when a file is none that a page may write. */
const NO_SWAP = /create swap file/;
const BLOCKED = /blocked by Safe Browsing/;

/** Every exception of the File System Standard and of Chromium's local folders. */
const CODES: Record<string, (asked: Asked, message: string) => ErrorCode> = {
  // The parent of a writable's file, or its swap file, went away before `close()`; or Safe Browsing refused it; or there
  // are too many swap files to make one more.
  AbortError: (_, message) => (NO_SWAP.test(message) ? "busy" : BLOCKED.test(message) ? "access" : "no-entry"),
  // A directory with entries; also with entries that the browser hides. Or a name that such an entry has.
  InvalidModificationError: ({ to }) => (to === "create" ? "exist" : "not-empty"),
  // The system refused a removal, or found the name too long, or the whole path.
  InvalidStateError: ({ to }) => (to === "create" || to === "write" ? "name-too-long" : "access"),
  // The system refused to list, create or write, or another writer holds a lock.
  NoModificationAllowedError: ({ to }, message) =>
    to === "create" || to === "list" || BY_SYSTEM.test(message) ? "access" : "busy",
  // The permission lapsed or was taken back.
  NotAllowedError: () => "not-permitted",
  NotFoundError: () => "no-entry",
  // A snapshot that is stale (the caller takes another one), or the system refused to read.
  NotReadableError: () => "access",
  QuotaExceededError: () => "insufficient-space",
  // The page lost the right to ask, or the folder is one that the browser protects.
  SecurityError: () => "not-permitted",
  TypeMismatchError: ({ wants }) => (wants === "directory" ? "not-directory" : "is-directory"),
};

/** Whether a file could not be written because a swap file has each name that one may have. */
export function hasNoSwap(error: unknown): boolean {
  return error instanceof Failure && error.cause instanceof DOMException && NO_SWAP.test(error.cause.message);
}

/** What the browser threw, as a refusal. What it never should throw is logged, and becomes `io`. */
export function translate(error: unknown, asked: Asked): Failure {
  if (error instanceof Failure) {
    return error;
  }
  if (error instanceof TypeError && asked.name !== undefined) {
    // A name that the browser does not take: nothing is there, and nothing can be made there.
    const long = isLonger(asked.name, LONGEST_IN_CHROMIUM);
    return new Failure(asked.to === "create" ? (long ? "name-too-long" : "invalid") : "no-entry", false, error);
  }
  const name = error instanceof Error ? error.name : "";
  const code = Object.hasOwn(CODES, name) ? CODES[name] : undefined;
  if (!code) {
    return unknown(error);
  }
  return new Failure(code(asked, (error as Error).message), name === "NotReadableError", error);
}

/** The bare code for the guest: for the edge, behind which there are WIT error codes only. */
export function codeOf(error: unknown): ErrorCode {
  return (error instanceof Failure ? error : unknown(error)).code;
}

/** Whether an error is a refusal with one of these codes. */
export function refused(error: unknown, ...codes: ErrorCode[]): boolean {
  return error instanceof Failure && codes.includes(error.code);
}

const REASONS: Partial<Record<ErrorCode, string>> = {
  access: "the system does not allow it",
  busy: "it is in use, or the browser did not answer in time",
  "insufficient-space": "there is no space left",
  invalid: "the browser does not allow this name",
  io: "the browser failed; its console says more",
  "is-directory": "a folder is in its place",
  "name-too-long": "the name is too long",
  "no-device": "the folder was taken back",
  "no-entry": "it or its folder was removed meanwhile",
  "not-directory": "a file is in the place of its folder",
  "not-permitted": "the permission for this folder has lapsed",
};

/** Why something could not be written, in words for a person. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return REASONS[code] ?? code;
}

/** How long a string is in UTF-8. */
export function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Whether a string is longer than that in UTF-8. Encoding it costs as much as a whole call, and is hardly ever needed. */
export function isLonger(text: string, most: number): boolean {
  // A unit of UTF-16 has one to three bytes there.
  return text.length > most || (3 * text.length > most && bytes(text) > most);
}

function unknown(error: unknown): Failure {
  console.error("mountfs: unexpected", error);
  return new Failure("io", false, error);
}
