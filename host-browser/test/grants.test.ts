import { describe, expect, it, vi } from "vitest";
import { Grants } from "../src/grants/grants.js";
import type { Provider } from "../src/grants/provider.js";
import type { GrantDialog, Question } from "../src/grants/question.js";
import type { GrantStore, KeptGrant } from "../src/grants/store.js";
import type { GrantKey, WitError } from "../src/wit.js";

const UNANSWERED = "the browser does not answer where grants are kept; close its other windows, or start it again";
const KEY: GrantKey = { path: "/local", id: "mountfs" };

/** A folder whose permission is what a test says. */
class Folder {
  readonly kind = "directory";
  readonly asked: FileSystemPermissionMode[] = [];
  /** How often the browser refuses to ask, as it does before it has heard of a click. */
  deaf = 0;

  constructor(
    readonly name: string,
    public state: Record<"read" | "readwrite", PermissionState>,
    private readonly answer: PermissionState = "granted",
  ) {}

  async isSameEntry(other: unknown): Promise<boolean> {
    return other instanceof Folder && other.name === this.name;
  }

  async queryPermission({ mode = "read" }: FileSystemHandlePermissionDescriptor): Promise<PermissionState> {
    return this.state[mode];
  }

  async requestPermission({ mode = "read" }: FileSystemHandlePermissionDescriptor): Promise<PermissionState> {
    this.asked.push(mode);
    if (this.deaf-- > 0) throw thrown("SecurityError");
    if (this.answer === "granted") this.state = { ...this.state, [mode]: "granted" };
    return this.answer;
  }
}

const handle = (folder: Folder) => folder as unknown as FileSystemDirectoryHandle;
const open = { read: "granted", readwrite: "granted" } as const;
const lapsed = { read: "prompt", readwrite: "prompt" } as const;

class Memory implements GrantStore {
  readonly kept = new Map<string, KeptGrant>();
  writes = 0;
  get = async (key: GrantKey) => this.kept.get(JSON.stringify(key));
  set = async (key: GrantKey, grant: KeptGrant) => {
    this.writes += 1;
    this.kept.set(JSON.stringify(key), grant);
  };
  delete = async (key: GrantKey) => this.kept.delete(JSON.stringify(key));
  list = async () => [...this.kept].map(([key, grant]): [GrantKey, KeptGrant] => [JSON.parse(key), grant]);
}

/** A dialog whose user says yes, or what a test says. */
function dialog(refusal?: WitError): GrantDialog & { questions: Question[] } {
  const questions: Question[] = [];
  return {
    questions,
    ask: async (question, act) => {
      questions.push(question);
      if (refusal) throw refusal;
      return await act();
    },
  };
}

function picker(pick: () => Promise<Folder>): Provider & { picks: number } {
  const provider = {
    picks: 0,
    question: "choose" as const,
    needsActivation: true,
    silent: false,
    open: async () => {
      provider.picks += 1;
      return handle(await pick());
    },
  };
  return provider;
}

const thrown = (name: string) => new DOMException("refused", name);

