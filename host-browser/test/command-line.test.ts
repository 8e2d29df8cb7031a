// The command line of the package, which has one verb, and has the name of the native command that has the others.
import { afterEach, expect, it, vi } from "vitest";
import { main } from "../src/build/main.js";

afterEach(() => void vi.restoreAllMocks());

/** The exit code, and what was said to standard error. */
async function said(...argv: string[]): Promise<[number, string]> {
  const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
  return [await main(argv), error.mock.calls.join("\n")];
}

it.each(["run", "compose", "grants", "doctor", "man", "completions"])("says in a line where the verb `%s` is", async (verb) => {
  const [code, text] = await said(verb, "--mount", "/data=data", "python.wasm");
  expect(code).toBe(2);
  expect(text).toBe(`mountfs: \`${verb}\` is a verb of the native command: cargo install mountfs`);
});

it.each([
  [["build", "a.wasm", "--minify", "-o", "dist"], "there is no option `--minify`"],
  [["build", "a.wasm", "-x"], "there is no option `-x`"],
  [["build", "a.wasm", "-o"], "`-o` is without its value"],
  [["build", "a.wasm", "--output"], "`--output` is without its value"],
  [["build", "a.wasm", "-o", "--no-minify"], "`-o` is without its value"],
  [["build", "a.wasm", "-o", "dist", "--no-minify=yes"], "`--no-minify` takes no value"],
  [["build", "-o", "dist"], "say `build`, one APP.wasm and -o DIST"],
  [["bild", "a.wasm", "-o", "dist"], "say `build`, one APP.wasm and -o DIST"],
])("says what is wrong with %j", async (argv, why) => {
  const [code, text] = await said(...argv);
  expect(code).toBe(2);
  expect(text).toMatch(/^usage: mountfs build/);
  expect(text).toMatch(new RegExp(`\nmountfs: ${why}$`));
});
