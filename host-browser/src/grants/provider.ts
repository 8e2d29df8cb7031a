// Where a new folder comes from: this computer, or the browser's private storage.
import { PATIENCE } from "../files/disk.js";
import { limited } from "../files/limit.js";
import * as supported from "../supported.js";
import type { Access, GrantKey, StartIn, WitError } from "../wit.js";

/** Gives a folder for a key that has none yet. */
export interface Provider {
  /** What the user is asked first, when no click or key press came just before. */
  readonly question: "choose" | "private";
  /** The user has to act, or the browser refuses. */
  readonly needsActivation: boolean;
  /** Never asked in words: the page itself chose it. */
  readonly silent: boolean;
  /** Gets the folder. A `DOMException` of the browser's picker, or an error of the interface, says why there is none. */
  open(key: GrantKey, access: Access, startIn: StartIn | undefined): Promise<FileSystemDirectoryHandle>;
}

/** `auto`: this computer where the browser has a picker, else its private storage. */
export type ProviderName = "auto" | "local" | "private";

/** A provider by its name, or a page's own. */
export function provider(chosen: ProviderName | Provider = "auto"): Provider {
  if (typeof chosen === "object") return chosen;
  if (chosen === "private") return privateStorage(true);
  return chosen === "local" || supported.picker ? local : privateStorage(false);
}

/** An access, as the browser calls it. */
export function mode(access: Access): FileSystemPermissionMode {
  return access === "read" ? "read" : "readwrite";
}

/** A folder of this computer, from the browser's picker. */
const local: Provider = {
  question: "choose",
  needsActivation: true,
  silent: false,
  async open({ id }, access, startIn) {
    if (!supported.picker) {
      throw { tag: "unsupported", val: "this browser cannot open a folder of the computer" } satisfies WitError;
    }
    const options = { id, mode: mode(access) };
    const ask = () => showDirectoryPicker(startIn ? { ...options, startIn } : options);
    return await onceHeard(ask, "NotAllowedError");
  },
};

/**
 * Asks once more when the browser refuses with `refusal`, which may be for want of a click: a quick one can reach Chromium's
 * main process after the question that it led to, but not after the answer.
 */
export async function onceHeard<T>(ask: () => Promise<T>, refusal: string, active = supported.active): Promise<T> {
  return await ask().catch((error: unknown) => {
    if (error instanceof DOMException && error.name === refusal && active()) return ask();
    throw error;
  });
}

/** The directory of the private storage that these folders are in. */
const OURS = "mountfs";

/** A folder in the browser's private storage. Revoking forgets it, but deletes nothing: the next grant finds it again. */
function privateStorage(silent: boolean): Provider {
  return {
    question: "private",
    needsActivation: false,
    silent,
    async open({ path, id }) {
      if (!supported.privateStorage) {
        throw { tag: "unsupported", val: "this browser has neither a folder picker nor private storage" } satisfies WitError;
      }
      // Both parts in one name: a path has `/`, which no name may have.
      const name = `${id} ${encodeURIComponent(path)}`;
      const root = await navigator.storage.getDirectory();
      const all = await root.getDirectoryHandle(OURS, { create: true });
      return await all.getDirectoryHandle(name, { create: true });
    },
  };
}

/** Whether a folder is in the private storage. */
export async function isPrivate(handle: FileSystemDirectoryHandle): Promise<boolean> {
  return (await placeOf(handle)) !== null;
}

/** What a folder is called: its own name, unless it has none that tells a person anything. */
export async function labelOf(handle: FileSystemDirectoryHandle): Promise<string> {
  const place = await placeOf(handle);
  return place && (place.length === 0 || place[0] === OURS) ? "Private storage" : handle.name;
}

/** Where it is in the private storage, if it is there. It is asked of the browser, so that no kept note can be wrong. */
async function placeOf(handle: FileSystemDirectoryHandle): Promise<string[] | null> {
  if (!supported.privateStorage) return null;
  const root = await navigator.storage.getDirectory();
  return await limited(root.resolve(handle), PATIENCE);
}

/** Has the browser get it ready, which takes it long the first time, so that the first mount does not have to wait for that. */
export function preparePrivate(): void {
  if (supported.privateStorage) navigator.storage.getDirectory().catch(() => undefined);
}
