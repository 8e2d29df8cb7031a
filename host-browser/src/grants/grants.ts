// Which folder a mount gets: the kept one, that one after another prompt, or a new choice of the user.
import * as supported from "../supported.js";
import { LONGEST_PATH } from "../limits.js";
import type { Asker, Granted } from "../protocol.js";
import { type Access, type GrantKey, isWitError, slot, type StartIn, type WitError } from "../wit.js";
import { isPrivate, labelOf, mode, onceHeard, preparePrivate, type Provider } from "./provider.js";
import type { GrantDialog, Question } from "./question.js";
import { answering, type GrantStore, type KeptGrant } from "./store.js";

/** A kept grant, as it stands now. */
export interface GrantInfo extends GrantKey {
  /** The widest access that was granted. */
  access: Access;
  /** The folder's own name, for people. */
  label: string;
  /** `granted`: it can be mounted without a prompt. `prompt`: the browser asks once more. `denied`: it refuses. */
  state: PermissionState;
  /** The folder is in the browser's private storage, not in the user's own files. */
  private: boolean;
}

/** A folder that the page has ready for a mount. */
export interface Offer {
  readonly handle: FileSystemDirectoryHandle;
  /** Whether it was acquired. */
  used: boolean;
  /** It is not ready any more. */
  withdraw(): void;
}

/** The user's grants. Errors are those of the interface. */
export class Grants {
  readonly #store: GrantStore;
  readonly #dialog: GrantDialog;
  readonly #provider: Provider;
  readonly #active: () => boolean;
  /** Folders that the page has ready for a mount under way. */
  readonly #offered = new Map<string, Offer>();
  /** What is asked for, or waits to be. */
  readonly #asked = new Set<Wish>();
  /** What was kept before the page got a grant, for the case that its mount fails. */
  readonly #before = new Map<string, KeptGrant | undefined>();
  /**
   * What is written to the store, which can take a browser long. A mount waits for that only when its user just chose a
   * folder, which takes longer; whoever reads what is kept does.
   */
  #written: Promise<unknown> = Promise.resolve();
  /** One question at a time: a second dialog over the first would be answered for the wrong folder. */
  #asking: Promise<unknown> = Promise.resolve();
  /** When the user answered the last dialog. */
  #answered = -Infinity;
  /** How often in a row the user said no to the app. */
  #refusals = 0;

  constructor(store: GrantStore, dialog: GrantDialog, provider: Provider, active = supported.active) {
    this.#store = answering(store);
    this.#dialog = dialog;
    this.#provider = provider;
    this.#active = active;
    preparePrivate();
  }

  /**
   * The kept grant, or a new one; the user is asked when it must be. An app that was refused three times in a row is not
   * asked for any more, until the user grants something: else it could ask until they give in.
   */
  async acquire(key: GrantKey, access: Access, startIn?: StartIn, by: Asker = "page"): Promise<Granted> {
    check(key);
    const moot = new AbortController();
    const wish: Wish = { name: slot(key), key, access, by, moot };
    this.#asked.add(wish);
    try {
      const granted = await this.#acquire(wish, startIn);
      // What the app has already is no answer to what it asked for.
      if (by === "page") this.#refusals = 0;
      return granted;
    } finally {
      this.#asked.delete(wish);
    }
  }

