// Pyodide in a worker, with its `mountNativeFS`, which copies the folder into memory.
import { answer, timed } from "./contender.ts";
import python from "./work.py";

let pyodide: any;
let mounted: { syncfs(): Promise<void> };

answer({
  async start() {
    const { loadPyodide } = await import("/pyodide/pyodide.mjs" as string);
    pyodide = await loadPyodide();
    pyodide.runPython(python);
  },
  mount: (folder) => timed(async () => void (mounted = await pyodide.mountNativeFS("/local", folder))),
  sync: () => timed(() => mounted.syncfs()),
  work: async (work) => JSON.parse(pyodide.globals.get("measure")(JSON.stringify(work))),
});
