// The standard streams of a run, from whatever a page has.
import type { Stdio } from "./protocol.js";

/** What can be standard input: text, bytes, a stream, or anything that gives chunks in time. */
export type Input = string | Uint8Array | ReadableStream<Uint8Array | string> | AsyncIterable<Uint8Array | string>;

/** What can get output: a function for text, or a stream of bytes. */
export type Output = ((text: string) => void) | WritableStream<Uint8Array>;

/** The streams of one run, with an end. */
export interface RunStdio extends Stdio {
  close(): Promise<void>;
}

/** The streams of one run. */
export function stdio(input: Input = "", output: Output = lines(console.log), error: Output = lines(console.error)): RunStdio {
  const [stdin, out, err] = [source(input), sink(output), sink(error)];
  return {
    async read() {
      const { done, value } = await stdin.next();
      if (done) return null;
      return typeof value === "string" ? new TextEncoder().encode(value) : value;
    },
    write: (stream, bytes) => (stream === 1 ? out : err).write(bytes),
    async close() {
      stdin.close();
      await Promise.all([out.close(), err.close()]);
    },
  };
}

interface Source {
  next(): Promise<IteratorResult<Uint8Array | string, unknown>>;
  close(): void;
}

function source(input: Input): Source {
  if (input instanceof ReadableStream) {
    const reader = input.getReader();
    // What is left in it is for the next run.
    return { next: () => reader.read(), close: () => reader.releaseLock() };
  }
  const isOne = typeof input === "string" || input instanceof Uint8Array;
  const chunks = isOne ? [input].values() : input[Symbol.asyncIterator]();
  return { next: async () => chunks.next(), close: () => {} };
}

interface Sink {
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

function sink(output: Output): Sink {
  if (typeof output === "function") {
    const decoder = new TextDecoder();
    return {
      // A character may be cut in two between writes.
      write: async (bytes) => output(decoder.decode(bytes, { stream: true })),
      close: async () => {
        const rest = decoder.decode();
        if (rest) output(rest);
      },
    };
  }
  const writer = output.getWriter();
  return { write: (bytes) => writer.write(bytes), close: async () => writer.releaseLock() };
}

/** For the console, which adds the end of each line itself. */
function lines(log: (line: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const all = (rest + text).split("\n");
    rest = all.pop() ?? "";
    for (const line of all) log(line);
  };
}
