// A snapshot cannot be read any more when its file changed; but one that was opened before can, to its end, also when the
// file has lost its name: when it was removed, or another one was put in its place. What is written into the file itself
// is read then, too: nothing tells the one from the other.
import { translate } from "./errors.js";
import { limited } from "./limit.js";

/** A snapshot that is open. */
export interface Held {
  readonly file: File;
  /** Nobody has read from it. */
  readonly isFresh: boolean;
  /** The next bytes of it, from its start; none at its end. */
  next(): Promise<Uint8Array<ArrayBuffer> | undefined>;
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
  let first: Promise<Uint8Array<ArrayBuffer> | undefined> | undefined = Promise.resolve(await read());
  return {
    file,
    get isFresh() {
      return first !== undefined;
    },
    next() {
      const bytes = first ?? read();
      first = undefined;
      return bytes;
    },
    letGo: () => void reader.cancel().catch(() => {}),
  };
}
