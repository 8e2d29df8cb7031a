// Below all code of ours: the File System API of this worker, in which one call fails as Chromium lets it fail. A fault
// is a kind and a number: the calls that may fail so are counted, and that one does.

/** What goes wrong. */
export interface Fault {
  kind: Kind;
  /** Which of the calls that can fail so, from 1. */
  call: number;
}

/** How a call fails: before it did anything, unless it says otherwise. */
const KINDS = {
  /** The user takes the permission back, for this call and all that come. */
  permission: { calls: /./, throws: () => refusal("NotAllowedError", "The request is not allowed in the current context.") },
  space: {
    calls: /create|write|truncate|close/,
    throws: () => refusal("QuotaExceededError", "The operation failed because it would exceed the storage quota."),
  },
  /** The disk does not read, or the snapshot is stale. */
  unreadable: {
    calls: /getFile$|arrayBuffer|stream/,
    throws: () => refusal("NotReadableError", "The requested file could not be read."),
  },
  /** The disk fails otherwise. */
  state: {
    calls: /removeEntry|create|write|truncate|close|next/,
    throws: () => refusal("InvalidStateError", "An operation that depends on state cached in an interface object."),
  },
  access: {
    calls: /create|next/,
    throws: () => refusal("NoModificationAllowedError", "The operation failed: the underlying filesystem is read-only."),
  },
  locked: {
    calls: /createWritable|removeEntry/,
    throws: () =>
      refusal("NoModificationAllowedError", "An attempt was made to modify an object where modifications are not allowed."),
  },
  /** For a moment nothing is under the name. */
  gone: {
    calls: /Handle$|getFile$|removeEntry|createWritable|next/,
    throws: () => refusal("NotFoundError", "A requested file or directory could not be found."),
  },
  aborted: {
    calls: /createWritable|close/,
    throws: () => refusal("AbortError", "Failed to create swap file."),
  },
  hang: { calls: /./, throws: () => undefined },
  /** It is done, and nobody is told. */
  unanswered: {
    calls: /:create|removeEntry|write|truncate|close/,
    throws: () => refusal("UnknownError", "The operation failed for an unknown transient reason."),
    done: true,
  },
} satisfies Record<string, { calls: RegExp; throws: () => DOMException | undefined; done?: boolean }>;

export type Kind = keyof typeof KINDS;
export const ALL_KINDS = Object.keys(KINDS) as Kind[];

function refusal(name: string, message: string): DOMException {
  return new DOMException(message, name);
}

/** The shortest time limit of calls: whoever waits that long for one that hangs need not. */
const PATIENCE = 5_000;
/** What is done a second later is done when a test says so. */
const LATER = 1_000;

type Function_ = (this: unknown, ...args: unknown[]) => unknown;

/** The File System API of a worker, once it is put in the place of the browser's. */
export class Faults {
  /** The fault that is to come; `undefined` when there is none. */
  #fault: Fault | undefined;
  /** The call that failed. */
  #failed: string | undefined;
  /** The calls counted, by kind; `undefined` while they are not. */
  #counts: Record<Kind, number> | undefined;
  #pending = 0;
  /** A call has just been made that hangs. */
  #hangs = false;
  #later: (() => void)[] = [];

  constructor() {
    const directory = FileSystemDirectoryHandle.prototype as unknown as Record<string, Function_>;
    for (const name of ["getFileHandle", "getDirectoryHandle"]) {
      this.#wrap(directory, name, (args) => ((args[1] as { create?: boolean })?.create ? `${name}:create` : name));
    }
    for (const name of ["removeEntry", "resolve"]) this.#wrap(directory, name);
    for (const name of ["getFile", "createWritable"]) this.#wrap(FileSystemFileHandle.prototype, name);
    for (const name of ["write", "truncate", "close", "abort"]) this.#wrap(FileSystemWritableFileStream.prototype, name);
    for (const name of ["arrayBuffer", "text"]) this.#wrap(Blob.prototype, name);
    this.#wrapEntries(directory);
    this.#wrapTimers();
  }

  /** From now on calls are counted, and the one of the fault fails. */
  arm(fault?: Fault): void {
    this.#fault = fault;
    this.#failed = undefined;
    this.#later.length = 0;
    this.#counts = Object.fromEntries(ALL_KINDS.map((kind) => [kind, 0])) as Record<Kind, number>;
  }

  /** The disk is well again. Answers what failed, and how many calls there were that can fail in each way. */
  mend(): { failed: string | undefined; counts: Record<Kind, number> } {
    const answer = { failed: this.#failed, counts: this.#counts! };
    this.#fault = this.#counts = undefined;
    return answer;
  }

  /** Lets a second pass: does what was to be done then, and waits for it. */
  async idle(): Promise<void> {
    this.#later.splice(0).forEach((work) => work());
    // What follows on an answer is begun before the next message.
    for (let quiet = 0; quiet < 3; quiet = this.#pending > 0 ? 0 : quiet + 1) {
      await new Promise<void>((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => (port1.close(), resolve());
        port2.postMessage(undefined);
      });
    }
  }

  #wrap(prototype: object, name: string, told: (args: unknown[]) => string = () => name): void {
    const original = Reflect.get(prototype, name) as Function_;
    const faults = this;
    Object.defineProperty(prototype, name, {
      configurable: true,
      value: function (this: unknown, ...args: unknown[]) {
        return faults.#call(told(args), () => original.apply(this, args) as Promise<unknown>);
      },
    });
  }

  #wrapEntries(directory: Record<string, Function_>): void {
    const original = directory["entries"]!;
    const faults = this;
    directory["entries"] = function (this: unknown) {
      const entries = original.apply(this) as AsyncIterableIterator<unknown>;
      return { next: () => faults.#call("next", () => entries.next()), [Symbol.asyncIterator]() { return this; } };
    };
  }

  #wrapTimers(): void {
    const original = setTimeout as (work: () => void, ms?: number) => number;
    globalThis.setTimeout = ((work: () => void, ms = 0) => {
      if (ms === LATER && this.#counts) return -this.#later.push(work);
      return original(work, ms >= PATIENCE && this.#hangs ? 0 : ms);
    }) as typeof setTimeout;
  }

  async #call(call: string, go: () => Promise<unknown>): Promise<unknown> {
    const throws = this.#counts && this.#next(call);
    this.#pending += throws === "never" ? 0 : 1;
    try {
      // The browser lets go of what is written in any case.
      const isDone = !throws || call === "abort" || this.#isDone();
      const answer = isDone && (await go());
      if (throws === "never") return await new Promise(() => {});
      if (throws) throw throws;
      return answer;
    } finally {
      this.#pending--;
    }
  }

  #isDone(): boolean {
    const { kind } = this.#fault!;
    return "done" in KINDS[kind];
  }

  /** What the call throws, or that it never answers; nothing when it does. */
  #next(call: string): DOMException | "never" | undefined {
    const counts = this.#counts!;
    for (const kind of ALL_KINDS) if (KINDS[kind].calls.test(call)) counts[kind]++;
    if (!this.#fault || !KINDS[this.#fault.kind].calls.test(call)) return undefined;
    const { kind, call: at } = this.#fault;
    if (counts[kind] !== at && !(kind === "permission" && counts[kind] > at)) return undefined;
    this.#failed ??= call;
    if (kind !== "hang") return KINDS[kind].throws();
    this.#hangs = true;
    queueMicrotask(() => (this.#hangs = false));
    return "never";
  }
}
