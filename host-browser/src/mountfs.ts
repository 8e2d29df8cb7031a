// What a page calls: the app in its worker, the user's grants, and what happens to the folders, as events.
import { proxy, type Remote, wrap } from "comlink";
import { MountfsChangeEvent, type MountfsEventMap, MountfsProgressEvent } from "./events.js";
import { MountfsError } from "./errors.js";
import { defaultDialog } from "./dialog.js";
import { type GrantInfo, Grants, type Offer } from "./grants/grants.js";
import { type Provider, provider, type ProviderName } from "./grants/provider.js";
import type { GrantDialog } from "./grants/question.js";
import { type GrantStore, indexedDbStore } from "./grants/store.js";
import { FolderWatch } from "./folder-watch.js";
import { type Limits, limits } from "./limits.js";
import { type Input, type Output, stdio } from "./stdio.js";
import { PROTOCOL, type WindowSide, type WorkerSide } from "./protocol.js";
import * as supported from "./supported.js";
import { type Access, type Answer, type GrantKey, type MountInfo, type StartIn, type SyncReport, toWitError, type WitError } from "./wit.js";
import { workerAddress } from "./worker-address.js";

/** How to make a {@link Mountfs}. */
export interface MountfsOptions {
  /** The address of the folder that `mountfs build` made, relative to the page. It has to be of the page's origin. */
  app: string | URL;
  /** Makes the worker, for pages with rules of their own. Default: `worker.js` in the app's folder. */
  worker?: () => Worker;
  /** Asks the user. Default: a dialog in the page. */
  dialog?: GrantDialog;
  /** What the default dialog calls the app. Default: `This page`. */
  name?: string;
  /** Where a new folder comes from. Default: `auto`, this computer where the browser can, else its private storage. */
  provider?: ProviderName | Provider;
  /** Where grants are kept. Default: this origin's IndexedDB. */
  store?: GrantStore;
  /** What the app may have in use at a time. Default: 512 descriptors, 64 listings, 256 mounts. */
  limits?: Partial<Limits>;
}

/** How to mount. */
export interface MountOptions {
  /** Default: `read-write`. */
  access?: Access;
  /**
   * The name of the grant, so that one path can have several. Default: `mountfs`. Python's `fs.mount` has `pyscript`: with
   * that one, page and Python share a mount.
   */
  id?: string;
  /** Where the picker starts. Default: where the browser likes. */
  startIn?: StartIn;
  /** A folder that the page has already, from a drop or of its private storage. It takes the place of a kept one. */
  handle?: FileSystemDirectoryHandle;
}

/** How to run the app. */
export interface RunOptions {
  /** Standard input. Default: none. */
  stdin?: Input;
  /** Gets what it writes. Default: the console. */
  stdout?: Output;
  /** Gets what it writes to standard error. Default: the console. */
  stderr?: Output;
  /** The environment. Default: empty. */
  env?: Record<string, string>;
  /** The name of the command itself. Default: `app`. */
  name?: string;
  /** The current directory. Default: `/`. */
  cwd?: string;
}

/** The name of a grant when none is given, as everywhere in mountfs. */
const DEFAULT_ID = "mountfs";

/** Loads an app, to run in folders of the user. */
export function createMountfs(options: MountfsOptions): Mountfs {
  return new Mountfs(options);
}

