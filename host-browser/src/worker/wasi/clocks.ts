// `wasi:clocks`. The wall clock has milliseconds, the monotonic clock what the browser gives, at most microseconds.
import { Pollable } from "../../files/index.js";

const NANOSECONDS = 1_000_000;
/** The longest time-out that browsers keep. */
const LONGEST = 0x7fff_ffff;

export const wallClock = {
  now: () => {
    const now = Date.now();
    return { seconds: BigInt(Math.floor(now / 1000)), nanoseconds: (now % 1000) * NANOSECONDS };
  },
  resolution: () => ({ seconds: 0n, nanoseconds: NANOSECONDS }),
};

const now = () => BigInt(Math.round(performance.now() * NANOSECONDS));

export const monotonicClock = {
  now,
  resolution: () => 1000n,
  subscribeInstant: (when: bigint) => timer(when),
  subscribeDuration: (duration: bigint) => timer(now() + duration),
};

/** Ready from an instant on. */
function timer(when: bigint): Pollable {
  let waiting: Promise<void> | undefined;
  let timeout: ReturnType<typeof setTimeout> | undefined;
  const wait = () => {
    const left = when - now();
    if (left <= 0n) return undefined;
    waiting ??= new Promise<void>((resolve) => {
      timeout = setTimeout(resolve, Math.min(Math.ceil(Number(left) / NANOSECONDS), LONGEST));
    }).finally(() => (waiting = undefined));
    return waiting;
  };
  return new Pollable(wait, () => clearTimeout(timeout));
}
