// The command line of the package: `mountfs build APP.wasm -o DIST`. Parse, call, print, exit code.
import { parseArgs } from "node:util";
import { buildApp } from "./build.js";

const USAGE = `usage: mountfs build [option] ... APP.wasm -o DIST
Makes a folder of static files from an interpreter or another app, for createMountfs({ app: ".../DIST/" }) in a page.
APP.wasm : a component, or a WASI preview 1 command; also what \`mountfs compose\` made
-o DIST  : the folder to write to; it is made if it is missing
Options:
--no-minify : leave the JavaScript readable
-h, --help  : print this help
`;

const OPTIONS = {
  output: { type: "string", short: "o" },
  "no-minify": { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** Those of the command that `cargo install mountfs` makes, of which this one has the name. */
const NATIVE_VERBS = ["run", "compose", "grants", "doctor", "completions", "man"];

/** Runs the command line, without the name of the command itself, and answers its exit code. */
export async function main(argv: string[]): Promise<number> {
  const [first = ""] = argv;
  if (NATIVE_VERBS.includes(first)) {
    console.error(`mountfs: \`${first}\` is a verb of the native command: cargo install mountfs`);
    return 2;
  }
  try {
    const { values, positionals, tokens } = parse(argv);
    const [verb, app, ...rest] = positionals;
    const output = values.output;
    const isCall = verb === "build" && app && rest.length === 0 && typeof output === "string";
    const wrong = tokens.map(mistake).find(Boolean);
    if (values.help && !wrong) {
      console.log(USAGE);
      return 0;
    }
    if (wrong || !isCall) {
      console.error(`${USAGE}\nmountfs: ${wrong ?? "say `build`, one APP.wasm and -o DIST"}`);
      return 2;
    }
    const built = await buildApp(app, output, { minify: !values["no-minify"] });
    const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
    console.log(
      `${output}: ${built.files} files, ${mib(built.wasm)} of WebAssembly, ${mib(built.js)} of JavaScript; ` +
        `${built.suspending.imports.length} imports and ${built.suspending.exports.length} exports may suspend`,
    );
    return 0;
  } catch (error) {
    console.error(`mountfs: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

/** Not strictly: of a mistake, Node speaks to who programs with it. */
function parse(args: string[]) {
  return parseArgs({ args, options: OPTIONS, allowPositionals: true, strict: false, tokens: true });
}

/** What is wrong with a piece of the command line. */
function mistake(token: ReturnType<typeof parse>["tokens"][number]): string | undefined {
  if (token.kind !== "option") return undefined;
  const { name, rawName, value, inlineValue } = token;
  if (!Object.hasOwn(OPTIONS, name)) return `there is no option \`${rawName}\``;
  const isText = OPTIONS[name as keyof typeof OPTIONS].type === "string";
  if (isText && (!value || (!inlineValue && value.startsWith("-")))) return `\`${rawName}\` is without its value`;
  return !isText && value !== undefined ? `\`${rawName}\` takes no value` : undefined;
}
