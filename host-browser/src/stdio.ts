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
  const source = chunks(input)[Symbol.asyncIterator]();
  const [out, err] = [sink(output), sink(error)];
  return {
    async read() {
      const { done, value } = await source.next();
      if (done) return null;
      return typeof value === "string" ? new TextEncoder().encode(value) : value;
    },
    write: (stream, bytes) => (stream === 1 ? out : err).write(bytes),
    async close() {
      await Promise.all([out.close(), err.close()]);
    },
  };
}

async function* chunks(input: Input): AsyncGenerator<Uint8Array | string> {
  if (typeof input === "string" || input instanceof Uint8Array) yield input;
  else if (input instanceof ReadableStream) {
    const reader = input.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } else yield* input;
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
