import { expect, test } from "vitest";
import { Gate } from "../../src/files/gate.js";
import { limited } from "../../src/files/limit.js";
import { inParallel } from "../../src/files/pool.js";

const moment = () => new Promise((resolve) => setTimeout(resolve, 5));

test("many share the gate, one has it alone, in the order they came", async () => {
  const gate = new Gate();
  const log: string[] = [];
  const step = (name: string) => async () => {
    log.push(`${name} in`);
    await moment();
    log.push(`${name} out`);
  };
  const late = gate.shared(step("a"));
  await Promise.all([late, gate.shared(step("b")), gate.alone(step("c")), gate.shared(step("d"))]);
  expect(log).toEqual(["a in", "b in", "a out", "b out", "c in", "c out", "d in", "d out"]);
});

test("a failure inside opens the gate again", async () => {
  const gate = new Gate();
  await expect(gate.alone(() => Promise.reject(new Error("inside")))).rejects.toThrow("inside");
  expect(await gate.alone(async () => 1)).toBe(1);
});

test("a call that hangs is busy, and what it gives later is undone", async () => {
  const undone: number[] = [];
  const slow = moment().then(() => 7);
  await expect(limited(slow, 1, (answer) => undone.push(answer))).rejects.toThrow("busy");
  await slow;
  await moment();
  expect(undone).toEqual([7]);
  expect(await limited(Promise.resolve(1), 1000)).toBe(1);
});

test("work in parallel keeps to its limit, and ends with the first error", async () => {
  let [now, most, done] = [0, 0, 0];
  await inParallel(Array(20).keys(), 4, async () => {
    most = Math.max(most, ++now);
    await moment();
    now--;
    done++;
  });
  expect([most, done]).toEqual([4, 20]);
  await expect(inParallel([1], 1, () => Promise.reject(new Error("one")))).rejects.toThrow("one");
});
