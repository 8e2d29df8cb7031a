/**
 * Build apps for a page, from a program; `mountfs build` does it from a command line.
 *
 * @module mountfs/build
 */
export { buildApp, type BuildOptions, type Built } from "./build.js";
export { main } from "./main.js";
export type { Suspending } from "./suspends.js";
