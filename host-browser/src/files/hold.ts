// A snapshot cannot be read any more when its file changed; but one that was opened before can, to its end, also when the
// file has lost its name: when it was removed, or another one was put in its place. What is written into the file itself
// is read then, too: nothing tells the one from the other.
import { translate } from "./errors.js";
import { limited } from "./limit.js";

/** A snapshot that is open. */
export interface Held {
  readonly file: File;
  /** Whether its bytes can be had from the start: not once more than its first part was read. */
  readonly isFresh: boolean;
  /** Its bytes, from the start. */
  bytes(): AsyncGenerator<Uint8Array<ArrayBuffer>, void>;
  letGo(): void;
}

/** On Windows nobody can remove or replace a file that is open: there nothing is held for long. */
export const HOLDS_LONG = !navigator.platform?.startsWith("Win");

/** Opens a snapshot. */
export async function hold(file: File, patience: number): Promise<Held> {
  const reader = file.stream().getReader();
  let left = file.size;
  const read = async () => {
    // A stream has one error for all that may be wrong, and none for a file that became shorter.
    const unreadable = () => Promise.reject(translate(new DOMException("", "NotReadableError"), { to: "read" }));
    const { value, done } = await limited(reader.read(), patience).catch(unreadable);
    left -= value?.length ?? 0;
    return done && left !== 0 ? unreadable() : value;
  };
  const first = await read().catch((error: unknown) => {
    void reader.cancel().catch(() => {});
    throw error;
  });
  let isFresh = true;
  return {
    file,
    get isFresh() {
      return isFresh;
    },
    async *bytes() {
      if (first) {
        yield first;
      }
      if (left > 0) {
        isFresh = false;
      }
      for (let bytes = await read(); bytes; bytes = await read()) {
        yield bytes;
      }
    },
    letGo: () => void reader.cancel().catch(() => {}),
  };
}
