// The granted folders in use. They outlive an instance of the app: after a trap or an exit, the next one finds its
// folders again, with everything in them that is not on disk yet, and nobody is asked twice.
import {
  type Access, type GrantKey, type MountInfo, slot, type StartIn, type SyncReport, type Unsynced, type WitError,
} from "../wit.js";
import type { Tree } from "../contract.js";
import type { Asker, Progress, WindowSide } from "../protocol.js";
import { LIMITS, type Limits } from "../limits.js";
import { abandonPollables, InUse, openTree } from "../files/index.js";
import { Journals } from "../journal/journals.js";
import { forgetJournals, prepareShelves } from "../journal/shelf.js";

interface Used {
  key: GrantKey;
  tree: Tree;
  journals: Journals;
  access: Access;
  label: string;
  /** The grants over it that an app holds: it is mounted. */
  holders: Set<Grant>;
  /** It was taken back. */
  ended: boolean;
}

/** What a mount has to ask the window for, which may have to ask the user. */
export interface Wanted {
  key: GrantKey;
  access: Access;
  startIn: StartIn | undefined;
}

/** Who is told, in the worker. */
export interface TreesUser {
  /** What is mounted is other folders now, or soon. */
  changed(): void;
  /** A folder was taken back of which the app holds a grant: its mount is over. */
  taken(key: GrantKey): void;
}

/** How often the window is told, at most. */
const EVERY_MS = 100;

/** `mountfs:fs/grants`, on the other side of which the user is. */
export class Trees {
  readonly #window: WindowSide;
  readonly #user: TreesUser;
  readonly #limits: Limits;
  readonly #used = new Map<string, Used>();
  /** What is being opened, by mount point: the user may be asked for it now. */
  readonly #opening = new Map<string, { id: string; taken: boolean }>();
  /** What would have been asked for, while nobody is asked. */
  #postponed: Wanted[] | undefined;

  /** What the instance that is there now has in use. */
  #inUse = new InUse();

  constructor(window: WindowSide, user: TreesUser, limits: Limits = LIMITS) {
    this.#window = window;
    this.#user = user;
    this.#limits = limits;
    prepareShelves();
  }

  /** The interface, for one instance of the app. */
  interface() {
    const inUse = (this.#inUse = new InUse(this.#limits));
    return {
      Grant,
      acquire: (key: GrantKey, access: Access, startIn: StartIn | undefined) => this.#acquire(inUse, key, access, startIn),
      revoke: (key: GrantKey) => this.#revoke(key),
    };
  }

