// This project: CPython in a worker, driven by lines on its standard input, in a folder mounted by the page.
import type { Mountfs } from "../../../host-browser/dist/index.js";
import { type Contender, type Done, timed, type Work } from "./contender.ts";
import python from "./work.py";

/** Answers a line with a line. */
const LOOP = `
import sys
print("ready", flush=True)
for line in sys.stdin:
    print(measure(line), flush=True)
`;

let fs: Mountfs;
let answered: PromiseWithResolvers<string>;
let said = "";
let ask: (line: string) => void;

function next(): Promise<string> {
  answered = Promise.withResolvers();
  return answered.promise;
}

export const mountfs: Contender = {
  async start() {
    const { createMountfs } = await import("/mountfs/index.js" as string);
    fs = createMountfs({ app: "/python", name: "Python" });
    const print = (text: string) => {
      said += text;
      if (said.endsWith("\n")) {
        answered.resolve(said);
        said = "";
      }
    };
    const stdin = new ReadableStream<string>({ start: (lines) => void (ask = (line) => lines.enqueue(line)) });
    const ready = next();
    fs.run(["-c", python + LOOP], { name: "python", stdin, stdout: print, stderr: print }).then(
      (code) => answered.reject(new Error(`Python ended with ${code}: ${said}`)),
      (error) => answered.reject(error),
    );
    await ready;
  },
  mount: (handle) => timed(async () => void (await fs.mount("/local", { handle }))),
  sync: () =>
    timed(async () => {
      const { failures } = await fs.sync("/local");
      if (failures.length > 0) {
        throw new Error("the sync is not complete");
      }
    }),
  async work(work: Work): Promise<Done> {
    const answer = next();
    ask(JSON.stringify(work) + "\n");
    return JSON.parse(await answer);
  },
};
