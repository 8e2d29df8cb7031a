// The life of the app around the component: what the page asks for while an instance ends, is replaced, or waits. The
// component is a small one of the tests' own, which keeps a table and holds grants as the real one does.
import { describe, expect, it, vi } from "vitest";
import { OpenTree } from "../src/files/tree.js";
import { App } from "../src/worker/app.js";
import type { Gate } from "../src/worker/gate.js";
import type { Granted, WindowSide } from "../src/protocol.js";
import type { Access, Answer, MountInfo, SyncReport, WitError } from "../src/wit.js";

interface Grant {
  root(): Promise<object>;
  label(): string;
  sync(): Promise<unknown>;
  [Symbol.dispose](): void;
}

interface Grants {
  acquire(key: { path: string; id: string }, access: Access, startIn: undefined): Promise<Grant>;
  revoke(key: { path: string; id: string }): Promise<boolean>;
}

const STDIO = { read: async () => null, write: async () => undefined };
const PROGRAM = { args: [], env: [], cwd: undefined };
const OPTIONS = { id: "mountfs", access: "read-write" } as const;
const FOLDER: Granted = { handle: {} as FileSystemDirectoryHandle, access: "read-write", label: "folder" };
const NOTHING: SyncReport = { files: 0n, bytes: 0n, removed: 0n, conflicts: [], failures: [] };
const KEY = { path: "/local", id: "mountfs" };

/** Something that happens when a test says so. */
function moment() {
  let now!: () => void;
  const come = new Promise<void>((resolve) => (now = resolve));
  return { come, now };
}

/** Until nothing is left to do but to wait: what has its turn between timers gets it. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setTimeout(resolve));
}

/** An app in a page whose user grants any folder, and how it is disturbed. */
function app() {
  const page = {
    /** What the user was asked for. */
    asked: [] as string[],
    /** On whose behalf. */
    by: [] as string[],
    /** The grants of which it was said that the mount failed. */
    withdrawn: [] as string[],
    mounts: [] as MountInfo[],
    /** What one run does. */
    run: async (_gate: Gate, _mount: (path: string) => Promise<unknown>): Promise<void> => undefined,
    /** The same, of an app that mounts and syncs for itself. */
    own: undefined as undefined | ((mounts: { mount(path: string, options: object): Promise<unknown>; sync(path: string): Promise<unknown> }) => Promise<void>),
    /** What is waited for in the component before a mount, before it lets go of a folder, and before it is there. */
    mounting: Promise.resolve() as Promise<unknown>,
    syncing: Promise.resolve() as Promise<unknown>,
    loading: Promise.resolve() as Promise<unknown>,
    grant: async (): Promise<Answer<Granted>> => ({ ok: FOLDER }),
    forget: async (): Promise<Answer<boolean>> => ({ ok: true }),
  };
  const window: WindowSide = {
    async acquire({ path, id }, _access, _startIn, by) {
      page.asked.push(`${path} ${id}`);
      page.by.push(by);
      return await page.grant();
    },
    withdraw: async ({ path, id }) => void page.withdrawn.push(`${path} ${id}`),
    forget: () => page.forget(),
    dirty: () => undefined,
    recoverable: () => undefined,
    progress: () => undefined,
    mountsChanged: (mounts) => void (page.mounts = mounts),
  };
  const instantiate = async (_: unknown, imports: object) => {
    await page.loading;
    const gate = (imports as Record<string, Gate>)["mountfs:gate"]!;
    const grants = (imports as Record<string, Grants>)["mountfs:fs/grants"]!;
    const table = new Map<string, { id: string; access: Access; grant: Grant }>();
    const there = (path: string) => {
      const mount = table.get(path);
      if (!mount) throw { tag: "not-mounted" } satisfies WitError;
      return mount;
    };
    const mounts = {
      async mount(path: string, { id = "mountfs", access = "read-write" as Access }) {
        await page.mounting;
        if (!table.has(path)) table.set(path, { id, access, grant: await grants.acquire({ path, id }, access, undefined) });
        return { path, id, access, label: there(path).grant.label() };
      },
      async sync(path: string) {
        try {
          return (await there(path).grant.sync()) as never;
        } catch (error) {
          table.delete(path);
          throw error;
        }
      },
      async unmount(path: string) {
        const { grant } = there(path);
        await page.syncing;
        table.delete(path);
        grant[Symbol.dispose]();
        return undefined as never;
      },
      revoke: (path: string, id: string) => grants.revoke({ path, id }),
      mounted: async () => [],
    };
    return { run: { run: () => page.own?.(mounts) ?? page.run(gate, (path) => mounts.mount(path, {})) }, mounts };
  };
  return { page, app: new App({ instantiate }, async () => ({}) as WebAssembly.Module, window) };
}

