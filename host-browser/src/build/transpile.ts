// A composed app becomes an ES module that suspends with JSPI.
import { transpileBytes } from "@bytecodealliance/jco-transpile";
import { answeringAtOnce } from "./at-once.js";
import { withGate } from "./gate.js";
import { type Suspending, suspending } from "./suspends.js";

/** What the transpiler made, by file name, and the functions at which it may suspend. */
export interface Transpiled {
  files: Record<string, Uint8Array>;
  suspending: Suspending;
}

/** Interfaces that the worker provides (`src/worker/imports.ts`), as jco names them. */
const PROVIDED = /^(mountfs:fs\/(grants|types)|wasi:(cli|clocks|filesystem|io|random|sockets)\/.*)$/;

/** Transpiles, and fails when a function that has to suspend would not. */
export async function transpileApp(component: Uint8Array, exports: string[] = []): Promise<Transpiled> {
  // Every browser that can suspend WebAssembly knows its exceptions too, which toolchains make of `setjmp`.
  const common = { name: "app", instantiation: "async" as const, multiMemory: true, bindgenEnableWasmExnref: true };
  // Once to see what the app uses, with which versions; it takes a second for CPython.
  const plain = await transpileBytes(component, common);
  const foreign = plain.imports.filter((name) => !PROVIDED.test(name));
  if (foreign.length) throw new Error(`the app imports what a page does not have: ${foreign.join(", ")}`);
  const wanted = suspending(usedBy(source(plain.files)), exports);
  const { files } = await transpileBytes(component, {
    ...common,
    asyncMode: "jspi",
    asyncImports: wanted.imports,
    asyncExports: wanted.exports,
  });
  const js = source(files);
  check("imports", wanted.imports, js.match(/\.manuallyAsync = true;/g));
  check("exports", wanted.exports, js.match(/isManualAsync: true,/g));
  files["app.js"] = new TextEncoder().encode(withGate(answeringAtOnce(js)));
  return { files, suspending: wanted };
}

function source(files: Record<string, Uint8Array>): string {
  const js = files["app.js"];
  if (!js) throw new Error("jco made no app.js");
  return new TextDecoder().decode(js);
}

/** The functions an app imports and exports, from what jco notes at each in its output. */
function usedBy(js: string): Suspending {
  const names = (pattern: RegExp) =>
    new Set([...js.matchAll(pattern)].map(([, name = "", method = ""]) => `${name}#${method}`));
  const all = names(/iface="([^"]+)", function="([^"]+)"/g);
  const exports = names(/iface="([^"]+)", function="([^"]+)"\]\[Instruction::CallWasm\]/g);
  // Without them there would be nothing to count, and nothing would suspend.
  if (!exports.size) throw new Error("jco's output has changed: no function is noted in it");
  return { imports: [...all].filter((name) => !exports.has(name)), exports: [...exports] };
}

function check(what: string, wanted: string[], made: RegExpMatchArray | null): void {
  const count = made?.length ?? 0;
  if (count !== wanted.length) {
    throw new Error(`jco made ${count} ${what} that can suspend, not ${wanted.length}: ${wanted.join(", ")}`);
  }
}
