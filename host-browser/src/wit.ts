// The types of `wit/`, as jco lifts and lowers them, which the page's API is made of too.
import type { Access, SyncReport } from "./contract.js";

export type { Access, Conflict, Failure, SyncReport } from "./contract.js";

/** A folder everybody has, in which the picker starts. */
export type StartIn = "desktop" | "documents" | "downloads" | "music" | "pictures" | "videos";

/** What a grant is kept under: the mount point, and a name, so that one path can have several grants. */
export interface GrantKey {
  /** The mount point: an absolute path of the app. */
  path: string;
  /** The name: 1 to 32 of `A-Z a-z 0-9 _ -`. */
  id: string;
}

/** A key as one word. */
export function slot({ path, id }: GrantKey): string {
  return JSON.stringify([path, id]);
}

/** What the local folder does not have yet. */
export interface Unsynced {
  /** Files written since the last sync. */
  files: bigint;
  /** Bytes written to them. */
  bytes: bigint;
}

/** An entry of the mount table. */
export interface MountInfo extends GrantKey {
  /** What the guest may do there. */
  access: Access;
  /** The folder's own name, for people. */
  label: string;
  /** What is not in the folder yet. */
  unsynced?: Unsynced | undefined;
  /** What tabs that died had not put into the folder, for `recover` or `discard`; from `mounted` only. */
  recoverable?: Unsynced;
  /** Whether what is unsynced would be recoverable if this tab died now; from `mounted` only. */
  journaled?: boolean;
}

/** How to mount, as the component takes it. */
export interface WitMountOptions {
  access?: Access | undefined;
  id?: string | undefined;
  startIn?: StartIn | undefined;
}

/** `mountfs:fs/types.error`: why a call failed. */
export type WitError =
  | { tag: "invalid-path" | "invalid-id" | "already-mounted" | "unsupported" | "other"; val: string }
  | { tag: "incomplete"; val: SyncReport }
  | { tag: "not-mounted" | "busy" | "cancelled" | "denied" | "needs-user-activation" };

/** A result as a value: what crosses between window and worker keeps its shape, which a thrown error would not. */
export type Answer<T> = { ok: T } | { error: WitError };

const TAGS = new Set<unknown>([
  "invalid-path", "invalid-id", "not-mounted", "already-mounted", "busy", "cancelled", "denied",
  "needs-user-activation", "unsupported", "incomplete", "other",
] satisfies WitError["tag"][]);

/** Whether something that was thrown is an error of the interface. */
export function isWitError(thrown: unknown): thrown is WitError {
  return typeof thrown === "object" && thrown !== null && "tag" in thrown && TAGS.has(thrown.tag);
}

/** Any error as one of the interface. */
export function toWitError(thrown: unknown): WitError {
  if (isWitError(thrown)) return thrown;
  return { tag: "other", val: thrown instanceof Error ? thrown.message : String(thrown) };
}
