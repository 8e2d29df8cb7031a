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

/** Runs the command line, without the name of the command itself, and answers its exit code. */
export async function main(argv: string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        output: { type: "string", short: "o" },
        "no-minify": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const [verb, app, ...rest] = positionals;
    if (verb !== "build" || !app || rest.length || !values.output) {
      console.error(`${USAGE}\nmountfs: say \`build\`, one APP.wasm and -o DIST`);
      return 2;
    }
    const built = await buildApp(app, values.output, { minify: !values["no-minify"] });
    const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
    console.log(
      `${values.output}: ${built.files} files, ${mib(built.wasm)} of WebAssembly, ${mib(built.js)} of JavaScript; ` +
        `${built.suspending.imports.length} imports and ${built.suspending.exports.length} exports may suspend`,
    );
    return 0;
  } catch (error) {
    console.error(`mountfs: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}
