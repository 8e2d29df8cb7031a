// What becomes of a folder's files when the guest and another program work in it at once: looked for on disk, with this
// project, Pyodide's `mountNativeFS` and ZenFS, each in a fresh headless browser on a folder of its own.
//
//     node fates.ts --results FILE
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cleanUp } from "../../host-browser/test/e2e/browser.ts";
import { Folder, text } from "./folders.ts";
import { serve } from "./serve.ts";
import { Session } from "./session.ts";

const CONTENDERS = ["mountfs", "pyodide", "zenfs"];
const FEW = { name: "4 files of 64 bytes", directories: 1, files: 4, size: 64 };
/** What the guest writes over the start of a file, and what the other program has in its place. */
const [GUEST, OTHER] = ["GUEST", text(0, 64).replace("00000", "OTHER")];

/** What happens, and what came of it: with the folder mounted, and in words. */
type Fate = (session: Session, at: (name: string) => string) => Promise<string>;

const FATES: Record<string, Fate> = {
  async "another program adds a file, then sync"(session, at) {
    writeFileSync(at("added.txt"), "added");
    await session.sync();
    return existsSync(at("added.txt")) ? "it stays" : "it is deleted";
  },
  async "another program removes a file, then sync"(session, at) {
    rmSync(at("0.txt"));
    await session.sync();
    return existsSync(at("0.txt")) ? "it comes back" : "it stays removed";
  },
  async "another program changes a file, sync, and the guest reads it"(session, at) {
    writeFileSync(at("0.txt"), OTHER);
    await session.sync();
    const saw = await session.see({ do: "read", path: "0.txt", offset: 0, length: 64 });
    return saw === OTHER ? "it sees the change" : "it sees what was there before";
  },
  async "both change a file, then sync"(session, at) {
    await session.see({ do: "overwrite", path: "0.txt", offset: 0, text: GUEST });
    writeFileSync(at("0.txt"), OTHER);
    await session.sync();
    const found = readdirSync(at(".")).map((name) => readFileSync(at(name), "utf8"));
    const [guests, others] = [found.some((text) => text.startsWith(GUEST)), found.includes(OTHER)];
    return guests && others ? "both versions are kept" : `the ${guests ? "other program" : "guest"}'s is lost`;
  },
};

const { values } = parseArgs({ options: { results: { type: "string" } } });
if (!values.results) {
  throw new Error("usage: node fates.ts --results FILE");
}
// Also when it is interrupted.
process.once("exit", cleanUp);
const host = await serve();
try {
  const fates = [];
  for (const [what, fate] of Object.entries(FATES)) {
    const results: Record<string, string> = {};
    for (const contender of CONTENDERS) {
      const folder = new Folder(FEW);
      const session = await Session.open(host.origin, contender, folder);
      try {
        await session.mount();
        results[contender] = await fate(session, (name) => join(folder.path, name));
        console.error(`${what}, ${contender}: ${results[contender]}`);
      } finally {
        await session.close();
      }
    }
    fates.push({ what, results });
  }
  writeFileSync(values.results, JSON.stringify(fates, undefined, 2) + "\n");
} finally {
  host.close();
}
