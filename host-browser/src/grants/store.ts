// Grants that are kept between visits, in this origin's IndexedDB.
//
// Chromium that is killed while it writes to an IndexedDB can leave half a record at the end of its log. The next start
// takes no notice, and writes behind it; the one after that finds the log corrupt, and removes all databases in it. So
// grants are written only when they change; and they have a bucket of their own where the browser has buckets, so that
// nothing else that the page writes can take them along.
import { del, entries, get, promisifyRequest, set, type UseStore } from "idb-keyval";
import { PATIENCE } from "../files/disk.js";
import { refused } from "../files/errors.js";
import { limited } from "../files/limit.js";
import * as supported from "../supported.js";
import type { Access, GrantKey, WitError } from "../wit.js";

/** What is kept of one grant. */
export interface KeptGrant {
  /** The folder. */
  handle: FileSystemDirectoryHandle;
  /** The widest access that was asked for. */
  access: Access;
  /** The folder's own name, for people. */
  label: string;
}

/** Where grants are kept. A call that is not answered within 30 s has failed. */
export interface GrantStore {
  /** What is kept under a key. */
  get(key: GrantKey): Promise<KeptGrant | undefined>;
  /** Keeps a grant, in the place of another. When it fails, the user is asked again next time. */
  set(key: GrantKey, grant: KeptGrant): Promise<void>;
  /** Forgets a grant. True when there was one. */
  delete(key: GrantKey): Promise<boolean>;
  /** All that is kept. */
  list(): Promise<[GrantKey, KeptGrant][]>;
}

/** Keeps grants in IndexedDB: the only place that keeps a handle. Another origin does not reach them. */
export function indexedDbStore(name = "mountfs"): GrantStore {
  const store = connect(name, "grants");
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

/** A store that answers each call within the time limit, if only with an error: else whoever waits for it would wait for ever. */
export function answering(store: GrantStore): GrantStore {
  const soon = <T>(call: Promise<T>): Promise<T> =>
    limited(call, PATIENCE).catch((error: unknown) => {
      throw refused(error, "busy") ? ({ tag: "other", val: UNANSWERED } satisfies WitError) : error;
    });
  return {
    get: (key) => soon(store.get(key)),
    set: (key, grant) => soon(store.set(key, grant)),
    delete: (key) => soon(store.delete(key)),
    list: () => soon(store.list()),
  };
}

const UNANSWERED = "the browser does not answer where grants are kept; close its other windows, or start it again";

/** A store that is opened at once, so that whoever is first to ask does not wait for it. */
function connect(database: string, name: string): UseStore {
  const opened = async () => {
    bucket = await openBucket();
    const request = bucket.indexedDB.open(database);
    request.onupgradeneeded = () => request.result.createObjectStore(name);
    const db = await promisifyRequest(request);
    db.onclose = again;
    return db;
  };
  // Kept: once a bucket is garbage, Chromium leaves requests to its databases without an answer.
  let bucket: Bucket;
  let connection: Promise<IDBDatabase>;
  const again = () => {
    connection = opened();
    // Whoever asks is told.
    connection.catch(() => undefined);
  };
  again();
  return async (mode, use) => {
    const db = await connection.catch(() => (again(), connection));
    const transaction = db.transaction(name, mode);
    const done = use(transaction.objectStore(name));
    // All of it was asked for; so a page that is closed now has done it.
    if (mode === "readwrite") transaction.commit();
    return await done;
  };
}

type Bucket = { indexedDB: IDBFactory };

async function openBucket(): Promise<Bucket> {
  // It may have none to give, as in a page without an origin.
  return (await supported.buckets?.open("mountfs-grants").catch(() => undefined)) ?? globalThis;
}
