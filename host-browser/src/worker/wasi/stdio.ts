// The standard streams of one run. What is written goes to the window at once, in order; what is read is asked of it
// chunk by chunk, when the guest wants it.
import { InputStream, OutputStream, Pollable } from "../../files/index.js";
import type { Stdio } from "../../protocol.js";

/** Bytes that the window may be behind before the guest has to wait for it. */
const AHEAD = 1 << 20;

/** Chunks that the window gave, and that the guest has not read. */
class Chunks {
  #chunk = new Uint8Array();
  #ended = false;
  #coming: Promise<void> | undefined;

  constructor(private readonly window: Stdio) {}

  /** There is something to read, or there never will be. */
  get ready(): boolean {
    return this.#ended || this.#chunk.length > 0;
  }

  /** What to wait for; nothing when it is ready. */
  wait(): Promise<void> | undefined {
    if (this.ready) return undefined;
    this.#coming ??= this.#ask().finally(() => (this.#coming = undefined));
    return this.#coming;
  }

  take(length: number): Uint8Array {
    const taken = this.#chunk.subarray(0, length);
    this.#chunk = this.#chunk.subarray(taken.length);
    return taken;
  }

  async #ask(): Promise<void> {
    try {
      const chunk = await this.window.read();
      if (chunk) this.#chunk = new Uint8Array(chunk);
      else this.#ended = true;
    } catch {
      // The page's own source failed: there is no more input.
      this.#ended = true;
    }
  }
}

/** Standard input. Unlike a file it keeps a guest waiting for as long as a person takes. */
class Stdin extends InputStream {
  constructor(private readonly chunks: Chunks) {
    super({
      read: async (length) => {
        while (!chunks.ready) await chunks.wait();
        return chunks.take(length);
      },
    });
  }

  override read(length: bigint): Uint8Array | Promise<Uint8Array> {
    return this.chunks.ready ? super.read(length) : new Uint8Array();
  }

  override blockingRead(length: bigint): Uint8Array | Promise<Uint8Array> {
    return super.read(length);
  }

  override subscribe(): Pollable {
    return new Pollable(() => this.chunks.wait());
  }
}

/** Standard output or standard error. */
class Written {
  #behind = 0;
  #arrived: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly window: Stdio,
    private readonly stream: 1 | 2,
  ) {}

  write(bytes: Uint8Array): void {
    this.#behind += bytes.length;
    // A copy: the guest's memory is its own again when this returns.
    const sent = this.window.write(this.stream, bytes.slice());
    const before = this.#arrived;
    // A page that cannot show it does not stop the guest.
    this.#arrived = Promise.allSettled([before, sent]).then(() => (this.#behind -= bytes.length));
  }

  room(): number {
    return Math.max(AHEAD - this.#behind, 0);
  }

  wait(): Promise<unknown> {
    return this.#arrived;
  }
}

/** The standard streams of one run. */
export class Streams {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly #written: Written[];

  constructor(window: Stdio) {
    const [out, err] = [new Written(window, 1), new Written(window, 2)];
    this.#written = [out, err];
    this.stdin = new Stdin(new Chunks(window));
    this.stdout = new OutputStream(out);
    this.stderr = new OutputStream(err);
  }

  /** All that was written is at the window. */
  async arrived(): Promise<void> {
    await Promise.all(this.#written.map((written) => written.wait()));
  }
}
