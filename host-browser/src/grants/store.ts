// Grants that are kept between visits, in this origin's IndexedDB.
import { createStore, del, entries, get, set } from "idb-keyval";
import type { Access, GrantKey } from "../wit.js";

/** What is kept of one grant. */
export interface KeptGrant {
  /** The folder. */
  handle: FileSystemDirectoryHandle;
  /** The widest access that was asked for. */
  access: Access;
  /** The folder's own name, for people. */
  label: string;
}

/** Where grants are kept. */
export interface GrantStore {
  /** What is kept under a key. */
  get(key: GrantKey): Promise<KeptGrant | undefined>;
  /** Keeps a grant, in the place of another. */
  set(key: GrantKey, grant: KeptGrant): Promise<void>;
  /** Forgets a grant. True when there was one. */
  delete(key: GrantKey): Promise<boolean>;
  /** All that is kept. */
  list(): Promise<[GrantKey, KeptGrant][]>;
}

/** Keeps grants in IndexedDB: the only place that keeps a handle. Another origin does not reach them. */
export function indexedDbStore(name = "mountfs"): GrantStore {
  const store = createStore(name, "grants");
  const slot = ({ path, id }: GrantKey): [string, string] => [path, id];
  return {
    get: (key) => get<KeptGrant>(slot(key), store),
    set: (key, grant) => set(slot(key), grant, store),
    async delete(key) {
      const kept = await get<KeptGrant>(slot(key), store);
      await del(slot(key), store);
      return kept !== undefined;
    },
    async list() {
      const all = await entries<[string, string], KeptGrant>(store);
      return all.map(([[path, id], grant]) => [{ path, id }, grant]);
    },
  };
}
