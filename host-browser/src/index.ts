/**
 * Run an app, such as CPython, in folders the user chose.
 *
 * @module mountfs
 */
export { defaultDialog, type DialogTexts, droppedFolder, englishTexts } from "./dialog.js";
export { MountfsError, type MountfsErrorCode } from "./errors.js";
export { type Change, MountfsChangeEvent, type MountfsEventMap, MountfsProgressEvent, type SyncProgress } from "./events.js";
export type { GrantInfo } from "./grants/grants.js";
export type { Provider, ProviderName } from "./grants/provider.js";
export type { GrantDialog, Question } from "./grants/question.js";
export { type GrantStore, indexedDbStore, type KeptGrant } from "./grants/store.js";
export { type Limits } from "./limits.js";
export { createMountfs, Mountfs, type MountfsOptions, type MountOptions, type RunOptions } from "./mountfs.js";
export type { Input, Output } from "./stdio.js";
export type { Access, Conflict, Failure, GrantKey, MountInfo, StartIn, SyncReport, Unsynced } from "./wit.js";
