// `wasi:io` for files: streams that read and write nodes. The classes take any source and sink, so that whoever has
// other streams to give the same guest can give them with these.
import type { ErrorCode } from "../contract.js";

/** What went wrong with a stream: `wasi:io/error`. */
export class IoError {
  /** `code` is there when it was a file's stream. */
  constructor(
    private readonly text: string,
    readonly code?: ErrorCode,
  ) {}

  toDebugString(): string {
    return this.text;
  }
}

/** `wasi:filesystem/types.filesystem-error-code`. */
export function filesystemErrorCode(error: IoError): ErrorCode | undefined {
  return error instanceof IoError ? error.code : undefined;
}

/** `wasi:io/streams.stream-error`, as jco wants it thrown. */
export type StreamError = { tag: "last-operation-failed"; val: IoError } | { tag: "closed" };

/** Pollables that a guest may have: it polls a few at a time, and drops them. */
const MOST_POLLABLES = 10_000;

const pollables = new Set<Pollable>();

/** The guest is gone, and its pollables with it. */
export function abandonPollables(): void {
  pollables.forEach((pollable) => pollable[Symbol.dispose]());
}

/** `wasi:io/poll.pollable`. A guest that never drops one meets a trap: there is no error to tell it of. */
export class Pollable {
  /** `wait` gives what to wait for, or `undefined` when there is nothing; without it, it is always ready. */
  constructor(
    private readonly wait: () => Promise<unknown> | undefined = () => undefined,
    private readonly dropped: () => void = () => {},
  ) {
    if (pollables.size >= MOST_POLLABLES) {
      throw new Error(`the app has ${MOST_POLLABLES} pollables, and the host allows no more`);
    }
    pollables.add(this);
  }

  ready(): boolean {
    return this.wait() === undefined;
  }

  async block(): Promise<void> {
    for (let waiting = this.wait(); waiting; waiting = this.wait()) {
      await waiting.catch(() => {});
    }
  }

  [Symbol.dispose](): void {
    pollables.delete(this);
    this.dropped();
  }
}

/** Where an input stream's bytes come from. Errors are thrown as error codes. */
export interface Source {
  /** Up to `length` bytes, more than 0; none at the end. */
  read(length: number): Uint8Array | Promise<Uint8Array>;
  /** The stream was dropped. Must not wait for anything. */
  close?(): void;
}

/** Where an output stream's bytes go. Errors are thrown as error codes. */
export interface Sink {
  /** Takes bytes at once. */
  write(bytes: Uint8Array): void;
  /** How many bytes it takes now; with 0, `wait` says when it takes more. */
  room(): number;
  /** Settles when there may be room. */
  wait(): Promise<unknown> | undefined;
  /** The stream was dropped. Must not wait for anything. */
  close?(): void;
}

/** Why a stream fails whose guest does not ask before it writes. */
const TOO_MUCH = new Error("more was written than check-write allowed");

/** The most that one call moves. */
const MOST = 1024 * 1024;

/** `wasi:io/streams.input-stream`. */
export class InputStream {
  #closed = false;

  constructor(private readonly source: Source) {}

  /** For a file, "not blocking" is "waiting for nothing but the disk", as in POSIX. */
  read(length: bigint): Uint8Array | Promise<Uint8Array> {
    if (this.#closed) {
      throw closed();
    }
    if (length <= 0n) {
      return new Uint8Array(0);
    }
    const ended = (bytes: Uint8Array) => {
      if (bytes.length === 0) {
        this.#closed = true;
        throw closed();
      }
      return bytes;
    };
    const failed = (error: unknown): never => {
      this.#closed = true;
      throw failure(error);
    };
    let bytes;
    try {
      bytes = this.source.read(clamp(length));
    } catch (error) {
      return failed(error);
    }
    return bytes instanceof Promise ? bytes.catch(failed).then(ended) : ended(bytes);
  }

  blockingRead(length: bigint): Uint8Array | Promise<Uint8Array> {
    return this.read(length);
  }

