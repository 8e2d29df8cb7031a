// The guest of the cases in a worker of the page: composed and transpiled as every app is, on the folders the user chose.
import { expose } from "comlink";
import { Grants } from "../../src/grants/grants.js";
import type { GrantStore, KeptGrant } from "../../src/grants/store.js";
import { type Answer, type GrantKey, toWitError, type WitError } from "../../src/wit.js";
import { Gate } from "../../src/worker/gate.js";
import { appImports } from "../../src/worker/imports.js";
import { Trees } from "../../src/worker/trees.js";
import { Streams } from "../../src/worker/wasi/stdio.js";
import type { Tree } from "./case.js";
import { type Fault, Faults } from "./faults.js";
import * as opfs from "./opfs.js";
import { stopClock, Suspensions } from "./suspensions.js";

/** What a step comes to: its answer, or the name of its error. */
export type Done = { tag: "ok"; val: string[] } | { tag: "err"; val: string };

/** A step of a plan, and what it should come to; when that is missing, it only must not fail. */
export interface PlannedStep {
  line: string;
  verb: string;
  words: string[];
  wanted: Done | undefined;
}

/** Where a case has its folders: on this computer, or in the origin's private file system. */
export type Place = "local" | "opfs";

interface Exports {
  steps: { step(verb: string, words: string[]): Promise<Done> };
}

interface AppModule {
  instantiate(core: (name: string) => Promise<WebAssembly.Module>, imports: object): Promise<Exports>;
}

const compiled = new Map<string, Promise<WebAssembly.Module>>();
const core = (name: string) => {
  if (!compiled.has(name)) compiled.set(name, WebAssembly.compileStreaming(fetch(new URL(name, import.meta.url))));
  return compiled.get(name)!;
};

/** Keeps grants for as long as a case. */
function memory(): GrantStore {
  const kept = new Map<string, [GrantKey, KeptGrant]>();
  const slot = ({ path, id }: GrantKey) => JSON.stringify([path, id]);
  return {
    get: async (key) => kept.get(slot(key))?.[1],
    set: async (key, grant) => void kept.set(slot(key), [key, grant]),
    delete: async (key) => kept.delete(slot(key)),
    list: async () => [...kept.values()],
  };
}

async function answer<T>(value: Promise<T>): Promise<Answer<T>> {
  return value.then(
    (ok) => ({ ok }),
    (error: unknown) => ({ error: toWitError(error) }),
  );
}

let local: FileSystemDirectoryHandle;
/** Holds the folders of the case. */
let base: FileSystemDirectoryHandle;
let chosen: FileSystemDirectoryHandle | undefined;
let exports: Exports;
let faults: Faults | undefined;
let suspensions: Suspensions | undefined;
/** The number of the line that is being done. */
let reached = 0;

/** Whether a report tells of something that is not done. */
const tells = ({ tag, val }: Done) => tag === "err" || val.some((word) => /^(failure|conflict)=/.test(word));

const worker = {
  /** The page got this folder of the computer, for all cases. */
  give(folder: FileSystemDirectoryHandle): void {
    local = folder;
  },

  /** The place of the next case's folders: a directory of this name. */
  async at(place: Place, name: string): Promise<void> {
    const top = place === "local" ? local : await navigator.storage.getDirectory();
    base = await top.getDirectoryHandle(name, { create: place === "opfs" });
  },

  /** A fresh instance, whose user has granted nothing. */
  async start(): Promise<void> {
    const user = {
      question: "choose" as const,
      needsActivation: false,
      silent: true,
      async open() {
        if (!chosen) throw { tag: "denied" } satisfies WitError;
        return chosen;
      },
    };
    const nobody = { ask: () => Promise.reject(new Error("nobody is to be asked in a dialog")) };
    const grants = new Grants(memory(), nobody, user);
    const trees = new Trees(
      {
        acquire: (key, access, startIn, by) => answer(grants.acquire(key, access, startIn, by)),
        withdraw: (key) => grants.withdraw(key),
        forget: (key) => answer(grants.forget(key)),
        dirty: () => {},
        recoverable: () => {},
        progress: () => {},
        mountsChanged: () => {},
      },
      { changed: () => {}, taken: () => {} },
    );
    const program = { args: [], env: [], cwd: undefined };
    const streams = new Streams({ read: async () => null, write: async () => {} });
    const imports = { ...appImports({ program, streams }, trees.interface()), "mountfs:gate": new Gate() };
    const app = (await import(new URL("app.js", import.meta.url).href)) as AppModule;
    exports = await app.instantiate(core, imports);
  },

  /** The folder the user chooses from now on; none, when they say no. */
  async choose(folder: string | undefined): Promise<void> {
    chosen = folder === undefined ? undefined : await base.getDirectoryHandle(folder);
  },

  /** Does a step of the guest. Throws for one that there is not, and for a trap. */
  async step(verb: string, words: string[]): Promise<Done> {
    try {
      return await exports.steps.step(verb, words);
    } catch (error) {
      throw new Error(String((error as { payload?: unknown }).payload ?? error));
    }
  },

  /** Does a step of the guest that may be nonsense. Throws for a trap. */
  async attempt(verb: string, words: string[]): Promise<Done> {
    try {
      return await exports.steps.step(verb, words);
    } catch (error) {
      const said = typeof error === "string" ? error : (error as { payload?: unknown }).payload;
      if (typeof said !== "string") throw error;
      return { tag: "err", val: `nonsense: ${said}` };
    }
  },

  /** Does the steps of a plan; answers the first that does not come to what it should. */
  async plan(steps: PlannedStep[]): Promise<{ line: string; done: Done } | undefined> {
    for (const { line, verb, words, wanted } of steps) {
      const done = await worker.step(verb, words);
      const right = wanted ? JSON.stringify(done) === JSON.stringify(wanted) : done.tag === "ok";
      if (!right) return { line, done };
    }
    return undefined;
  },

  /** Does the lines of a script, from one on; answers the number of the first that fails, and what it says. */
  async go(script: Pick<PlannedStep, "verb" | "words">[], from: number): Promise<{ at: number; said: string } | undefined> {
    for (reached = from; reached < script.length; reached++) {
      const { verb, words } = script[reached]!;
      const done = verb === "idle" ? await faults!.idle() : await worker.step(verb, words);
      if (done && tells(done)) return { at: reached, said: JSON.stringify(done.val) };
    }
    return undefined;
  },

  reached: () => reached,

  /** From now on the browser's calls are counted, and one of them fails. */
  arm: (fault?: Fault) => (faults ??= new Faults()).arm(fault),
  mend: () => faults!.mend(),

  /** From the next start on, suspensions are counted. */
  count: () => void (suspensions ??= new Suspensions()),
  /** How often the guest was suspended since this was asked last. */
  suspensions: () => suspensions!.take(),
  stopClock,

  fill: (folder: string, tree: Tree) => opfs.fill(base, folder, tree),
  outside: (words: string[]) => opfs.outside(base, words),
  text: (path: string) => opfs.text(base, path),
  tree: (folder: string) => opfs.tree(base, folder),
};

/** What the page calls. */
export type CaseWorker = typeof worker;

expose(worker);