  /** The instance that held grants is gone, without having let go of them. */
  abandoned(): void {
    for (const { holders } of this.#used.values()) holders.clear();
    this.#inUse.end();
    abandonPollables();
  }

  /** What is mounted, by path. */
  mounted(): MountInfo[] {
    const mounted = [...this.#used.values()].filter(({ holders }) => holders.size);
    return mounted
      .map(({ key: { path, id }, access, label, tree, journals }) => {
        const [left, recoverable] = [unsynced(tree.unsynced()), unsynced(journals.left)];
        const journaled = access === "read" || journals.isWhole;
        return { path, id, access, label, unsynced: left, recoverable, journaled };
      })
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** As in the protocol. */
  changedOutside(key: GrantKey, names: string[], ago: number): void {
    this.#used.get(slot(key))?.tree.distrust(names, ago);
  }

  /** Syncs the folder that is mounted there; undefined when none is. */
  async sync(path: string): Promise<SyncReport | undefined> {
    const used = this.#mountedAt(path);
    return used && (await complete(used));
  }

  /** Puts into a mounted folder what tabs that died had not. */
  async recover(key: GrantKey): Promise<SyncReport> {
    const used = this.#mounted(key);
    if (used.access === "read") {
      const why = "the folder is mounted for reading only; mount it for reading and writing first";
      throw { tag: "other", val: why } satisfies WitError;
    }
    return checked(used, await used.journals.recover(used.tree));
  }

  /** Removes that. True when there was something. */
  async discardLeft(key: GrantKey): Promise<boolean> {
    return await this.#mounted(key).journals.discard();
  }

  #mounted(key: GrantKey): Used {
    const used = this.#used.get(slot(key));
    if (!used?.holders.size) throw { tag: "not-mounted" } satisfies WitError;
    return used;
  }

  /** Makes a call in which the app's streams write nothing to the folder that is mounted there. */
  async pausing<T>(path: string, call: () => Promise<T>): Promise<T> {
    const resume = this.#mountedAt(path)?.tree.pause();
    try {
      return await call();
    } finally {
      resume?.();
    }
  }

  #mountedAt(path: string): Used | undefined {
    return [...this.#used.values()].find(({ key, holders }) => key.path === path && holders.size);
  }

  /** Syncs what it can, then gives a folder back in any case. True when there was something to give back. */
  async revoke(key: GrantKey): Promise<boolean> {
    const used = this.#used.get(slot(key));
    // What the app would write while it is synced would be lost.
    const resume = used?.tree.pause();
    const failed = used && (await complete(used).then(() => undefined, (error: WitError) => error));
    const revoked = this.#revoke(key);
    resume?.();
    if (failed?.tag !== "incomplete") return await revoked;
    // It weighs more than a grant that could not be forgotten.
    await revoked.catch(() => undefined);
    throw failed;
  }

  /** Syncs every folder. The paths in the report are those that the app knows. */
  async syncAll(): Promise<SyncReport> {
    const all: SyncReport = { files: 0n, bytes: 0n, removed: 0n, conflicts: [], failures: [] };
    const syncing = [...this.#used.values()].map(async (used) => {
      const { key, tree } = used;
      const { files, bytes, removed, conflicts, failures } = await tree.sync();
      const whole = (path: string) => `${key.path === "/" ? "" : key.path}/${path}`;
      all.files += files;
      all.bytes += bytes;
      all.removed += removed;
      all.conflicts.push(...conflicts.map(({ path, kept }) => ({ path: whole(path), kept: whole(kept) })));
      // What could not be written of a folder that was taken back meanwhile, whoever did that was told.
      if (!used.ended) all.failures.push(...failures.map(({ path, reason }) => ({ path: whole(path), reason })));
    });
    await Promise.all(syncing);
    return all;
  }

  /** Makes a call in which nobody is asked: what would have been goes to `wanted`, and `busy` is answered. */
  async postponing<T>(wanted: Wanted[], call: () => Promise<T>): Promise<T> {
    this.#postponed = wanted;
    try {
      return await call();
    } finally {
      this.#postponed = undefined;
    }
  }

  /** Gets a folder ready, so that nobody has to be asked for it in `acquire`. */
  async prepare(wanted: Wanted): Promise<undefined> {
    await this.#open(wanted, "page");
  }

  /** The mount failed that a folder was made ready for: nothing of it stays behind. */
  async discard({ key }: Wanted): Promise<void> {
    const used = this.#used.get(slot(key));
    // The app mounted it meanwhile.
    if (used?.holders.size) return;
    if (used) this.#end(used);
    await this.#window.withdraw(key);
  }

  async #acquire(inUse: InUse, key: GrantKey, access: Access, startIn: StartIn | undefined): Promise<Grant> {
    if (!inUse.hasRoom("mounts")) throw this.#full();
    let used = this.#used.get(slot(key));
    if (used?.access !== access) {
      const wanted = { key, access, startIn };
      if (this.#postponed?.push(wanted)) throw BUSY;
      used = await this.#open(wanted, "app");
    }
    const { holders } = used;
    const release = inUse.take("mounts");
    const grant: Grant = new Grant(used, inUse, () => {
      release();
      if (holders.delete(grant) && !holders.size) this.#end(used);
    });
    holders.add(grant);
    this.#user.changed();
    return grant;
  }

  #full(): WitError {
    const text = `${this.#limits.mounts} folders are mounted, and the host allows no more: unmount one first`;
    return { tag: "other", val: text };
  }

