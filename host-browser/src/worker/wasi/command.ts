// The parts of `wasi:cli` that say what runs and how it ended.
import type { Program } from "../../protocol.js";

/** Thrown through the app to end it: the one thing that leaves a host function and is no error of an interface. */
export class Exit {
  constructor(readonly code: number) {}
}

/** `wasi:cli/environment` of one run. */
export function environment(program: () => Program) {
  return {
    getArguments: () => program().args,
    getEnvironment: () => program().env,
    initialCwd: () => program().cwd,
  };
}

export const exit = {
  exit(status: { tag: "ok" | "err" }): never {
    throw new Exit(status.tag === "ok" ? 0 : 1);
  },
  exitWithCode(code: number): never {
    throw new Exit(code);
  },
};
