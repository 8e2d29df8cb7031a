// The app and its life: an instance is made, called, and replaced by a fresh one after it ended or failed.
import type { Ended, Program, Stdio, WindowSide } from "../protocol.js";
import { type Answer, type GrantKey, type MountInfo, toWitError, type WitError, type WitMountOptions } from "../wit.js";
import type { SyncReport } from "../contract.js";
import type { Limits } from "../limits.js";
import { Gate } from "./gate.js";
import { appImports, type Run } from "./imports.js";
import { Trees, type Wanted } from "./trees.js";
import { Exit } from "./wasi/command.js";
import { Streams } from "./wasi/stdio.js";
import { watched } from "./watchdog.js";

/** What a transpiled app exports. */
interface Exports {
  run: { run(): Promise<void> };
  mounts: {
    mount(path: string, options: WitMountOptions): Promise<MountInfo>;
    sync(path: string): Promise<SyncReport>;
    unmount(path: string): Promise<SyncReport>;
    revoke(path: string, id: string): Promise<boolean>;
    mounted(): Promise<MountInfo[]>;
  };
}

/** `app.js`, as `mountfs build` makes it. */
export interface AppModule {
  instantiate(getCoreModule: (name: string) => Promise<WebAssembly.Module>, imports: object): Promise<Exports>;
}

interface Instance {
  exports: Exports;
  /** What the imports answer from; a run fills it in. */
  run: Run;
  gate: Gate;
}

/** The exit code of an app that trapped, as a shell has it for one that was aborted. */
const TRAPPED = 134;
const NOBODY: Stdio = { read: async () => null, write: async () => undefined };

/** The app in this worker. */
export class App {
  readonly #module: AppModule;
  readonly #core: (name: string) => Promise<WebAssembly.Module>;
  readonly #window: WindowSide;
  readonly #trees: Trees;
  #instance: Promise<Instance>;
  /** The mount table as it was last seen: a fresh instance gets the same. */
  #mounts: MountInfo[] = [];
  #running = false;

  constructor(module: AppModule, core: (name: string) => Promise<WebAssembly.Module>, window: WindowSide, limits?: Limits) {
    this.#module = module;
    this.#core = core;
    this.#window = window;
    const user = {
      changed: () => void this.#look(),
      // The component notices with its next sync, and takes the mount out of its table.
      taken: ({ path }: GrantKey) => void this.#control((mounts) => mounts.sync(path)),
    };
    this.#trees = new Trees(window, user, limits);
    this.#instance = this.#fresh();
    // Whoever calls first is told.
    this.#instance.catch(() => undefined);
  }

