// From an app to a folder of static files: compose, transpile, slim, and put the worker beside it.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { compose } from "./compose.js";
import { slim } from "./slim.js";
import type { Suspending } from "./suspends.js";
import { transpileApp } from "./transpile.js";

/**
 * Has Chromium compile all functions of a module while it loads it, not each at its first call, for which the first mount
 * and the first read would wait. To other browsers it is a comment.
 */
const EAGER = "//# allFunctionsCalledOnLoad\n";

/** How to build an app. */
export interface BuildOptions {
  /** Minify the JavaScript. Default: true. */
  minify?: boolean;
  /** Interfaces the app exports, by name and without a version, that may wait for a file besides those of a command. */
  exports?: string[];
}

/** What was built. */
export interface Built {
  /** How many files. */
  files: number;
  /** Bytes of WebAssembly. */
  wasm: number;
  /** Bytes of JavaScript, the worker included. */
  js: number;
  /** The functions at which the app may be suspended. */
  suspending: Suspending;
}

/**
 * Makes the folder that `createMountfs({ app })` is given the address of, from a component or a WASI preview 1 command;
 * one that `mountfs compose` made is taken as it is.
 *
 * The folder is all a static host needs: the app, the worker it runs in, and their types. What is in it is overwritten.
 */
export async function buildApp(app: string, dist: string, options: BuildOptions = {}): Promise<Built> {
  const { files, suspending } = await transpileApp(await compose(await readFile(app)), options.exports);
  const built: Built = { files: 0, wasm: 0, js: 0, suspending };
  // An older app's core modules must not stay beside a newer one's.
  await rm(dist, { recursive: true, force: true });
  for (const [name, content] of Object.entries(files)) {
    const path = join(dist, name);
    await mkdir(dirname(path), { recursive: true });
    const bytes = name === "app.js" ? EAGER + (await slim(content, options.minify ?? true)) : content;
    await writeFile(path, bytes);
    built.files += 1;
    if (name.endsWith(".wasm")) built.wasm += bytes.length;
    if (name.endsWith(".js")) built.js += bytes.length;
  }
  // Beside the app, because a worker has to come from the page's origin and cannot be told by an import map where
  // things are. A relative import finds the app from here on any host.
  const worker = EAGER + (await readFile(new URL("worker.js", import.meta.url), "utf8"));
  await writeFile(join(dist, "worker.js"), worker);
  built.files += 1;
  built.js += Buffer.byteLength(worker);
  return built;
}
