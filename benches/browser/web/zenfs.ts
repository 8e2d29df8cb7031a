// ZenFS in a worker, with the folder as its root and its synchronous functions: it copies the folder into memory, too.
import { configureSingle, fs, mounts } from "@zenfs/core";
import { WebAccess } from "@zenfs/dom";
import { answer, timed, type Work } from "./contender.ts";

const files = (at: string): string[] =>
  fs.readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
    const path = `${at === "/" ? "" : at}/${entry.name}`;
    return entry.isDirectory() ? files(path) : [path];
  });

function run(work: Work): string | number | void {
  switch (work.do) {
    case "read": {
      const file = fs.openSync(`/${work.path}`, "r");
      const bytes = new Uint8Array(work.length);
      const length = fs.readSync(file, bytes, 0, work.length, work.offset);
      fs.closeSync(file);
      return new TextDecoder().decode(bytes.subarray(0, length));
    }
    case "walk":
      return files("/").reduce((sum, path) => sum + fs.statSync(path).size, 0);
    case "read_all":
      return files("/").reduce((sum, path) => sum + fs.readFileSync(path).length, 0);
    case "overwrite": {
      const file = fs.openSync(`/${work.path}`, "r+");
      fs.writeSync(file, new TextEncoder().encode(work.text), 0, work.text.length, work.offset);
      fs.closeSync(file);
      return;
    }
    case "create":
      fs.mkdirSync(`/${work.folder}`);
      for (let number = 0; number < work.count; number++) {
        fs.writeFileSync(`/${work.folder}/${number}.txt`, work.text);
      }
  }
}

answer({
  start: async () => {},
  mount: (handle) => timed(() => configureSingle({ backend: WebAccess, handle })),
  sync: () => timed(() => mounts.get("/")!.sync()),
  work: (work) => timed(() => run(work)),
});