  /** The app can be called, and what was mounted is mounted again. */
  async ready(): Promise<void> {
    let instance: unknown;
    while (instance !== this.#instance) await (instance = this.#instance);
  }

  // The page's calls. `sync`, `revoke` and `mounted` would wait in the component for as long as the app is inside, which
  // is as long as its user thinks about a mount dialog, and nobody who takes a folder back should have to wait for that.
  // So they are done here, where the folders are; what a revoke leaves in the component's table it notices when its turn
  // comes. The errors for what is not there are the component's in any case.

  async mount(path: string, options: WitMountOptions): Promise<Answer<MountInfo>> {
    const wanted: Wanted[] = [];
    // Watched inside, so that the postponing ends in any case.
    const mount = () =>
      this.#control((mounts) => this.#trees.postponing(wanted, () => watched(mounts.mount(path, options))));
    const mounted = await mount();
    const [first] = wanted;
    if (!first) return mounted;
    // Outside the component: the app would wait for the user's answer, too.
    const failed = await this.#answer<MountInfo>(() => this.#trees.prepare(first));
    if (failed) return failed;
    const again = await mount();
    if ("error" in again) {
      await this.#trees.discard(first).catch((error: unknown) => console.warn("mountfs: a grant could not be put back", error));
    }
    // It was taken back before its turn came: no reason to ask once more.
    return wanted.length > 1 ? { error: { tag: "denied" } } : again;
  }

  async unmount(path: string): Promise<Answer<SyncReport>> {
    // The app's streams do not go through the component: what they wrote after the sync would be lost.
    return await this.#control((mounts) => this.#trees.pausing(path, () => watched(mounts.unmount(path))));
  }

  async sync(path: string): Promise<Answer<SyncReport>> {
    const synced = await this.#answer(() => this.ready().then(() => this.#trees.sync(path)));
    return synced ?? (await this.#control((mounts) => mounts.sync(path)));
  }

  async revoke(path: string, id: string): Promise<Answer<boolean>> {
    const revoked = await this.#answer(async () => (await this.#trees.revoke({ path, id })) || undefined);
    return revoked ?? (await this.#control((mounts) => mounts.revoke(path, id)));
  }

  async mounted(): Promise<Answer<MountInfo[]>> {
    return (await this.#answer(() => this.ready().then(() => this.#trees.mounted())))!;
  }

  async recover(path: string, id: string): Promise<Answer<SyncReport>> {
    return (await this.#answer(() => this.ready().then(() => this.#trees.recover({ path, id }))))!;
  }

  async discard(path: string, id: string): Promise<Answer<boolean>> {
    return (await this.#answer(() => this.ready().then(() => this.#trees.discardLeft({ path, id }))))!;
  }

  /** As in the protocol. */
  changedOutside(key: GrantKey, names: string[], ago: number): void {
    this.#trees.changedOutside(key, names, ago);
  }

  /** Runs the app as a command. What it wrote is in the folders when this answers, or it says what is not. */
  async run(program: Program, stdio: Stdio): Promise<Answer<Ended>> {
    if (this.#running) return { error: { tag: "busy" } satisfies WitError };
    this.#running = true;
    try {
      const loaded = this.#instance;
      const instance = await loaded;
      const given = { program, streams: new Streams(stdio) } satisfies Run;
      Object.assign(instance.run, given);
      const ended = await this.#end(watched(instance.exports.run.run()));
      instance.gate.over();
      await this.#look();
      const [synced] = await Promise.all([this.#trees.syncAll(), given.streams.arrived()]);
      // After what the page is about in this instance: an unmount there would not reach the next one.
      await instance.gate.turn(async () => loaded === this.#instance && this.#replace());
      return { ok: { ...ended, synced } };
    } catch (thrown) {
      return { error: toWitError(thrown) };
    } finally {
      this.#running = false;
    }
  }

  /** What a call comes to, if it comes to something. */
  async #answer<T>(call: () => Promise<T | undefined>): Promise<Answer<T> | undefined> {
    try {
      const ok = await call();
      return ok === undefined ? undefined : { ok };
    } catch (thrown) {
      return { error: toWitError(thrown) };
    }
  }

  /** Calls a function of `mountfs:fs/mounts`, in its turn. */
  async #control<T>(call: (mounts: Exports["mounts"]) => Promise<T>): Promise<Answer<T>> {
    for (;;) {
      const instance = this.#instance;
      try {
        const { exports, gate } = await instance;
        const answer = await gate.turn(async () =>
          // Another may have taken its place while this waited.
          instance === this.#instance ? { ok: await watched(call(exports.mounts)) } : undefined,
        );
        if (answer) return answer;
      } catch (thrown) {
        const error = toWitError(thrown);
        // An error of the interface is an answer; anything else means that this instance cannot be trusted any more.
        if (thrown !== error && this.#instance === instance) this.#replace();
        return { error };
      }
    }
  }

  async #end(run: Promise<void>): Promise<Omit<Ended, "synced">> {
    try {
      await run;
      return { code: 0 };
    } catch (thrown) {
      if (thrown instanceof Exit) return { code: thrown.code };
      // `wasi:cli/run` answered an error, which has no value.
      if (thrown === undefined) return { code: 1 };
      return { code: TRAPPED, trap: thrown instanceof Error ? thrown.message : String(thrown) };
    }
  }

  async #fresh(): Promise<Instance> {
    const run: Run = { program: { args: [], env: [], cwd: undefined }, streams: new Streams(NOBODY) };
    const gate = new Gate();
    const imports = { ...appImports(run, this.#trees.interface()), "mountfs:gate": gate };
    return { run, gate, exports: await this.#module.instantiate(this.#core, imports) };
  }

  /** A fresh instance in the place of the one there is, with the same folders mounted. */
  #replace(): void {
    this.#trees.abandoned();
    this.#instance = this.#fresh().then(async (instance) => {
      for (const { path, id, access } of this.#mounts) {
        const mount = () => watched(instance.exports.mounts.mount(path, { id, access }));
        // One that was taken back meanwhile is not asked for. It is not in the table then, which the window is told.
        await this.#trees.postponing([], mount).catch(() => undefined);
      }
      return instance;
    });
    void this.#look();
  }

  /** Notes what is mounted, for the window and for the next instance. */
  async #look(): Promise<void> {
    try {
      await this.ready();
    } catch {
      // The instance just failed, and what called it will say so.
      return;
    }
    const mounts = this.#trees.mounted();
    const same = summary(mounts) === summary(this.#mounts);
    this.#mounts = mounts;
    // Only when it did change: whoever is told will ask what is mounted.
    if (!same) this.#window.mountsChanged(mounts);
  }
}

/** What makes two mount tables the same; what is unsynced has its own event. */
function summary(mounts: MountInfo[]): string {
  return JSON.stringify(mounts.map(({ path, id, access, label, journaled }) => [path, id, access, label, journaled]));
}