  async #open({ key, access, startIn }: Wanted, by: Asker): Promise<Used> {
    if (this.#opening.has(key.path)) throw BUSY;
    const opening = { id: key.id, taken: false };
    this.#opening.set(key.path, opening);
    try {
      const answer = await this.#window.acquire(key, access, startIn, by);
      if ("error" in answer) throw answer.error;
      const { handle, label } = answer.ok;
      const before = this.#used.get(slot(key));
      if (before) {
        // What a narrower or wider use of the same folder has not written must not be lost.
        await complete(before);
        this.#end(before);
      }
      const journals = await Journals.open({ key, label }, access, {
        found: () => this.#window.recoverable(key, journals.left),
        changed: () => this.#user.changed(),
      });
      if (opening.taken) {
        void journals.end();
        throw DENIED;
      }
      const { journal, swaps } = journals;
      const tree = openTree(handle, access, { events: this.#events(key), journal, swaps });
      const used: Used = { key, tree, journals, access, label, holders: new Set(), ended: false };
      this.#used.set(slot(key), used);
      // Nobody waits for it: there is an event for what it finds.
      journals.look(tree);
      return used;
    } catch (error) {
      throw opening.taken ? DENIED : error;
    } finally {
      this.#opening.delete(key.path);
    }
  }

  async #revoke(key: GrantKey): Promise<boolean> {
    // First of all the folder is cut off; then forgotten.
    const used = this.#take(key);
    const answer = await this.#window.forget(key);
    // It may have been granted in the same moment.
    const granted = this.#take(key);
    // What is in its journals is of the folder, too.
    await Promise.all([forgetJournals(key), used?.tree.settled(), granted?.tree.settled()]);
    if ("error" in answer) throw answer.error;
    return answer.ok || used !== undefined || granted !== undefined;
  }

  #take(key: GrantKey): Used | undefined {
    const opening = this.#opening.get(key.path);
    if (opening?.id === key.id) opening.taken = true;
    const used = this.#used.get(slot(key));
    if (used) this.#end(used);
    return used;
  }

  #end(used: Used): void {
    // The component lets go of a grant that was taken back, too.
    if (used.ended) return;
    const { key, tree, journals, holders } = used;
    used.ended = true;
    tree.end();
    void journals.end();
    if (this.#used.get(slot(key)) === used) this.#used.delete(slot(key));
    if (holders.size) this.#user.taken(key);
    this.#user.changed();
  }

  #events(key: GrantKey) {
    return {
      dirty: (unsynced: { files: number; bytes: number }) => this.#window.dirty(key, unsynced),
      progress: seldom((done: Progress) => this.#window.progress(key, done)),
    };
  }
}

/** `mountfs:fs/grants.grant`. */
class Grant {
  readonly #used: Used;
  readonly #inUse: InUse;
  readonly #letGo: () => void;

  constructor(used: Used, inUse: InUse, letGo: () => void) {
    this.#used = used;
    this.#inUse = inUse;
    this.#letGo = letGo;
  }

  async root(): Promise<object> {
    if (this.#used.ended) throw DENIED;
    if (!this.#inUse.hasRoom("descriptors")) throw FULL;
    return this.#used.tree.root(this.#inUse);
  }

  label(): string {
    return this.#used.label;
  }

  async sync(): Promise<SyncReport> {
    if (this.#used.ended) throw DENIED;
    const report = await this.#used.tree.sync();
    // Taken back meanwhile: whoever did that was told what was not written.
    if (this.#used.ended) throw DENIED;
    return report;
  }

  unsynced(): Unsynced {
    return unsynced(this.#used.tree.unsynced());
  }

  /** The component let go of it: what was opened below stops working. */
  [Symbol.dispose](): void {
    this.#letGo();
  }
}

const DENIED: WitError = { tag: "denied" };
const BUSY: WitError = { tag: "busy" };
const FULL: WitError = { tag: "other", val: "the host allows nothing more to be open: close something first" };

/** Syncs, and throws the errors of `mounts.sync`. */
async function complete(used: Used): Promise<SyncReport> {
  return checked(used, await used.tree.sync());
}

function checked(used: Used, report: SyncReport): SyncReport {
  if (used.ended) throw { tag: "not-mounted" } satisfies WitError;
  if (report.failures.length) throw { tag: "incomplete", val: report } satisfies WitError;
  return report;
}

function unsynced({ files, bytes }: { files: number; bytes: number }): Unsynced {
  return { files: BigInt(files), bytes: BigInt(bytes) };
}

/** Calls at once, then at most every so often, and the last time in any case. */
function seldom<A>(call: (value: A) => void): (value: A) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last: { value: A } | undefined;
  const again = () => {
    timer = undefined;
    if (!last) return;
    call(last.value);
    last = undefined;
    timer = setTimeout(again, EVERY_MS);
  };
  return (value) => {
    last = { value };
    if (!timer) again();
  };
}