describe("a new grant", () => {
  it("opens the picker at once after a click, without a dialog", async () => {
    const [asks, provider, store] = [dialog(), picker(async () => new Folder("project", open)), new Memory()];
    const granted = await new Grants(store, asks, provider, () => true).acquire(KEY, "read-write");
    expect(granted).toMatchObject({ access: "read-write", label: "project" });
    expect(asks.questions).toEqual([]);
    expect(await store.get(KEY)).toMatchObject({ access: "read-write", label: "project" });
  });

  it("asks for the click it needs when there was none", async () => {
    const asks = dialog();
    await new Grants(new Memory(), asks, picker(async () => new Folder("project", open)), () => false).acquire(KEY, "read");
    expect(asks.questions).toEqual([{ kind: "choose", key: KEY, access: "read" }]);
  });

  it("asks for the click when the browser says that the last one is too old", async () => {
    let first = true;
    const provider = picker(async () => {
      if (first) {
        first = false;
        throw thrown("SecurityError");
      }
      return new Folder("project", open);
    });
    const asks = dialog();
    await new Grants(new Memory(), asks, provider, () => true).acquire(KEY, "read");
    expect([asks.questions.length, provider.picks]).toEqual([1, 2]);
  });

  it.each([
    ["opens once more when the browser has not heard of the click yet", 1, true, 2, undefined],
    ["is refused when it is refused twice", 2, true, 2, "denied"],
    ["is refused at once when there was no click", 1, false, 1, "denied"],
  ])("the browser's picker %s", async (_, refusals, isActive, picks, tag) => {
    vi.stubGlobal("navigator", { userActivation: { isActive } });
    vi.stubGlobal("showDirectoryPicker", async () => {
      if (++picked <= refusals) throw thrown("NotAllowedError");
      return handle(new Folder("project", open));
    });
    vi.resetModules();
    let picked = 0;
    try {
      const { provider } = await import("../src/grants/provider.js");
      const acquired = new Grants(new Memory(), dialog(), provider("local"), () => true).acquire(KEY, "read");
      const outcome = await acquired.then(() => undefined, (error: WitError) => error.tag);
      expect([outcome, picked]).toEqual([tag, picks]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it.each([
    ["a closed picker", "AbortError", "cancelled"],
    ["a browser that forbids it", "NotAllowedError", "denied"],
    ["a missing click, even in the dialog", "SecurityError", "needs-user-activation"],
    ["anything else", "DataError", "other"],
  ])("settles with its own error: %s", async (_, name, tag) => {
    const store = new Memory();
    const provider = picker(async () => Promise.reject(thrown(name)));
    await expect(new Grants(store, dialog(), provider, () => true).acquire(KEY, "read")).rejects.toMatchObject({ tag });
    expect(store.kept.size).toBe(0);
  });

  it.each(["cancelled", "denied"] as const)("settles with the dialog's answer: %s", async (tag) => {
    const provider = picker(async () => new Folder("project", open));
    const grants = new Grants(new Memory(), dialog({ tag }), provider, () => false);
    await expect(grants.acquire(KEY, "read")).rejects.toEqual({ tag });
    expect(provider.picks).toBe(0);
  });

  it("is not given to a mount whose grant is taken back while it is being kept", async () => {
    const store = new Memory();
    const { promise: written, resolve } = Promise.withResolvers<void>();
    const { set } = store;
    let begun = false;
    store.set = async (key, grant) => {
      begun = true;
      await written;
      await set(key, grant);
    };
    const grants = new Grants(store, dialog(), picker(async () => new Folder("project", open)), () => true);
    const acquired = grants.acquire(KEY, "read-write").catch((error: unknown) => error);
    await vi.waitFor(() => expect(begun).toBe(true));
    const forgotten = grants.forget(KEY);
    resolve();
    expect([await acquired, await forgotten, store.kept.size]).toEqual([{ tag: "denied" }, true, 0]);
  });

  it.each(["get", "set"] as const)("keeps nobody waiting for a store whose %s never answers", async (call) => {
    vi.useFakeTimers();
    try {
      const store = new Memory();
      store[call] = () => new Promise<never>(() => {});
      const grants = new Grants(store, dialog(), picker(async () => new Folder("project", open)));
      grants.offer(KEY, handle(new Folder("project", open)));
      const acquired = grants.acquire(KEY, "read-write").catch((error: unknown) => error);
      const settled = acquired.then(() => grants.settled());
      await vi.advanceTimersByTimeAsync(30_000);
      await settled;
      // What is not kept is asked for again, and that is all.
      expect(await acquired).toMatchObject(call === "get" ? { tag: "other", val: UNANSWERED } : { label: "project" });
    } finally {
      vi.useRealTimers();
    }
  });

  it("asks one question at a time, and goes on after a refusal", async () => {
    const order: string[] = [];
    const asks: GrantDialog = {
      ask: async ({ key }, act) => {
        order.push(`ask ${key.path}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push(`answer ${key.path}`);
        if (key.path === "/a") throw { tag: "denied" };
        return await act();
      },
    };
    const grants = new Grants(new Memory(), asks, picker(async () => new Folder("project", open)), () => false);
    const both = ["/a", "/b"].map((path) => grants.acquire({ path, id: "x" }, "read"));
    const [a, b] = await Promise.allSettled(both);
    expect([a?.status, b?.status]).toEqual(["rejected", "fulfilled"]);
    expect(order).toEqual(["ask /a", "answer /a", "ask /b", "answer /b"]);
  });

  it("never takes the click that answered one question for the wish for another folder", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const [asks, provider] = [dialog({ tag: "denied" }), picker(async () => new Folder("project", open))];
      let active = false;
      const grants = new Grants(new Memory(), asks, provider, () => active);
      await expect(grants.acquire(KEY, "read-write")).rejects.toEqual({ tag: "denied" });
      active = true;
      await expect(grants.acquire(KEY, "read-write")).rejects.toEqual({ tag: "denied" });
      expect([asks.questions.length, provider.picks]).toEqual([2, 0]);
      // By now it is another click.
      vi.advanceTimersByTime(6000);
      await grants.acquire(KEY, "read-write");
      expect([asks.questions.length, provider.picks]).toEqual([2, 1]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a kept grant", () => {
  async function kept(folder: Folder, access: "read" | "read-write" = "read-write", active = false, refusal?: WitError) {
    const [store, asks, provider] = [new Memory(), dialog(refusal), picker(async () => new Folder("other", open))];
    await store.set(KEY, { handle: handle(folder), access, label: folder.name });
    return { store, asks, provider, grants: new Grants(store, asks, provider, () => active) };
  }

  it("is used without a word while its permission lasts", async () => {
    const folder = new Folder("project", open);
    const { grants, asks, provider } = await kept(folder);
    expect((await grants.acquire(KEY, "read-write")).handle).toBe(folder);
    expect([asks.questions, provider.picks, folder.asked]).toEqual([[], 0, []]);
  });

  it("is written only when it changes", async () => {
    const folder = new Folder("project", open);
    const { grants, store } = await kept(folder, "read");
    store.writes = 0;
    await grants.acquire(KEY, "read");
    grants.offer(KEY, handle(new Folder("project", open)));
    await grants.acquire(KEY, "read");
    await grants.withdraw(KEY);
    expect(store.writes).toBe(0);
    await grants.acquire(KEY, "read-write");
    await grants.acquire(KEY, "read");
    expect(store.writes).toBe(1);
    expect(await store.get(KEY)).toEqual({ handle: handle(folder), access: "read-write", label: "project" });
  });

  it("is not put back by a mount that failed and had changed nothing", async () => {
    const { grants, store } = await kept(new Folder("project", open));
    const offer = grants.offer(KEY, handle(new Folder("dropped", open)));
    await grants.acquire(KEY, "read-write");
    offer.withdraw();
    await grants.acquire(KEY, "read-write");
    await grants.withdraw(KEY);
    expect(await store.get(KEY)).toMatchObject({ label: "dropped" });
  });

  it("is used while the user is asked for another one", async () => {
    const folder = new Folder("project", open);
    const { grants, asks, provider } = await kept(folder);
    let answer!: (folder: Folder) => void;
    provider.open = async () => handle(await new Promise<Folder>((resolve) => (answer = resolve)));
    const other = grants.acquire({ ...KEY, path: "/other" }, "read");
    expect((await grants.acquire(KEY, "read-write")).handle).toBe(folder);
    expect(asks.questions.map(({ key }) => key.path)).toEqual(["/other"]);
    answer(new Folder("other", open));
    expect(await other).toMatchObject({ label: "other" });
  });

  it("is asked for again when it lapsed: the same folder, in one click, never a new choice", async () => {
    const folder = new Folder("project", { ...lapsed });
    const { grants, asks, provider } = await kept(folder);
    expect((await grants.acquire(KEY, "read-write")).handle).toBe(folder);
    expect(asks.questions).toEqual([{ kind: "again", key: KEY, access: "read-write", label: "project" }]);
    expect([provider.picks, folder.asked]).toEqual([0, ["readwrite"]]);
  });

  it("is asked for again without a dialog right after a click", async () => {
    const folder = new Folder("project", { ...lapsed });
    const { grants, asks } = await kept(folder, "read-write", true);
    await grants.acquire(KEY, "read");
    expect([asks.questions, folder.asked]).toEqual([[], ["read"]]);
  });

  it.each([
    ["once more when the browser has not heard of the click yet", 1, 0],
    ["in the dialog when the browser says that the last click is too old", 2, 1],
  ])("is asked for %s", async (_, deaf, questions) => {
    const folder = Object.assign(new Folder("project", { ...lapsed }), { deaf });
    const { grants, asks } = await kept(folder, "read-write", true);
    expect((await grants.acquire(KEY, "read-write")).handle).toBe(folder);
    expect([asks.questions.length, folder.asked.length]).toEqual([questions, deaf + 1]);
  });

  it("is widened on the same folder, and stays wide", async () => {
    const folder = new Folder("project", { read: "granted", readwrite: "prompt" });
    const { grants, store, provider } = await kept(folder, "read");
    await grants.acquire(KEY, "read-write");
    await grants.acquire(KEY, "read");
    expect([folder.asked, provider.picks]).toEqual([["readwrite"], 0]);
    expect(await store.get(KEY)).toMatchObject({ access: "read-write" });
  });

  it.each(["prompt", "denied"] as const)("is denied when the browser's answer is %s, and is kept", async (answer) => {
    const { grants, store } = await kept(new Folder("project", { ...lapsed }, answer), "read-write", true);
    await expect(grants.acquire(KEY, "read-write")).rejects.toEqual({ tag: "denied" });
    expect(store.kept.size).toBe(1);
  });

  it("is not waited for until it is kept, but by whoever reads what is", async () => {
    const { grants, store } = await kept(new Folder("project", open), "read");
    const written = Promise.withResolvers<void>();
    store.set = async (key, grant) => {
      await written.promise;
      store.kept.set(JSON.stringify(key), grant);
    };
    await grants.acquire(KEY, "read-write");
    const list = grants.list();
    const forgotten = grants.forget(KEY);
    written.resolve();
    expect(await list).toMatchObject([{ access: "read-write" }]);
    expect(await forgotten).toBe(true);
    expect(store.kept.size).toBe(0);
  });

  it("is asked for again if it cannot be kept, and the console says so", async () => {
    const { grants, store } = await kept(new Folder("project", open), "read");
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    store.set = async () => {
      throw thrown("QuotaExceededError");
    };
    expect(await grants.acquire(KEY, "read-write")).toMatchObject({ label: "project" });
    expect(await grants.list()).toMatchObject([{ access: "read" }]);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining("asked for /local again"), expect.any(DOMException));
    warn.mockRestore();
  });

  it("is forgotten once", async () => {
    const { grants } = await kept(new Folder("project", open));
    expect([await grants.forget(KEY), await grants.forget(KEY)]).toEqual([true, false]);
  });

  it("gives way to a folder that the page has", async () => {
    const { grants } = await kept(new Folder("project", open));
    const dropped = new Folder("dropped", open);
    const offer = grants.offer(KEY, handle(dropped));
    expect((await grants.acquire(KEY, "read")).handle).toBe(dropped);
    offer.withdraw();
    expect((await grants.acquire(KEY, "read")).handle).toBe(dropped);
    const granted = { ...KEY, access: "read", label: "dropped", state: "granted", private: false };
    expect(await grants.list()).toEqual([granted]);
  });

  it("stays when the folder that the page has is not used, or not allowed", async () => {
    const { grants, store } = await kept(new Folder("project", open), "read-write", true);
    const offer = grants.offer(KEY, handle(new Folder("refused", { ...lapsed }, "denied")));
    await expect(grants.acquire(KEY, "read-write")).rejects.toEqual({ tag: "denied" });
    offer.withdraw();
    expect(await store.get(KEY)).toMatchObject({ label: "project" });
  });
});

describe("an app that asks again and again", () => {
  const at = (path: string): GrantKey => ({ path, id: "mountfs" });
  /** A user who says what is next in the list. */
  function user(...says: ("cancelled" | "denied" | "yes" | "SecurityError")[]) {
    const asked: string[] = [];
    const asks: GrantDialog = {
      ask: async ({ key }, act) => {
        asked.push(key.path);
        const answer = says.shift() ?? "denied";
        if (answer === "yes") return await act();
        throw answer === "SecurityError" ? thrown(answer) : { tag: answer };
      },
    };
    const store = new Memory();
    const grants = new Grants(store, asks, picker(async () => new Folder("project", open)), () => false);
    const ask = (path: string, by: "app" | "page" = "app") =>
      grants.acquire(at(path), "read", undefined, by).then(() => "granted", ({ tag }: WitError) => tag);
    return { asked, ask, grants, store };
  }

  it.each([
    ["denied", "denied", "denied"],
    ["cancelled", "denied", "cancelled"],
  ] as const)("is refused without a question after three times no: %s, %s, %s", async (...says) => {
    const { asked, ask } = user(...says);
    const answers = [];
    for (const path of ["/1", "/2", "/3", "/4", "/1", "/5"]) answers.push(await ask(path));
    expect(answers).toEqual([...says, "denied", "denied", "denied"]);
    expect(asked).toEqual(["/1", "/2", "/3"]);
  });

  it("is refused at once also after it asked while another question was open", async () => {
    const { asked, ask } = user();
    expect(await Promise.all(["/1", "/2", "/3", "/4", "/5"].map((path) => ask(path)))).toEqual(Array(5).fill("denied"));
    expect(asked).toEqual(["/1", "/2", "/3"]);
  });

  it("is asked for again after a yes, from the first time no on", async () => {
    const { asked, ask } = user("denied", "denied", "yes", "denied", "denied", "denied", "yes");
    for (const path of ["/1", "/2", "/3", "/4", "/5", "/6", "/7"]) await ask(path);
    expect(asked).toEqual(["/1", "/2", "/3", "/4", "/5", "/6"]);
  });

  it("is asked for again after the page was given a folder, which the user is asked for all the same", async () => {
    const { asked, ask } = user("denied", "denied", "denied", "denied", "yes", "denied");
    for (const path of ["/1", "/2", "/3", "/4"]) await ask(path);
    expect(await ask("/page", "page")).toBe("denied");
    expect(await ask("/5")).toBe("denied");
    expect(await ask("/page", "page")).toBe("granted");
    await ask("/6");
    expect(asked).toEqual(["/1", "/2", "/3", "/page", "/page", "/6"]);
  });

  it("keeps what it was granted before, and is not trusted more for mounting that", async () => {
    const { asked, ask } = user("yes", "denied", "denied", "denied");
    for (const path of ["/kept", "/1", "/2", "/3"]) await ask(path);
    expect([await ask("/kept"), await ask("/4")]).toEqual(["granted", "denied"]);
    expect(asked).toEqual(["/kept", "/1", "/2", "/3"]);
  });

  it("is not blamed for what the user did not answer", async () => {
    const { asked, ask, grants } = user("SecurityError", "SecurityError", "SecurityError", "yes");
    for (const path of ["/1", "/2", "/3"]) expect(await ask(path)).toBe("needs-user-activation");
    // Taken back before it was answered.
    for (const path of ["/a", "/b", "/c"]) {
      const asked = ask(path);
      await grants.forget(at(path));
      expect(await asked).toBe("denied");
    }
    expect(await ask("/4")).toBe("granted");
    expect(asked).toEqual(["/1", "/2", "/3", "/4"]);
  });

  it("may ask again in a fresh worker", async () => {
    const { asked, ask, grants } = user();
    for (const path of ["/1", "/2", "/3", "/4"]) await ask(path);
    grants.dismiss();
    await ask("/5");
    expect(asked).toEqual(["/1", "/2", "/3", "/5"]);
  });

  it.each([
    ["invalid-id", { path: "/local", id: "" }],
    ["invalid-id", { path: "/local", id: "a".repeat(33) }],
    ["invalid-id", { path: "/local", id: "a\nb" }],
    ["invalid-id", { path: "/local", id: "\u202e" }],
    ["invalid-path", { path: "local", id: "x" }],
    ["invalid-path", { path: "", id: "x" }],
    ["invalid-path", { path: "/a\0b", id: "x" }],
    ["invalid-path", { path: "/a//b", id: "x" }],
    ["invalid-path", { path: "/a/../b", id: "x" }],
    ["invalid-path", { path: "/a/", id: "x" }],
    ["invalid-path", { path: `/${"n/".repeat(10_000_000)}n`, id: "x" }],
  ])("that asks without the component, for no key, is told so and nobody is asked: %s", async (tag, key) => {
    const { asked, grants, store } = user("yes");
    await expect(grants.acquire(key, "read", undefined, "app")).rejects.toMatchObject({ tag });
    expect([asked, store.kept.size]).toEqual([[], 0]);
  });
});

describe("a mount of the page that failed after its grant", () => {
  it("leaves nothing behind, or what was kept before", async () => {
    const store = new Memory();
    const folders = [new Folder("first", open), new Folder("second", open)];
    const grants = new Grants(store, dialog(), picker(async () => folders[0]!), () => true);
    await grants.acquire(KEY, "read");
    await grants.withdraw(KEY);
    expect(store.kept.size).toBe(0);
    await grants.acquire(KEY, "read");
    grants.offer(KEY, handle(folders[1]!));
    await grants.acquire(KEY, "read-write");
    await grants.withdraw(KEY);
    expect(await store.get(KEY)).toMatchObject({ label: "first", access: "read" });
  });

  it("brings back nothing that was taken back meanwhile", async () => {
    const store = new Memory();
    const grants = new Grants(store, dialog(), picker(async () => new Folder("project", open)), () => true);
    await grants.acquire(KEY, "read");
    await grants.acquire(KEY, "read-write");
    await grants.forget(KEY);
    await grants.withdraw(KEY);
    expect(store.kept.size).toBe(0);
  });
});
