// What a guest did in a folder, step by step, and what may be on disk when the browser dies on the way. Names change
// with each step, in order; what is in a file gets there later, and only whole.

/** A step of the guest. */
export type Step = Writing | Renaming | { verb: "remove" | "mkdir" | "rmdir"; path: string };

/** Writes `text`, so many `times`: over all, at the end, or `at` an offset. `open`: does not close the file after it. */
type Writing = { path: string; text: string; times: number; open: boolean } & (
  | { verb: "write" | "append" }
  | { verb: "update"; at: number }
);

interface Renaming {
  verb: "rename";
  path: string;
  to: string;
}

/** Files with their text and directories, which are `null`, by their paths. */
export type Tree = ReadonlyMap<string, string | null>;

/** A file as the guest has it, and each text that the disk may have in its place. */
interface File {
  text: string;
  maybe: ReadonlySet<string>;
}

/** What the guest has, and the disk may have. */
export type State = ReadonlyMap<string, File | null>;

/** The state when all is on disk. */
export function synced(tree: Tree): State {
  return new Map([...tree].map(([path, text]) => [path, text === null ? null : { text, maybe: new Set([text]) }]));
}

/** What the guest has. */
export function seen(state: State): Tree {
  return new Map([...state].map(([path, file]) => [path, file && file.text]));
}

/** The state after one step more. */
export function after(state: State, step: Step): State {
  const next = new Map(state);
  const { path } = step;
  switch (step.verb) {
    case "rename":
      for (const [from, to] of moved(state, step)) {
        next.delete(from);
        next.set(to, renamed(state.get(from)!, from === path ? state.get(to) : undefined, from === path));
      }
      return next;
    case "mkdir":
      return next.set(path, null);
    case "remove":
    case "rmdir":
      next.delete(path);
      return next;
    default: {
      const file = state.get(path);
      const text = written(file?.text ?? "", step);
      // A new file is on disk at once, and empty until it is pushed.
      return next.set(path, { text, maybe: new Set([...(file?.maybe ?? [""]), text]) });
    }
  }
}

function written(old: string, step: Writing): string {
  const text = step.text.repeat(step.times);
  if (step.verb === "update") return old.slice(0, step.at) + text + old.slice(step.at + text.length);
  return step.verb === "append" ? old + text : text;
}

/** The names that a rename changes: its own, and all below it. */
function moved(state: State, { path, to }: Renaming): [string, string][] {
  const inIt = [...state.keys()].filter((name) => name === path || name.startsWith(`${path}/`));
  return inIt.map((name) => [name, to + name.slice(path.length)]);
}

/** `other` had the name. */
function renamed(file: File | null, other: File | null | undefined, alone: boolean): File | null {
  if (!file) return null;
  const { text, maybe } = file;
  // What is new, and perhaps empty on disk, may take its text along in memory; all else is on disk under the new name.
  const empty = alone && maybe.has("") && maybe.size > 1;
  return { text, maybe: new Set(empty ? [...(other?.maybe ?? [""]), text] : [text]) };
}

/**
 * Why a disk is none that a guest may leave that took the first of these steps, and was perhaps in the middle of the
 * next one; nothing when it is one. `states` are those before, between and after the steps.
 */
export function wrong(states: State[], steps: Step[], disk: Tree): string[] {
  const all = states.map((before, done) => wrongBetween(before, states[done + 1] ?? before, steps[done], disk));
  return all.reduce((least, one) => (one.length < least.length ? one : least));
}

/**
 * Why a folder is none that has all that the guest wrote, when it was in `state` and perhaps in the middle of one more
 * step; nothing when it is one.
 */
export function lost(state: State, step: Step | undefined, folder: Tree): string[] {
  const now = synced(seen(state));
  if (!step) return wrong([now], [], folder);
  const next = new Map(synced(seen(after(now, step))));
  const found = folder.get(step.path);
  if ("text" in step && typeof found === "string" && isPart(found, now.get(step.path)?.text ?? "", step)) {
    return wrong([next.set(step.path, { text: found, maybe: new Set([found]) })], [], folder);
  }
  return wrong([now, next], [step], folder);
}

/** Whether a file is what it is when only a part of the text was written. */
function isPart(found: string, old: string, step: Writing): boolean {
  const text = step.text.repeat(step.times);
  const start = step.verb === "update" ? step.at : step.verb === "append" ? old.length : 0;
  // What the file is that is written over.
  const base = step.verb === "write" ? "" : old;
  const whole = base.slice(0, start) + text + base.slice(start + text.length);
  let same = start;
  while (same < found.length && found[same] === whole[same]) same += 1;
  return found === base.slice(0, start) + text.slice(0, same - start) + base.slice(same);
}

function wrongBetween(before: State, after: State, step: Step | undefined, disk: Tree): string[] {
  const wrong: string[] = [];
  const moves = step?.verb === "rename" ? moved(before, step) : [];
  const made = new Set(moves.map(([, to]) => to).filter((to) => !before.has(to)));
  for (const path of new Set([...before.keys(), ...after.keys(), ...disk.keys()])) {
    const found = disk.get(path);
    // The copy under a new name is empty at first.
    const begun = found === "" && made.has(path);
    if (!begun && !may(found, before.get(path)) && !may(found, after.get(path))) {
      wrong.push(`${path} is ${brief(found)}, not ${[before, after].map((state) => brief(state.get(path)?.text)).join(" or ")}`);
    }
  }
  for (const [from, to] of moves) {
    // The old name goes only when all is under the new one.
    if (!disk.has(from) && !may(disk.get(to), after.get(to))) wrong.push(`${from} is gone, and ${to} is ${brief(disk.get(to))}`);
  }
  return wrong;
}

function may(found: string | null | undefined, file: File | null | undefined): boolean {
  return typeof found === "string" ? file?.maybe.has(found) === true : found === file;
}

function brief(text: string | null | undefined): string {
  return typeof text === "string" ? `${JSON.stringify(text.slice(0, 20))} (${text.length})` : text === null ? "a directory" : "missing";
}