  async skip(length: bigint): Promise<bigint> {
    return BigInt((await this.read(length)).length);
  }

  async blockingSkip(length: bigint): Promise<bigint> {
    return BigInt((await this.blockingRead(length)).length);
  }

  subscribe(): Pollable {
    return new Pollable();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.source.close?.();
  }
}

/** `wasi:io/streams.output-stream`. */
export class OutputStream {
  #closed = false;
  /** What the guest was told that it may write; more is not taken, lest memory fills with it. */
  #permitted = 0;
  /** The failure that the next call tells of. */
  #failed: { error: unknown } | undefined;

  constructor(private readonly sink: Sink) {}

  checkWrite(): bigint {
    this.#check();
    this.#permitted = this.#attempt(() => Math.min(MOST, this.sink.room()));
    return BigInt(this.#permitted);
  }

  write(bytes: Uint8Array): void {
    this.#check();
    this.#spend(bytes.length);
    this.#attempt(() => this.sink.write(bytes));
  }

  async blockingWriteAndFlush(bytes: Uint8Array): Promise<void> {
    this.#check();
    for (let start = 0; start < bytes.length;) {
      const room = await this.#room();
      this.write(bytes.subarray(start, start + room));
      start += room;
    }
  }

  /** What is written can be read at once, so there is nothing to begin, and nothing to wait for. */
  flush(): void {
    this.#check();
  }

  async blockingFlush(): Promise<void> {
    this.#check();
  }

  subscribe(): Pollable {
    return new Pollable(() => this.#wait());
  }

  writeZeroes(length: bigint): void {
    this.#check();
    this.#spend(length);
    this.#attempt(() => this.sink.write(new Uint8Array(Number(length))));
  }

  async blockingWriteZeroesAndFlush(length: bigint): Promise<void> {
    this.#check();
    if (length > BigInt(MOST)) {
      this.#fail(TOO_MUCH);
    }
    await this.blockingWriteAndFlush(new Uint8Array(Number(length)));
  }

  async splice(source: InputStream, length: bigint): Promise<bigint> {
    const room = this.checkWrite();
    const bytes = await source.read(room < length ? room : length);
    this.write(bytes);
    return BigInt(bytes.length);
  }

  async blockingSplice(source: InputStream, length: bigint): Promise<bigint> {
    this.#check();
    await this.#room();
    return this.splice(source, length);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.sink.close?.();
  }

  /** What to wait for, if there is no room: after a failure there is nothing, and the next call tells of it. */
  #wait(): Promise<unknown> | undefined {
    if (this.#closed || this.#failed) {
      return undefined;
    }
    try {
      return this.sink.room() > 0 ? undefined : this.sink.wait();
    } catch (error) {
      this.#failed = { error };
      return undefined;
    }
  }

  /** Waits for room. */
  async #room(): Promise<number> {
    for (;;) {
      const room = Number(this.checkWrite());
      if (room > 0) {
        return room;
      }
      await this.sink.wait()?.catch(() => {});
    }
  }

  /** Where WASI has a trap, the stream fails: a trap would take the page's own calls along. */
  #spend(length: number | bigint): void {
    if (length > this.#permitted) {
      this.#fail(TOO_MUCH);
    }
    this.#permitted -= Number(length);
  }

  #check(): void {
    if (this.#failed) {
      this.#fail(this.#failed.error);
    }
    if (this.#closed) {
      throw closed();
    }
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      return this.#fail(error);
    }
  }

  #fail(error: unknown): never {
    this.#closed = true;
    this.#failed = undefined;
    throw failure(error);
  }
}

function clamp(length: bigint): number {
  return Number(length < BigInt(MOST) ? length : BigInt(MOST));
}

function closed(): StreamError {
  return { tag: "closed" };
}

function failure(error: unknown): StreamError {
  const code = typeof error === "string" ? (error as ErrorCode) : undefined;
  return { tag: "last-operation-failed", val: new IoError(code ?? String(error), code) };
}