  /** The page's mount failed after it got its grant: what was kept before is kept again. */
  async withdraw(key: GrantKey): Promise<void> {
    const name = slot(key);
    if (!this.#before.has(name)) return;
    const before = this.#before.get(name);
    this.#before.delete(name);
    await this.#write<unknown>(() => (before ? this.#store.set(key, before) : this.#store.delete(key)));
  }

  /**
   * Has a folder ready that the page got itself, from a drop or a picker of its own. It takes the place of the kept one
   * and is kept once it is acquired: a mount that fails before leaves nothing behind.
   */
  offer(key: GrantKey, handle: FileSystemDirectoryHandle): Offer {
    const name = slot(key);
    const withdraw = () => void (this.#offered.get(name) === offer && this.#offered.delete(name));
    const offer: Offer = { handle, used: false, withdraw };
    // Of two mounts at once the second will be told that the first is under way.
    if (!this.#offered.has(name)) this.#offered.set(name, offer);
    return offer;
  }

  /** Forgets a grant, also one that the user is just asked for. True when there was one. */
  async forget(key: GrantKey): Promise<boolean> {
    const asked = [...this.#asked].filter(({ name }) => name === slot(key));
    for (const { moot } of asked) moot.abort(DENIED);
    this.#before.delete(slot(key));
    return (await this.#write(() => this.#store.delete(key))) || asked.length > 0;
  }

  /** Nobody waits for an answer any more: the worker is gone, and what comes after it begins anew. */
  dismiss(): void {
    this.#refusals = 0;
    for (const { moot } of this.#asked) moot.abort({ tag: "cancelled" } satisfies WitError);
  }

  /** Settles when what was acquired is kept: a page that is closed after that finds it again. */
  async settled(): Promise<void> {
    await this.#written;
  }

  /** The folder of a kept grant. */
  async folder(key: GrantKey): Promise<FileSystemDirectoryHandle | undefined> {
    return (await this.#kept(key))?.handle;
  }

  /** All that is kept. Asks the user nothing. */
  async list(): Promise<GrantInfo[]> {
    await this.#written;
    const kept = await this.#store.list();
    return await Promise.all(
      kept.map(async ([{ path, id }, { handle, access, label }]) => {
        const state = await handle.queryPermission({ mode: mode(access) });
        return { path, id, access, label, state, private: await isPrivate(handle) };
      }),
    );
  }

  async #acquire(wish: Wish, startIn: StartIn | undefined): Promise<Granted> {
    const { name, key, access, by, moot } = wish;
    const offer = this.#offered.get(name);
    const [before, offered] = await Promise.all([this.#kept(key), offer && named(offer.handle, access)]);
    const isKept = before && (!offered || (await isSame(before.handle, offered.handle)));
    const kept = isKept ? before : offered;
    const handle = kept ? await this.#again(wish, kept) : await this.#choose(wish, startIn);
    // A narrower use of a wide grant leaves it wide.
    const widest = kept?.access === "read-write" ? kept.access : access;
    const shown = kept?.label ?? (await labelOf(handle));
    moot.signal.throwIfAborted();
    if (offer) offer.used = true;
    this.#before.delete(name);
    // What is kept already is not written again: a write may be cut short, and cost all that is kept.
    if (!isKept || widest !== before.access) {
      if (by === "page") this.#before.set(name, before);
      const written = this.#write(() => this.#store.set(key, { handle, access: widest, label: shown }));
      const told = written.catch((error: unknown) => {
        console.warn(`mountfs: the user will be asked for ${key.path} again: the grant could not be kept`, error);
      });
      if (!kept) await told;
      moot.signal.throwIfAborted();
    }
    return { handle, access, label: shown };
  }

  async #kept(key: GrantKey): Promise<KeptGrant | undefined> {
    await this.#written;
    return await this.#store.get(key);
  }

  /** Writes to the store, after what is being written. */
  #write<T>(write: () => Promise<T>): Promise<T> {
    const written = this.#written.then(write);
    this.#written = written.catch(() => undefined);
    return written;
  }

  /** The same folder: a lapsed permission is never a reason to choose another. */
  async #again(wish: Wish, { handle, label }: KeptGrant): Promise<FileSystemDirectoryHandle> {
    const { key, access } = wish;
    const isGranted = async () => (await handle.queryPermission({ mode: mode(access) })) === "granted";
    const request = async () => {
      await this.#permission(handle, access);
      return handle;
    };
    if (await isGranted()) return handle;
    return await this.#inTurn(async () => {
      // The browser may have asked for all folders at once meanwhile.
      if (await isGranted()) return handle;
      return await this.#withUser(wish, { kind: "again", key, access, label }, true, request);
    });
  }

  async #choose(wish: Wish, startIn: StartIn | undefined): Promise<FileSystemDirectoryHandle> {
    const { key, access } = wish;
    const { question, needsActivation, silent } = this.#provider;
    const open = async (dropped?: FileSystemDirectoryHandle) => {
      if (!dropped) return await this.#provider.open(key, access, startIn);
      await this.#permission(dropped, access);
      return dropped;
    };
    if (silent) return await open().catch(fail);
    return await this.#inTurn(() => this.#withUser(wish, { kind: question, key, access }, needsActivation, open));
  }

  /** After the questions that were asked before. */
  #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const turn = this.#asking.then(ask);
    this.#asking = turn.catch(() => undefined);
    return turn;
  }

  /** The browser's own question, which needs a click just before. */
  async #permission(handle: FileSystemDirectoryHandle, access: Access): Promise<void> {
    const ask = () => handle.requestPermission({ mode: mode(access) });
    if ((await onceHeard(ask, "SecurityError", this.#active)) !== "granted") throw DENIED;
  }

  /** Asks the user, unless the app has been refused too often; and takes note of the answer. */
  async #withUser<T>(wish: Wish, question: Question, browserAsks: boolean, act: () => Promise<T>): Promise<T> {
    const { by, moot } = wish;
    moot.signal.throwIfAborted();
    if (by === "app" && this.#refusals >= MOST_REFUSALS) throw DENIED;
    try {
      const answer = await this.#ask(question, browserAsks, act, moot.signal);
      this.#refusals = 0;
      return answer;
    } catch (error) {
      // What became moot, the user did not answer.
      if (by === "app" && !moot.signal.aborted && isRefusal(error)) this.#refusals += 1;
      throw error;
    }
  }

  /** At once after a click or a key press, which is the user's own wish; otherwise the dialog gets the click. */
  async #ask<T>(question: Question, browserAsks: boolean, act: () => Promise<T>, moot: AbortSignal): Promise<T> {
    // The click that answered the last dialog was no wish for this.
    const isAnswer = performance.now() - this.#answered < CLICK_MS;
    if (browserAsks && this.#active() && !isAnswer) {
      try {
        return await act();
      } catch (error) {
        // The click was too long ago after all.
        if (!lacksClick(error)) return fail(error);
      }
      moot.throwIfAborted();
    }
    try {
      return await this.#dialog.ask(question, act, moot);
    } catch (error) {
      return fail(error);
    } finally {
      this.#answered = performance.now();
    }
  }
}

/** Somebody's wish for a folder. */
interface Wish {
  /** The key as one word. */
  name: string;
  key: GrantKey;
  access: Access;
  by: Asker;
  /** Aborted when nobody waits for an answer any more. */
  moot: AbortController;
}

/** After so many times no in a row, an app's wishes are refused without asking. */
const MOST_REFUSALS = 3;

/** For how long, at most, a browser lets a page act on a click. */
const CLICK_MS = 5000;

const DENIED: WitError = { tag: "denied" };

/** The component checks keys too; but an app can ask without it. */
function check({ path, id }: GrantKey): void {
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(id)) {
    throw { tag: "invalid-id", val: "it is no id" } satisfies WitError;
  }
  // Its length first: nothing is done with what is too long.
  if (path.length > LONGEST_PATH || path.includes("\0") || path[0] !== "/" || !isPlain(path)) {
    throw { tag: "invalid-path", val: "it is no mount point" } satisfies WitError;
  }
}

/** Whether an absolute path has neither empty parts nor `.` and `..`. */
function isPlain(path: string): boolean {
  return path === "/" || path.slice(1).split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** Whether the user said no. */
function isRefusal(error: unknown): boolean {
  return isWitError(error) && (error.tag === "cancelled" || error.tag === "denied");
}

/** Whether the browser refuses for want of a click. */
function lacksClick(error: unknown): boolean {
  return error instanceof DOMException && error.name === "SecurityError";
}

/** Whether two handles are of one folder. */
async function isSame(one: FileSystemDirectoryHandle, other: FileSystemDirectoryHandle): Promise<boolean> {
  return one === other || (await one.isSameEntry(other));
}

async function named(handle: FileSystemDirectoryHandle, access: Access): Promise<KeptGrant> {
  return { handle, access, label: await labelOf(handle) };
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
