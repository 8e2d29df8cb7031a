import { describe, expect, it } from "vitest";
import { withGate } from "../src/build/gate.js";
import { Gate } from "../src/worker/gate.js";
import { pending } from "../src/worker/guard.js";

const tick = () => new Promise((resolve) => setTimeout(resolve));

describe("the gate", () => {
  it("gives the page its turn at once while the app is outside", async () => {
    const gate = new Gate();
    let closed = false;
    await gate.turn(async () => void (closed = gate.closed));
    expect([closed, gate.closed]).toEqual([true, false]);
  });

  it("waits until the app is outside, and closes before it can come back", async () => {
    const gate = new Gate();
    gate.enter();
    gate.enter();
    let done = false;
    const turn = gate.turn(async () => void (done = true));
    gate.leave();
    await tick();
    expect([done, gate.closed]).toEqual([false, false]);
    gate.leave();
    expect(gate.closed).toBe(true);
    await turn;
    expect([done, gate.closed]).toEqual([true, false]);
  });

  it("lets the app in between two turns", async () => {
    const gate = new Gate();
    const order: string[] = [];
    const first = gate.turn(async () => {
      void gate.opened().then(() => {
        gate.enter();
        order.push("app");
        setTimeout(() => gate.leave(), 5);
      });
      await tick();
      order.push("first");
    });
    const second = gate.turn(async () => void order.push("second"));
    await Promise.all([first, second]);
    expect(order).toEqual(["first", "app", "second"]);
  });

  it("lets messages and timers in while the app is busy, which counts as waiting for us", async () => {
    const gate = new Gate();
    let waiting: number | undefined;
    setTimeout(() => (waiting = pending.calls));
    for (const end = performance.now() + 5000; waiting === undefined && performance.now() < end;) {
      if (gate.closed) await gate.opened();
      gate.enter();
      await null;
      gate.leave();
    }
    expect(waiting).toBe(1);
  });

  it("stays closed for the page when a breath ends in its turn", async () => {
    const gate = new Gate();
    for (let busy = true; busy; busy = !gate.closed) {
      gate.enter();
      gate.leave();
    }
    let seen: boolean[] = [];
    await gate.turn(async () => {
      const before = gate.closed;
      await tick();
      await tick();
      seen = [before, gate.closed];
    });
    expect([...seen, gate.closed]).toEqual([true, true, false]);
  });

  it("opens after a turn that failed", async () => {
    const gate = new Gate();
    await expect(gate.turn(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(gate.closed).toBe(false);
    await gate.turn(tick);
  });
});

describe("its place in an app", () => {
  it("fails the build when the transpiler's output has changed", () => {
    expect(() => withGate("function somethingElse() {}")).toThrow("jco's output has changed");
  });
});
