// Builds the package: `dist/` has what a page loads, the worker that is copied beside each app, and the build tool.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { transpileBytes } from "@bytecodealliance/jco-transpile";
import { build } from "esbuild";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

rmSync(at("dist"), { recursive: true, force: true });
const common = { bundle: true, format: "esm", target: "es2022", outdir: at("dist"), logLevel: "warning" };
// Everything is inside what runs in a browser, so that two files are all that a page without a bundler copies. But the panel
// takes what has to be the same for both, the class of the errors, from the other module, which is beside it.
const beside = (build) => build.onResolve({ filter: /^\.\.\/index\.js$/ }, () => ({ path: "./index.js", external: true }));
await build({ ...common, entryPoints: { index: at("src/index.ts") } });
await build({ ...common, entryPoints: { panel: at("src/panel/panel.ts") }, plugins: [{ name: "beside", setup: beside }] });
await build({ ...common, entryPoints: { worker: at("src/worker/main.ts") }, minify: true });
await build({
  ...common,
  entryPoints: { build: at("src/build/index.ts") },
  platform: "node",
  packages: "external",
  target: "node20",
});
// The composer that `cargo xtask` built, for Node: it imports nothing, so it is a module like others.
const composer = await transpileBytes(readFileSync(at("artifact/composer.wasm")), { name: "composer" });
for (const [name, content] of Object.entries(composer.files)) {
  const path = join(at("dist/composer"), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
if (!process.argv.includes("--no-types")) {
  execFileSync(process.execPath, [at("node_modules/typescript/bin/tsc"), "-p", at("tsconfig.build.json")], {
    stdio: "inherit",
  });
}
