// The granted folders in use. They outlive an instance of the app: after a trap or an exit, the next one finds its
// folders again, with everything in them that is not on disk yet, and nobody is asked twice.
import type { Access, GrantKey, StartIn, SyncReport, Unsynced, WitError } from "../wit.js";
import type { Tree } from "../contract.js";
import type { Progress, WindowSide } from "../protocol.js";
import { openTree } from "../files/index.js";

interface Used {
  key: GrantKey;
  tree: Tree;
  access: Access;
  label: string;
  /** The grants over it that an app holds. */
  holders: Set<Grant>;
}

/** How often the window is told, at most. */
const EVERY_MS = 100;

/** `mountfs:fs/grants`, on the other side of which the user is. */
export class Trees {
  readonly #window: WindowSide;
  /** A grant came or went, so the mount table may be another soon. */
  readonly #changed: () => void;
  readonly #used = new Map<string, Used>();

  constructor(window: WindowSide, changed: () => void) {
    this.#window = window;
    this.#changed = changed;
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

  /** Syncs every folder, and answers what could not be written, by mount point. */
  async sync(): Promise<Map<GrantKey, SyncReport>> {
    const reports = await Promise.all([...this.#used.values()].map(({ key, tree }) => this.#synced(key, tree)));
    return new Map(reports);
  }

  async #synced(key: GrantKey, tree: Tree): Promise<[GrantKey, SyncReport]> {
    return [key, await tree.sync()];
  }

  async #acquire(key: GrantKey, access: Access, startIn: StartIn | undefined): Promise<Grant> {
    const name = slot(key);
    let used = this.#used.get(name);
    if (used?.access !== access) {
      const answer = await this.#window.acquire(key, access, startIn);
      if ("error" in answer) throw answer.error;
      const { handle, label } = answer.ok;
      // What a narrower or wider use of the same folder has not written must not be lost.
      await used?.tree.sync();
      used?.tree.end();
      const tree = await openTree(handle, access, { events: this.#events(key) });
      used = { key, tree, access, label, holders: new Set() };
      this.#used.set(name, used);
    }
    const { tree, label, holders } = used;
    const grant: Grant = new Grant(tree, label, () => {
      if (holders.delete(grant) && !holders.size) this.#end(name, tree);
    });
    holders.add(grant);
    this.#changed();
    return grant;
  }

  async #revoke(key: GrantKey): Promise<boolean> {
    const name = slot(key);
    const used = this.#used.get(name);
    // First of all the folder is cut off; then forgotten.
    if (used) this.#end(name, used.tree);
    const answer = await this.#window.forget(key);
    if ("error" in answer) throw answer.error;
    return answer.ok || used !== undefined;
  }

  #end(name: string, tree: Tree): void {
    tree.end();
    if (this.#used.get(name)?.tree === tree) this.#used.delete(name);
    this.#changed();
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
  readonly #tree: Tree;
  readonly #label: string;
  readonly #end: () => void;
  #ended = false;

  constructor(tree: Tree, label: string, end: () => void) {
    this.#tree = tree;
    this.#label = label;
    this.#end = end;
  }

  async root(): Promise<object> {
    if (this.#ended) throw { tag: "denied" } satisfies WitError;
    return this.#tree.root();
  }

  label(): string {
    return this.#label;
  }

  async sync(): Promise<SyncReport> {
    if (this.#ended) throw { tag: "denied" } satisfies WitError;
    return await this.#tree.sync();
  }

  unsynced(): Unsynced {
    const { files, bytes } = this.#tree.unsynced();
    return { files: BigInt(files), bytes: BigInt(bytes) };
  }

  /** The component let go of it: what was opened below stops working. */
  [Symbol.dispose](): void {
    this.#ended = true;
    this.#end();
  }
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
