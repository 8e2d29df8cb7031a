// Any call of the File System API can hang, behind a dialog that nobody sees, say; no guest may hang with it.
import { Failure } from "./errors.js";

/**
 * The answer of `call`, or `busy` when there is none after `ms` milliseconds. An answer that comes after that goes to
 * `late`, to be undone.
 */
export function limited<T>(call: Promise<T>, ms: number, late?: (answer: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false;
    const timer = setTimeout(() => {
      over = true;
      reject(new Failure("busy"));
    }, ms);
    call.then(
      (answer) => {
        clearTimeout(timer);
        if (over) {
          late?.(answer);
        }
        resolve(answer);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
