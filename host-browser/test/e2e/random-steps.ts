// Random steps of a guest that always can be done: the same ones from the same seed.
import { after, type State, type Step } from "./history.js";

/** Whole numbers from 0, less than `bound`. */
export type Random = (bound: number) => number;

/** The same numbers for the same seed: a linear congruential generator, of which the upper bits are used. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** Few, so that they meet again; of some Chromium asks more questions than of others. */
const NAMES = ["a.txt", "b.py", "c.csv", "d.ipynb", "e.sh", "f"];
const DIRECTORIES = ["x", "y", "z"];
/** Characters of a file: some fit in one call, some are long under way. */
const SIZES = [10, 3_000, 3_000, 70_000, 400_000];
const LARGEST = 900_000;

/** Each as often as it stands here. */
const VERBS = [
  ..."write write write save save append append update update rename rename rename".split(" "),
  ..."recase remove remove mkdir rmdir directory".split(" "),
] as const;

/** About `count` steps from a state on. */
export function randomSteps(random: Random, state: State, count: number): Step[] {
  const steps: Step[] = [];
  const add = (...more: Step[]) => {
    for (const step of more) {
      steps.push(step);
      state = after(state, step);
    }
  };
  const one = <T>(all: readonly T[]): T => all[random(all.length)]!;
  const paths = (kind: "file" | "directory") =>
    [...state].filter(([, file]) => (file === null) === (kind === "directory")).map(([path]) => path);
  const inSome = (name: string) => one(["", ...paths("directory").map((path) => `${path}/`)]) + name;
  const isEmpty = (path: string) => ![...state.keys()].some((name) => name.startsWith(`${path}/`));
  const text = () => {
    const text = `${random(1e6)} `;
    return { text, times: Math.ceil(one(SIZES) / text.length), open: random(5) === 0 };
  };
  while (steps.length < count) {
    const path = paths("file").length ? one(paths("file")) : undefined;
    const size = path ? state.get(path)!.text.length : 0;
    const verb = one(VERBS);
    if (verb === "mkdir") {
      const to = inSome(one(DIRECTORIES));
      if (!state.has(to) && to.split("/").length < 4) add({ verb, path: to });
    } else if (verb === "rmdir" || verb === "directory") {
      const found = paths("directory").filter((path) => verb === "directory" || isEmpty(path));
      if (found.length === 0) continue;
      const [from, to] = [one(found), inSome(one(DIRECTORIES))];
      if (verb === "rmdir") add({ verb, path: from });
      else if (!state.has(to) && !to.startsWith(`${from}/`)) add({ verb: "rename", path: from, to });
    } else if (verb === "write" || !path) {
      add({ verb: "write", path: inSome(one(NAMES)), ...text() });
    } else if (verb === "save") {
      // As most programs save: a new file, renamed over the old one.
      const passing = `${path}.new`;
      add({ verb: "write", path: passing, ...text() }, { verb: "rename", path: passing, to: path });
    } else if (verb === "append") {
      if (size < LARGEST / 2) add({ verb, path, ...text() });
    } else if (verb === "update") {
      if (size > 0 && size < LARGEST / 2) add({ verb, path, ...text(), at: random(size) });
    } else if (verb === "remove") {
      add({ verb, path });
    } else {
      const name = path.replace(/.*\//, "");
      const other = name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase();
      const to = verb === "recase" ? path.slice(0, -name.length) + other : inSome(one(NAMES));
      if (to !== path) add({ verb: "rename", path, to });
    }
  }
  return steps;
}
