// A snapshot cannot be read any more when its file changed; but one that was opened before can, to its end, also when the
// file has lost its name: when it was removed, or another one was put in its place. What is written into the file itself
// is read then, too: nothing tells the one from the other.
import { translate } from "./errors.js";
import { limited } from "./limit.js";

/** A snapshot that is open. */
export interface Held {
  readonly file: File;
  /** Whether its bytes can be had from the start: not once more than its first part was read, unless it is small. */
  readonly isFresh: boolean;
  /** Its bytes, from the start. */
  bytes(): AsyncGenerator<Uint8Array<ArrayBuffer>, void>;
  letGo(): void;
}

/** On Windows nobody can remove or replace a file that is open: there nothing is held for long. */
export const HOLDS_LONG = !navigator.platform?.startsWith("Win");

/** Up to this size all that was read is kept, for whoever has to begin anew. */
const SMALL = 1024 * 1024;

/** Opens a snapshot. */
export async function hold(file: File, patience: number): Promise<Held> {
  const reader = file.stream().getReader();
  let [left, isFresh] = [file.size, true];
  const read = async () => {
    // A stream has one error for all that may be wrong, and none for a file that became shorter.
    const unreadable = () => {
      isFresh = false;
      return Promise.reject(translate(new DOMException("", "NotReadableError"), { to: "read" }));
    };
    const { value, done } = await limited(reader.read(), patience).catch(unreadable);
    left -= value?.length ?? 0;
    return done && left !== 0 ? unreadable() : value;
  };
  const first = await read().catch((error: unknown) => {
    void reader.cancel().catch(() => {});
    throw error;
  });
  const parts = first ? [first] : [];
  return {
    file,
    get isFresh() {
      return isFresh;
    },
    async *bytes() {
      yield* parts;
      isFresh &&= left === 0 || file.size <= SMALL;
      for (let part = await read(); part; part = await read()) {
        if (isFresh) {
          parts.push(part);
        }
        yield part;
      }
    },
    letGo: () => void reader.cancel().catch(() => {}),
  };
}
