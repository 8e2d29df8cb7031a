// Which functions an app may be suspended in. JSPI wants to know before; a name that jco does not find is ignored
// without a word, so the names are taken from what the app really uses, and counted afterwards.

/** Functions by their full names, `pkg:ns/interface@version#function`. */
export interface Suspending {
  /** Those of the host, which may answer later. */
  imports: string[];
  /** Those of the app, whose callers have to wait then. */
  exports: string[];
}

/**
 * Functions that always answer at once; every other one of these interfaces may suspend. In JSPI mode a call that may
 * suspend costs a little more than one that may not even if it does not (`at-once.ts`).
 */
const AT_ONCE: Record<string, (name: string) => boolean> = {
  "wasi:filesystem/types": (name) =>
    name === "filesystem-error-code" ||
    /\.(get-flags|get-type|is-same-object|.*-via-stream|read-directory-entry)$/.test(name),
  // What a guest calls until it would block answers at once, but `read`: it is the one through which most guests read
  // a file, and a file's bytes come later.
  "wasi:io/streams": (name) => !/\.(blocking-.*|read|skip|splice)$/.test(name),
  "wasi:io/poll": (name) => name === "[method]pollable.ready",
  "mountfs:fs/grants": (name) => ["[method]grant.label", "[method]grant.unsynced"].includes(name),
};

/** Exports that may reach a function that suspends: all of those that a page calls. */
const EXPORTS = ["wasi:cli/run", "mountfs:fs/mounts"];

/** Of what an app imports and exports, what may suspend; `more` are interfaces besides those of a command. */
export function suspending(used: Suspending, more: string[] = []): Suspending {
  return {
    imports: used.imports.filter((full) => {
      const [name, method] = split(full);
      const atOnce = AT_ONCE[name];
      return atOnce !== undefined && !atOnce(method);
    }),
    exports: used.exports.filter((full) => [...EXPORTS, ...more].includes(split(full)[0])),
  };
}

function split(full: string): [name: string, method: string] {
  const [versioned = "", method = ""] = full.split("#");
  return [versioned.replace(/@.*/, ""), method];
}