describe("a run that ends", () => {
  it("leaves the page's unmount its time: what is unmounted stays so", async () => {
    const { page, app: it } = app();
    await it.mount("/local", OPTIONS);
    const [synced, over] = [moment(), moment()];
    [page.syncing, page.run] = [synced.come, () => over.come];
    const run = it.run(PROGRAM, STDIO);
    await settled();
    const unmount = it.unmount("/local");
    await settled();
    over.now();
    await settled();
    synced.now();
    expect([await unmount, await run]).toMatchObject([{ ok: undefined }, { ok: { code: 0 } }]);
    expect(await it.mounted()).toEqual({ ok: [] });
    expect(page.mounts).toEqual([]);
  });

  it("lets in who waits for its turn, also when the app ended inside the component", async () => {
    const { page, app: it } = app();
    await it.mount("/local", OPTIONS);
    const over = moment();
    page.run = async (gate) => {
      gate.enter();
      await over.come;
      throw new Error("unreachable");
    };
    const run = it.run(PROGRAM, STDIO);
    await settled();
    const unmount = it.unmount("/local");
    await settled();
    over.now();
    expect([await unmount, await run]).toMatchObject([{ ok: undefined }, { ok: { code: 134, trap: "unreachable" } }]);
    expect(await it.mounted()).toEqual({ ok: [] });
  });

  it("does not ask for a folder again that is taken back meanwhile", async () => {
    const { page, app: it } = app();
    await it.mount("/local", OPTIONS);
    const [over, synced, loaded] = [moment(), moment(), moment()];
    [page.run, page.loading] = [() => over.come, loaded.come];
    const run = it.run(PROGRAM, STDIO);
    await settled();
    vi.spyOn(OpenTree.prototype, "sync").mockImplementationOnce(async () => (await synced.come, NOTHING));
    const revoke = it.revoke(KEY.path, KEY.id);
    await settled();
    over.now();
    expect(await run).toMatchObject({ ok: { code: 0 } });
    // Between the two instances.
    synced.now();
    expect(await revoke).toEqual({ ok: true });
    loaded.now();
    expect([await it.mounted(), page.asked]).toEqual([{ ok: [] }, ["/local mountfs"]]);
  });
});

