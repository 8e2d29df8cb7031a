// Which folder a mount gets: the kept one, that one after another prompt, or a new choice of the user.
import * as supported from "../supported.js";
import type { Granted } from "../protocol.js";
import { type Access, type GrantKey, isWitError, type StartIn, type WitError } from "../wit.js";
import { isPrivate, type Provider } from "./provider.js";
import type { GrantDialog, Question } from "./question.js";
import type { GrantStore, KeptGrant } from "./store.js";

/** A kept grant, as it stands now. */
export interface GrantInfo extends GrantKey {
  access: Access;
  label: string;
  /** `granted`: it can be mounted without a prompt. `prompt`: the browser asks once more. `denied`: it refuses. */
  state: PermissionState;
  /** The folder is in the browser's private storage, not in the user's own files. */
  private: boolean;
}

/** The user's grants. Errors are those of the interface. */
export class Grants {
  readonly #store: GrantStore;
  readonly #dialog: GrantDialog;
  readonly #provider: Provider;
  readonly #active: () => boolean;
  /** One question at a time: a second dialog over the first would be answered for the wrong folder. */
  #asking: Promise<unknown> = Promise.resolve();

  constructor(store: GrantStore, dialog: GrantDialog, provider: Provider, active = supported.active) {
    this.#store = store;
    this.#dialog = dialog;
    this.#provider = provider;
    this.#active = active;
  }

  /** The kept grant, or a new one; the user is asked when it must be. */
  acquire(key: GrantKey, access: Access, startIn?: StartIn): Promise<Granted> {
    const turn = this.#asking.then(() => this.#acquire(key, access, startIn));
    this.#asking = turn.catch(() => undefined);
    return turn;
  }

  /** Keeps a folder that the page has already, from a drop or a picker of its own. */
  async give(key: GrantKey, handle: FileSystemDirectoryHandle, access: Access): Promise<void> {
    await this.#store.set(key, { handle, access, label: await label(handle) });
  }

  /** Forgets a grant. True when there was one. */
  forget(key: GrantKey): Promise<boolean> {
    return this.#store.delete(key);
  }

  /** The folder of a kept grant. */
  async folder(key: GrantKey): Promise<FileSystemDirectoryHandle | undefined> {
    return (await this.#store.get(key))?.handle;
  }

  /** All that is kept. Asks the user nothing. */
  async list(): Promise<GrantInfo[]> {
    const kept = await this.#store.list();
    return await Promise.all(
      kept.map(async ([{ path, id }, { handle, access, label }]) => {
        const state = await handle.queryPermission({ mode: mode(access) });
        return { path, id, access, label, state, private: await isPrivate(handle) };
      }),
    );
  }

  async #acquire(key: GrantKey, access: Access, startIn?: StartIn): Promise<Granted> {
    const kept = await this.#store.get(key);
    const { handle } = kept ? await this.#again(key, kept, access) : await this.#choose(key, access, startIn);
    // A narrower use of a wide grant leaves it wide.
    const widest = kept?.access === "read-write" ? kept.access : access;
    const name = await label(handle);
    await this.#store.set(key, { handle, access: widest, label: name });
    return { handle, access, label: name };
  }

  /** The same folder: a lapsed permission is never a reason to choose another. */
  async #again(key: GrantKey, kept: KeptGrant, access: Access): Promise<{ handle: FileSystemDirectoryHandle }> {
    const { handle, label } = kept;
    if ((await handle.queryPermission({ mode: mode(access) })) === "granted") return { handle };
    const request = async () => {
      if ((await handle.requestPermission({ mode: mode(access) })) !== "granted") throw DENIED;
      return { handle };
    };
    return await this.#withUser({ kind: "again", key, access, label }, true, request);
  }

  async #choose(key: GrantKey, access: Access, startIn?: StartIn): Promise<{ handle: FileSystemDirectoryHandle }> {
    const { question, needsActivation, silent } = this.#provider;
    const open = async (dropped?: FileSystemDirectoryHandle) => {
      if (!dropped) return { handle: await this.#provider.open(key, access, startIn) };
      if ((await dropped.requestPermission({ mode: mode(access) })) !== "granted") throw DENIED;
      return { handle: dropped };
    };
    if (silent) return await open().catch(fail);
    return await this.#withUser({ kind: question, key, access }, needsActivation, open);
  }

  /** At once after a click or a key press, which is the user's own wish; otherwise the dialog gets the click. */
  async #withUser<T>(question: Question, browserAsks: boolean, act: () => Promise<T>): Promise<T> {
    if (browserAsks && this.#active()) {
      try {
        return await act();
      } catch (error) {
        // The click was too long ago after all.
        if (!(error instanceof DOMException && error.name === "SecurityError")) return fail(error);
      }
    }
    return await this.#dialog.ask(question, act).catch(fail);
  }
}

const DENIED: WitError = { tag: "denied" };

function mode(access: Access): FileSystemPermissionMode {
  return access === "read" ? "read" : "readwrite";
}

async function label(handle: FileSystemDirectoryHandle): Promise<string> {
  return (await isPrivate(handle)) ? "Private storage" : handle.name;
}

/** The browser's exceptions as errors of the interface. */
function fail(error: unknown): never {
  if (isWitError(error)) throw error;
  if (error instanceof DOMException) {
    switch (error.name) {
      // Closed without a choice; the browser also says this when its second question was answered with no.
      case "AbortError":
        throw { tag: "cancelled" } satisfies WitError;
      case "NotAllowedError":
        throw DENIED;
      case "SecurityError":
        throw { tag: "needs-user-activation" } satisfies WitError;
    }
  }
  throw { tag: "other", val: error instanceof Error ? error.message : String(error) } satisfies WitError;
}