/** An app in its worker, and the folders the user lent it. Made by {@link createMountfs}. */
export class Mountfs extends EventTarget {
  readonly #makeWorker: () => Worker;
  /** What to say when the worker cannot be loaded. */
  readonly #missing: string;
  readonly #grants: Grants;
  readonly #limits: Limits;
  readonly #watch = new FolderWatch((key, names, ago) => {
    // First, so that the app sees what whoever hears of it now asks it for.
    this.#remote.changedOutside(key, names, ago).catch(() => undefined);
    this.#tell({ what: "folder", ...key, names });
  });
  #worker!: Worker;
  #remote!: Remote<WorkerSide>;
  #started!: Promise<void>;
  #mounts: MountInfo[] = [];
  /** What was mounted when the app was stopped, until it is mounted again. */
  #again: MountInfo[] | undefined;
  /** Rejects what still waits for a worker that was stopped. */
  #stopped!: { promise: Promise<never>; over: boolean; now(error: Error): void };

  /** @internal */
  constructor(options: MountfsOptions) {
    super();
    this.#limits = limits(options.limits);
    // With a slash at the end, or its last part would be replaced.
    const app = new URL(String(options.app).replace(/\/?$/, "/"), document.baseURI);
    this.#makeWorker =
      options.worker ?? (() => new Worker(workerAddress(app), { type: "module", name: "mountfs" }));
    this.#missing = options.worker
      ? "cannot load the worker that `worker` made"
      : `cannot load ${new URL("worker.js", app)}: \`app\` has to be the address of a folder that \`npx mountfs build\` made`;
    this.#grants = new Grants(
      options.store ?? indexedDbStore(),
      options.dialog ?? defaultDialog(options.name),
      provider(options.provider),
    );
    this.#start();
  }

  /** Settles when the app can run: after a stop, with its folders. Every call waits for it, so nobody else has to. */
  get ready(): Promise<void> {
    return this.#started;
  }

  /**
   * Mounts a folder at an absolute path. The user is asked the first time, and when the permission has lapsed; nothing
   * in the folder is read. Throws a {@link MountfsError}.
   */
  async mount(path: string, options: MountOptions = {}): Promise<MountInfo> {
    const { access, id = DEFAULT_ID, startIn, handle } = options;
    const key = { path, id };
    let offer: Offer | undefined;
    try {
      const wanted = (remote: Remote<WorkerSide>) => {
        // Not before: what is mounted again after a stop would get it.
        if (handle) offer = this.#grants.offer(key, handle);
        return remote.mount(path, { access, id, startIn });
      };
      const mounted = await this.#call("mount", path, wanted, id);
      // Else it was mounted before, perhaps not with this folder.
      const kept = handle && !offer?.used ? await this.#grants.folder(key) : undefined;
      if (kept && !(await kept.isSameEntry(handle!))) {
        throw MountfsError.of("mount", path, { tag: "already-mounted", val: id }, id);
      }
      return mounted;
    } finally {
      offer?.withdraw();
    }
  }

  /**
   * Puts everything the app wrote into the folder, and shows it what others changed there. The report is of this call: what
   * {@link run} put there when it ended is not in it.
   */
  async sync(path: string): Promise<SyncReport> {
    return await this.#call("sync", path, (remote) => remote.sync(path));
  }

  /** Syncs, then detaches the folder. The grant is kept. */
  async unmount(path: string): Promise<SyncReport> {
    return await this.#call("unmount", path, (remote) => remote.unmount(path));
  }

  /** Syncs, then gives the folder back: what is open in it fails from then on, and the next mount asks again. */
  async revoke(path: string, id = DEFAULT_ID): Promise<boolean> {
    return await this.#call("revoke", path, (remote) => remote.revoke(path, id));
  }

  /**
   * Puts into a mounted folder what the app wrote to it in tabs that died, or were closed, before that was synced: the
   * event `change` tells of it, and {@link mounted}. Where a file was changed since, by another program or by the app, both
   * versions are kept, and the report says where. What cannot be put there stays unsynced, and recoverable.
   */
  async recover(path: string, id = DEFAULT_ID): Promise<SyncReport> {
    return await this.#call("recover", path, (remote) => remote.recover(path, id));
  }

  /** Removes for good what {@link recover} would put into the folder. True when there was something. */
  async discard(path: string, id = DEFAULT_ID): Promise<boolean> {
    return await this.#call("discard what can be recovered in", path, (remote) => remote.discard(path, id));
  }

  /** What is mounted now, by path. */
  async mounted(): Promise<MountInfo[]> {
    return await this.#call("list", "mounts", (remote) => remote.mounted());
  }

  /** The grants that are kept, mounted or not. */
  async kept(): Promise<GrantInfo[]> {
    return await this.#grants.list();
  }

  /** The folder of a kept grant, for a page that shows what is in it. */
  async folder(path: string, id = DEFAULT_ID): Promise<FileSystemDirectoryHandle | undefined> {
    return await this.#grants.folder({ path, id });
  }

  /**
   * Runs the app as a command, and answers its exit code: 134 when it trapped, which it says on `stderr`. One runs at a
   * time. What it wrote is in the folders when this answers, under another name where another program changed the same
   * file, which it says on `stderr` too. Throws `incomplete` with what could not be put there, by the paths that the app knows:
   * a later sync tries again. The folders stay mounted for the next run.
   */
  async run(args: string[], options: RunOptions = {}): Promise<number> {
    const { stdin, stdout, stderr, env = {}, name = "app", cwd } = options;
    const streams = stdio(stdin, stdout, stderr);
    const program = { args: [name, ...args], env: Object.entries(env), cwd };
    try {
      const ended = await this.#call("run", name, (remote) => remote.run(program, proxy(streams)));
      const { code, trap, synced } = ended;
      const say = (text: string) => streams.write(2, new TextEncoder().encode(`${name}: ${text}\n`));
      if (trap !== undefined) await say(trap);
      for (const { path, kept } of synced.conflicts) {
        await say(`${path} was changed outside too; what was written is ${kept}`);
      }
      if (synced.failures.length) {
        throw MountfsError.of("save what was written by", name, { tag: "incomplete", val: synced });
      }
      return code;
    } finally {
      await streams.close();
    }
  }

  /**
   * Ends what runs, at once, also in the middle of an endless loop. The app is loaded again with the same folders
   * mounted, and calls that come meanwhile wait for that. What was not in them yet can be recovered, as after a tab that
   * died.
   */
  async stop(): Promise<void> {
    this.#grants.dismiss();
    this.#stopped.now(new MountfsError("stopped", "cancelled", ""));
    this.#worker.terminate();
    // After a stop that another one interrupts, not all are mounted.
    this.#again ??= this.#mounts;
    this.#follow([]);
    this.#start();
    // Why the app cannot be loaded again, the next call says.
    await this.#started.catch(() => undefined);
    this.#tell({ what: "mounts" });
  }

  /** Lets go of everything. What is mounted is not synced: call {@link sync} before, or {@link recover} later. */
  close(): void {
    this.#grants.dismiss();
    this.#stopped.now(new MountfsError("closed", "cancelled", ""));
    this.#worker.terminate();
    this.#watch.close();
  }

  #start(): void {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    const now = (error: Error) => {
      stopped.over = true;
      reject(error);
    };
    const stopped = { promise, over: false, now };
    this.#stopped = stopped;
    this.#worker = this.#makeWorker();
    // A worker that cannot be loaded says nothing but this.
    this.#worker.addEventListener("error", ({ message }) => {
      now(new MountfsError(message ? `the worker failed: ${message}` : this.#missing, "other", ""));
    });
    this.#remote = wrap<WorkerSide>(this.#worker);
    this.#started = this.#load();
    this.#started.catch(() => undefined);
  }

  async #load(): Promise<void> {
    if (!supported.suspension) {
      throw new MountfsError(
        "this browser cannot suspend WebAssembly (JSPI): use Chrome or Edge from 137, or Firefox from 153",
        "unsupported",
        "",
      );
    }
    const [remote, stopped] = [this.#remote, this.#stopped];
    const started = remote.start(proxy(this.#side()), PROTOCOL, this.#limits).catch((error: Error) => {
      throw new MountfsError(error.message, "other", "");
    });
    await Promise.race([started, stopped.promise]);
    for (const mount of this.#again ?? []) {
      // The app runs also without one that cannot be mounted.
      await Promise.race([this.#mountAgain(remote, mount).catch(() => undefined), stopped.promise]);
    }
    if (!stopped.over) this.#again = undefined;
  }

  /** Only if that needs no prompt: a stop is no wish to be asked something. */
  async #mountAgain(remote: Remote<WorkerSide>, { path, id, access }: MountInfo): Promise<void> {
    const kept = (await this.#grants.list()).find((grant) => grant.path === path && grant.id === id);
    if (kept?.state === "granted") await remote.mount(path, { id, access, startIn: undefined });
  }

  async #call<T>(
    verb: string,
    path: string,
    call: (remote: Remote<WorkerSide>) => Promise<Answer<T>>,
    id?: string,
  ): Promise<T> {
    // Of one worker: the next one may be there by the time that this one could have run.
    const [remote, stopped] = [this.#remote, this.#stopped.promise];
    await this.#started;
    const answer = await Promise.race([call(remote), stopped]);
    // A page may be closed once it was told that all is done. A mount alone does not wait: nothing was done in it yet.
    if (verb !== "mount") await this.#grants.settled();
    if ("error" in answer) throw MountfsError.of(verb, path, answer.error, id);
    return answer.ok;
  }

  #side(): WindowSide {
    // What a worker had sent before it was stopped may arrive after that.
    const stopped = this.#stopped;
    const answer = async <T>(call: () => Promise<T>): Promise<Answer<T>> => {
      try {
        return { ok: await call() };
      } catch (thrown) {
        return { error: toWitError(thrown) };
      }
    };
    return {
      acquire: (key, access, startIn, by) =>
        answer(async () => {
          if (stopped.over) throw { tag: "cancelled" } satisfies WitError;
          return await this.#grants.acquire(key, access, startIn, by);
        }),
      withdraw: (key) => this.#grants.withdraw(key),
      // A grant that was given back is given back.
      forget: (key) => answer(() => this.#grants.forget(key)),
      dirty: (key, unsynced) => this.#tell({ what: "unsynced", ...key, ...unsynced }),
      recoverable: (key, left) => this.#tell({ what: "recoverable", ...key, ...left }),
      progress: (key, done) => void this.dispatchEvent(new MountfsProgressEvent({ ...key, ...done })),
      mountsChanged: (mounts) => {
        if (stopped.over) return;
        this.#follow(mounts);
        this.#tell({ what: "mounts" });
      },
    };
  }

  /** These are the mounts now. */
  #follow(mounts: MountInfo[]): void {
    this.#mounts = mounts;
    this.#watch.follow(mounts, (key) => this.#grants.folder(key));
  }

  #tell(change: MountfsChangeEvent["change"]): void {
    this.dispatchEvent(new MountfsChangeEvent(change));
  }
}

/** The events, typed. */
export interface Mountfs {
  /** As in the standard, with the events of {@link MountfsEventMap}. */
  addEventListener<K extends keyof MountfsEventMap>(
    type: K,
    listener: (this: Mountfs, event: MountfsEventMap[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** As in the standard. */
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}