describe("a revoke", () => {
  it("is done also when the app cannot be loaded again", async () => {
    const { page, app: it } = app();
    await it.mount("/local", OPTIONS);
    page.loading = Promise.reject(new Error("no memory"));
    await it.run(PROGRAM, STDIO);
    expect(await it.mounted()).toMatchObject({ error: { tag: "other", val: "no memory" } });
    const end = vi.spyOn(OpenTree.prototype, "end");
    expect(await it.revoke(KEY.path, KEY.id)).toEqual({ ok: true });
    expect(end).toHaveBeenCalledOnce();
  });

  it("during a sync of the app is denied to it, not a list of what failed", async () => {
    const { page, app: it } = app();
    const synced = moment();
    const cut = { ...NOTHING, failures: [{ path: ".", reason: "the folder was taken back" }] };
    vi.spyOn(OpenTree.prototype, "sync").mockImplementationOnce(async () => (await synced.come, cut));
    let refused: unknown;
    page.own = async (mounts) => {
      await mounts.mount("/local", {});
      refused = await mounts.sync("/local").catch((error: unknown) => error);
    };
    const run = it.run(PROGRAM, STDIO);
    await settled();
    expect(await it.revoke(KEY.path, KEY.id)).toEqual({ ok: true });
    synced.now();
    await run;
    expect(refused).toEqual({ tag: "denied" });
  });

  it("is no failure of a run whose end it meets", async () => {
    const { page, app: it } = app();
    await it.mount("/local", OPTIONS);
    const [over, synced] = [moment(), moment()];
    page.run = () => over.come;
    const cut = { ...NOTHING, failures: [{ path: ".", reason: "the folder was taken back" }] };
    vi.spyOn(OpenTree.prototype, "sync").mockImplementationOnce(async () => (await synced.come, cut));
    const run = it.run(PROGRAM, STDIO);
    over.now();
    await settled();
    expect(await it.revoke(KEY.path, KEY.id)).toEqual({ ok: true });
    synced.now();
    expect(await run).toEqual({ ok: { code: 0, synced: NOTHING } });
  });

  it("says what could not be synced, even when the grant cannot be forgotten", async () => {
    const { page, app: it } = app();
    await it.mount("/local", OPTIONS);
    const left = { ...NOTHING, failures: [{ path: "a", reason: "no space" }] };
    vi.spyOn(OpenTree.prototype, "sync").mockImplementationOnce(async () => left);
    page.forget = async () => ({ error: { tag: "other", val: "no database" } });
    expect(await it.revoke(KEY.path, KEY.id)).toEqual({ error: { tag: "incomplete", val: left } });
    expect(await it.mounted()).toEqual({ ok: [] });
  });
});

describe("a mount of the page", () => {
  it("that hangs does not keep the app from asking ever after", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const { page, app: it } = app();
      page.mounting = new Promise(() => undefined);
      const hung = it.mount("/hung", OPTIONS);
      await settled();
      await vi.advanceTimersByTimeAsync(6000);
      expect(await hung).toMatchObject({ error: { val: "the app does not answer any more" } });
      page.mounting = Promise.resolve();
      page.run = async (_, mount) => void (await mount("/own"));
      expect(await it.run(PROGRAM, STDIO)).toMatchObject({ ok: { code: 0 } });
      expect(await it.mounted()).toMatchObject({ ok: [{ path: "/own" }] });
    } finally {
      vi.useRealTimers();
    }
  });

  it("that fails after its folder was granted leaves nothing behind", async () => {
    const { page, app: it } = app();
    const end = vi.spyOn(OpenTree.prototype, "end");
    // Nobody is asked in the component, and then it fails.
    const full: WitError = { tag: "other", val: "full" };
    let times = 0;
    Object.defineProperty(page, "mounting", { get: async () => times++ && Promise.reject(full) });
    expect(await it.mount("/local", OPTIONS)).toEqual({ error: full });
    expect([page.asked, page.withdrawn]).toEqual([["/local mountfs"], ["/local mountfs"]]);
    expect(end).toHaveBeenCalledOnce();
    expect(await it.mounted()).toEqual({ ok: [] });
  });

  it("says that it is the page's, and the app's own that it is the app's", async () => {
    const { page, app: it } = app();
    await it.mount("/page", OPTIONS);
    page.run = async (_, mount) => void (await mount("/own"));
    await it.run(PROGRAM, STDIO);
    expect(page.by).toEqual(["page", "app"]);
  });

  it("is denied when the folder is taken back before it is mounted, and nobody is asked once more", async () => {
    const { page, app: it } = app();
    const [granted, left] = [moment(), moment()];
    page.grant = async () => (await granted.come, { ok: FOLDER });
    page.run = async (gate) => {
      gate.enter();
      await left.come;
      gate.leave();
    };
    const mount = it.mount("/local", OPTIONS);
    await settled();
    // While the user thinks, the app goes into the component, and stays there for a while.
    const run = it.run(PROGRAM, STDIO);
    await settled();
    granted.now();
    await settled();
    expect(await it.revoke(KEY.path, KEY.id)).toEqual({ ok: true });
    left.now();
    expect(await mount).toEqual({ error: { tag: "denied" } });
    expect(await run).toMatchObject({ ok: { code: 0 } });
    expect([page.asked, await it.mounted()]).toEqual([["/local mountfs"], { ok: [] }]);
  });
});
