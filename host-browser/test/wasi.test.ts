// The rest of WASI, as far as files have no part in it.
import { getActiveResourcesInfo } from "node:process";
import { expect, it } from "vitest";
import { abandonPollables } from "../src/files/index.js";
import { monotonicClock } from "../src/worker/wasi/clocks.js";
import { poll } from "../src/worker/wasi/poll.js";
import { Streams } from "../src/worker/wasi/stdio.js";

const HOUR = 3_600_000_000_000n;

it("traps when nothing is polled, which would never be ready", async () => {
  await expect(poll([])).rejects.toThrow("polls nothing");
});

it("keeps no timer of a pollable that is gone", () => {
  const timers = () => getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
  const before = timers();
  const all = Array.from({ length: 100 }, () => monotonicClock.subscribeDuration(HOUR));
  all.forEach((pollable) => expect(pollable.ready()).toBe(false));
  expect(timers()).toBe(before + 100);
  all.slice(50).forEach((pollable) => pollable[Symbol.dispose]());
  expect(timers()).toBe(before + 50);
  abandonPollables();
  expect(timers()).toBe(before);
});

it("waits for standard input also where the guest skips it", async () => {
  const line = Promise.withResolvers<Uint8Array>();
  const { stdin } = new Streams({ read: () => line.promise, write: async () => {} });
  const skipped = stdin.blockingSkip(3n);
  line.resolve(new TextEncoder().encode("line"));
  expect(await skipped).toBe(3n);
});
