import { expect, it } from "vitest";
import { guardedInterface, pending } from "../src/worker/guard.js";

const toIo = (thrown: unknown) => (typeof thrown === "string" ? thrown : "io");

it("lets only errors of the interface out, and keeps answers as they are", async () => {
  class Thing {
    now() {
      return 1;
    }
    later = undefined;
    async fails() {
      throw new Error("a bug");
    }
    refuses() {
      throw "no-entry";
    }
  }
  const { Thing: Guarded, free } = guardedInterface({ Thing, free: () => { throw new TypeError("a bug"); } }, toIo);
  const thing = new Guarded();
  // What jco is given has to be an instance of the class that the other half makes them of.
  expect(new Thing()).toBeInstanceOf(Guarded);
  expect(thing.now()).toBe(1);
  expect(() => thing.refuses()).toThrow("no-entry");
  await expect(thing.fails()).rejects.toBe("io");
  expect(catching(free)).toBe("io");
});

it("counts what has not answered", async () => {
  let answer!: () => void;
  const { wait } = guardedInterface({ wait: () => new Promise<void>((resolve) => (answer = resolve)) }, toIo);
  const waiting = wait();
  expect(pending.calls).toBe(1);
  answer();
  await waiting;
  expect(pending.calls).toBe(0);
});

function catching(call: () => unknown): unknown {
  try {
    return call();
  } catch (thrown) {
    return thrown;
  }
}
