// What was measured, summed up: medians and spread, ratios, and whether what is to be reached is.
import { LARGE, MANY, type Shape, THOUSAND } from "./folders.ts";

/** What came of one thing that was done. `before`: what there was before anything was mounted. */
interface Result {
  unit: "ms" | "MiB";
  value: number;
  before?: number;
}

/** What a contender took in a round, by what was done. Its rounds come in their order. */
export interface Took {
  folder: string;
  contender: string;
  results: Record<string, Result>;
}

/** The middle one of all rounds, and the lowest and the highest. */
interface Spread {
  median: number;
  low: number;
  high: number;
  rounds: number;
}

/** One line of the results. */
interface Measured {
  name: string;
  folder: string;
  unit: string;
  /** What is to be reached, in words and in the unit, and whether it is; nothing for what has no such aim. */
  to_reach: { says: string; limit: number; reached: boolean } | null;
  /** By contender. */
  results: Record<string, Spread>;
  /** How much ours is, where each other's is 1. Round by round, where the other was measured in each. */
  ratios: Record<string, Spread>;
}

/** The most that ours may be, from the medians of others and from the memory of the interpreter. */
type Most = (of: (contender: string) => number, interpreter: number) => number;

/** An aim for one line, in some folders. */
interface Aim {
  name: string;
  folders: Shape[];
  says: string;
  most: Most;
}

const SMALL = [THOUSAND, MANY];
const ALL = [...SMALL, LARGE];

const aim = (name: string, folders: Shape[], says: string, most: Most): Aim => ({ name, folders, says, most });

const AIMS: Aim[] = [
  aim("mount", ALL, "at most 20 ms above the floor", (of) => of("floor") + 20),
  aim("first read of one file", SMALL, "at most 3 times the floor", (of) => 3 * of("floor")),
  aim("walk and stat, cold", SMALL, "at most half of the floor", (of) => 0.5 * of("floor")),
  aim("walk and stat, warm", [MANY], "at most 1 s", () => 1000),
  aim("sync, nothing changed", SMALL, "at most 5 ms", () => 5),
  aim("change one file and sync", SMALL, "at most 2 times the floor", (of) => 2 * of("floor")),
  aim("mount and read everything", SMALL, "at most 0.7 times Pyodide's", (of) => 0.7 * of("pyodide")),
  aim("write 200 files of 1 KiB and sync", SMALL, "at most 1.2 times floor-16", (of) => 1.2 * of("floor-16")),
  aim("read 64 KiB from the middle", [LARGE], "at most 2 times the floor", (of) => 2 * of("floor")),
  aim("change 8 bytes and sync", [LARGE], "at most 1.1 times the floor", (of) => 1.1 * of("floor")),
  ...["memory at peak", "memory at peak, having read everything"].map((name) =>
    aim(name, ALL, "at most the floor, the interpreter and 64 MiB", (of, interpreter) => of("floor") + interpreter + 64),
  ),
];

/** All lines, in the order in which they were measured first. */
export function summary(all: Took[]): Measured[] {
  const lines = new Map<string, { name: string; folder: string }>();
  for (const { folder, results } of all) {
    for (const name of Object.keys(results)) {
      lines.set(`${folder}: ${name}`, { name, folder });
    }
  }
  return [...lines.values()].map((line) => measured(all, line));
}

function measured(all: Took[], { name, folder }: { name: string; folder: string }): Measured {
  const rounds = new Map<string, Result[]>();
  for (const took of all) {
    const result = took.folder === folder ? took.results[name] : undefined;
    if (result) {
      rounds.set(took.contender, [...(rounds.get(took.contender) ?? []), result]);
    }
  }
  const results: Measured["results"] = {};
  for (const [contender, values] of rounds) {
    results[contender] = spread(values.map(({ value }) => value));
  }
  const ratios: Measured["ratios"] = {};
  const ours = rounds.get("mountfs") ?? [];
  for (const [contender, theirs] of rounds) {
    const { median } = results[contender]!;
    if (contender !== "mountfs" && median > 0) {
      const beside = (round: number) => (theirs.length === ours.length ? theirs[round]!.value : median);
      ratios[contender] = spread(ours.map(({ value }, round) => value / beside(round)).filter(Number.isFinite));
    }
  }
  const { unit } = [...rounds.values()][0]![0]!;
  return { name, folder, unit, to_reach: reached(name, folder, rounds), results, ratios };
}

function reached(name: string, folder: string, rounds: Map<string, Result[]>): Measured["to_reach"] {
  const aim = AIMS.find((aim) => aim.name === name && aim.folders.some((shape) => shape.name === folder));
  if (!aim) {
    return null;
  }
  const median = (contender: string, of: "value" | "before") =>
    spread((rounds.get(contender) ?? []).map((result) => result[of] ?? 0)).median;
  const interpreter = median("mountfs", "before") - median("floor", "before");
  const limit = Number(aim.most((contender) => median(contender, "value"), interpreter).toPrecision(4));
  return { says: aim.says, limit, reached: median("mountfs", "value") <= limit };
}

function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  const rounded = (value: number) => Number(value.toPrecision(4));
  return { median: rounded(median), low: rounded(sorted[0]!), high: rounded(sorted.at(-1)!), rounds: sorted.length };
}
