// The granted folders in use. They outlive an instance of the app: after a trap or an exit, the next one finds its
// folders again, with everything in them that is not on disk yet, and nobody is asked twice.
import type { Access, GrantKey, MountInfo, StartIn, SyncReport, Unsynced, WitError } from "../wit.js";
import type { Tree } from "../contract.js";
import type { Progress, WindowSide } from "../protocol.js";
import { openTree } from "../files/index.js";

interface Used {
  key: GrantKey;
  tree: Tree;
  access: Access;
  label: string;
  /** The grants over it that an app holds: it is mounted. */
  holders: Set<Grant>;
  /** It was taken back. */
  ended: boolean;
}

/** What a mount has to ask the window for, and it the user perhaps. */
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
  readonly #used = new Map<string, Used>();
  /** Mount points for which the user may be asked now. */
  readonly #asked = new Set<string>();
  /** What would have been asked for, while nobody is asked. */
  #postponed: Wanted[] | undefined;

  constructor(window: WindowSide, user: TreesUser) {
    this.#window = window;
    this.#user = user;
  }

  /** The interface, for one instance of the app. */
  interface() {
    return {
      Grant,
      acquire: (key: GrantKey, access: Access, startIn: StartIn | undefined) => this.#acquire(key, access, startIn),
      revoke: (key: GrantKey) => this.#revoke(key),
    };
  }

  /** The instance that held grants is gone, without having let go of them. */
  abandoned(): void {
    for (const { holders } of this.#used.values()) holders.clear();
  }

  /** What is mounted, by path. */
  mounted(): MountInfo[] {
    const mounted = [...this.#used.values()].filter(({ holders }) => holders.size);
    return mounted
      .map(({ key: { path, id }, access, label, tree }) => ({ path, id, access, label, unsynced: unsynced(tree) }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Other programs may have changed these names in a folder; anything, when there are none. */
  changedOutside(key: GrantKey, names: string[]): void {
    this.#used.get(slot(key))?.tree.distrust(names);
  }

  /** Syncs the folder that is mounted there; undefined when none is. */
  async sync(path: string): Promise<SyncReport | undefined> {
    const used = this.#mountedAt(path);
    return used && (await complete(used));
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
    await this.#open(wanted);
  }

  async #acquire(key: GrantKey, access: Access, startIn: StartIn | undefined): Promise<Grant> {
    let used = this.#used.get(slot(key));
    if (used?.access !== access) {
      const wanted = { key, access, startIn };
      if (this.#postponed?.push(wanted)) throw BUSY;
      used = await this.#open(wanted);
    }
    const { holders } = used;
    const grant: Grant = new Grant(used, () => {
      if (holders.delete(grant) && !holders.size) this.#end(used);
    });
    holders.add(grant);
    this.#user.changed();
    return grant;
  }

  async #open({ key, access, startIn }: Wanted): Promise<Used> {
    if (this.#asked.has(key.path)) throw BUSY;
    this.#asked.add(key.path);
    try {
      const answer = await this.#window.acquire(key, access, startIn);
      if ("error" in answer) throw answer.error;
      const { handle, label } = answer.ok;
      const before = this.#used.get(slot(key));
      if (before) {
        // What a narrower or wider use of the same folder has not written must not be lost.
        await complete(before);
        this.#end(before);
      }
      const tree = await openTree(handle, access, { events: this.#events(key) });
      const used: Used = { key, tree, access, label, holders: new Set(), ended: false };
      this.#used.set(slot(key), used);
      return used;
    } finally {
      this.#asked.delete(key.path);
    }
  }

  async #revoke(key: GrantKey): Promise<boolean> {
    // First of all the folder is cut off; then forgotten.
    const used = this.#take(key);
    const answer = await this.#window.forget(key);
    // It may have been granted in the same moment.
    const granted = this.#take(key);
    if ("error" in answer) throw answer.error;
    return answer.ok || used || granted;
  }

  #take(key: GrantKey): boolean {
    const used = this.#used.get(slot(key));
    if (used) this.#end(used);
    return used !== undefined;
  }

  #end(used: Used): void {
    const { key, tree, holders } = used;
    used.ended = true;
    tree.end();
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
  readonly #letGo: () => void;

  constructor(used: Used, letGo: () => void) {
    this.#used = used;
    this.#letGo = letGo;
  }

  async root(): Promise<object> {
    if (this.#used.ended) throw DENIED;
    return this.#used.tree.root();
  }

  label(): string {
    return this.#used.label;
  }

  async sync(): Promise<SyncReport> {
    if (this.#used.ended) throw DENIED;
    return await this.#used.tree.sync();
  }

  unsynced(): Unsynced {
    return unsynced(this.#used.tree);
  }

  /** The component let go of it: what was opened below stops working. */
  [Symbol.dispose](): void {
    this.#letGo();
  }
}

const DENIED: WitError = { tag: "denied" };
const BUSY: WitError = { tag: "busy" };

/** Syncs, and throws the errors of `mounts.sync`. */
async function complete(used: Used): Promise<SyncReport> {
  const report = await used.tree.sync();
  if (used.ended) throw { tag: "not-mounted" } satisfies WitError;
  if (report.failures.length) throw { tag: "incomplete", val: report } satisfies WitError;
  return report;
}

function unsynced(tree: Tree): Unsynced {
  const { files, bytes } = tree.unsynced();
  return { files: BigInt(files), bytes: BigInt(bytes) };
}

function slot({ path, id }: GrantKey): string {
  return JSON.stringify([path, id]);
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
