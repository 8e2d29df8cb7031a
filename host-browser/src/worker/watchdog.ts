// Notices a call of the app that will never answer. WebAssembly either runs, and then no timer fires here, or waits for
// a host function, and then one is pending. When a timer fires and none is pending, nothing will ever wake it.
import { pending } from "./guard.js";

/** How often to look. Two looks in a row have to agree: between a host's answer and the app's next step is a moment. */
const EVERY_MS = 2000;

/** What an answer that never comes is replaced by. */
export class Hung extends Error {
  constructor() {
    super("the app does not answer any more");
  }
}

/** Answers what the call does, or throws {@link Hung}. */
export async function watched<T>(call: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setInterval> | undefined;
  const hung = new Promise<never>((_, reject) => {
    let idle = 0;
    timer = setInterval(() => {
      idle = pending.calls ? 0 : idle + 1;
      if (idle > 1) reject(new Hung());
    }, EVERY_MS);
  });
  try {
    return await Promise.race([call, hung]);
  } finally {
    clearInterval(timer);
  }
}
