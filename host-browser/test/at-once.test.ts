import { describe, expect, it } from "vitest";
import { answeringAtOnce } from "../src/build/at-once.js";

/** A function of the host, in the shape that jco gives it. */
const imported = (number: number, waits: boolean) => `
  const _trampoline${number} = ${waits ? "async " : ""}function(arg0) {
    const hostProvided = true;
    let task = createTask();
    const started = ${waits ? "await task.enter({ isHost: hostProvided });" : "task.enterSync();"}
    ${waits ? `if (!started) {\n      throw new Error("failed to enter task");\n    }\n` : ""}
    let ret;
    try {
      const hostRet = ${waits ? "await  _withGlobalCurrentTaskMetaAsync" : "_withGlobalCurrentTaskMeta"}({
        componentIdx: task.componentIdx(),
        taskID: task.id(),
        fn: () => _trackHostOperation(() => host({
          given: arg0,
        })),
      })
      ;
      ret = hostRet;
    } catch (e) {
      ret = "err " + e;
    }
    lowered.push(ret);
    task.resolve([ret]);
    task.exit();
  }
  _trampoline${number}.fnName = 'host';
  ${waits ? `_trampoline${number}.manuallyAsync = true;` : ""}
  trampolines.push(_suspendingImport(1, _lowerImportBackwardsCompat.bind(null, {
    componentIdx: 1, isManualAsync: _trampoline${number}.manuallyAsync, importFn: _trampoline${number},
  })));`;

const LOWER = `
  function _lowerImportBackwardsCompat(args) {
    {
      throw new Error("it makes a task");
    }
  }`;

const OUTPUT = LOWER + imported(0, true) + imported(1, false);

/** What becomes of it, run on a host. */
function run(host: (given: { given: unknown }) => unknown) {
  const [trampolines, lowered]: [((argument: unknown) => unknown)[], unknown[]] = [[], []];
  let suspended = 0;
  const scope = {
    host,
    trampolines,
    lowered,
    _trackHostOperation: (operation: () => unknown) => operation(),
    _checkMayLeave: () => {},
    getCurrentTask: () => ({}),
    _suspendingImport: (_: number, call: () => unknown) => () => {
      suspended += 1;
      return call();
    },
  };
  new Function(...Object.keys(scope), answeringAtOnce(OUTPUT))(...Object.values(scope));
  const [waits, never] = trampolines as [(argument: unknown) => unknown, (argument: unknown) => unknown];
  return { waits, never, lowered, suspended: () => suspended };
}

describe("a function of the host that may wait", () => {
  it("answers at once when the host does", () => {
    const { waits, never, lowered, suspended } = run(({ given }) => `answer to ${given}`);
    expect([waits("one"), never("two")]).toEqual([undefined, undefined]);
    expect([lowered, suspended()]).toEqual([["answer to one", "answer to two"], 0]);
  });

  it("fails at once when the host does", () => {
    const { waits, never, lowered, suspended } = run(() => {
      throw "no-entry";
    });
    expect([waits("one"), never("two")]).toEqual([undefined, undefined]);
    expect([lowered, suspended()]).toEqual([["err no-entry", "err no-entry"], 0]);
  });

  it("waits for a promise, whether it is kept or not", async () => {
    const { waits, lowered, suspended } = run(async ({ given }) => {
      if (given === "bad") throw "busy";
      return given;
    });
    const [good, bad] = [waits("good"), waits("bad")];
    expect([lowered, suspended()]).toEqual([[], 2]);
    await Promise.all([good, bad]);
    expect(lowered).toEqual(["good", "err busy"]);
  });
});

describe("its place in an app", () => {
  it.each([
    ["there is nothing of it", OUTPUT, "function somethingElse() {}"],
    ["a function has another task", "hostProvided = true", "hostProvided = 1"],
    ["a function is entered otherwise", "task.enterSync()", "task.enterAtOnce()"],
    ["the host is called otherwise", "taskID: task.id(),", ""],
    ["a function is bound otherwise", "_lowerImportBackwardsCompat.bind(", "_lowerImport.bind("],
    ["what calls them is another", "_lowerImportBackwardsCompat(args)", "_lowerImportBackwardsCompat(first)"],
    ["functions are written otherwise", "const _trampoline1 =", "let _trampoline1 ="],
  ])("fails the build when the transpiler's output has changed: %s", (_, old, by) => {
    expect(OUTPUT).toContain(old);
    expect(() => answeringAtOnce(OUTPUT.replace(old, () => by))).toThrow("jco's output has changed");
  });
});
