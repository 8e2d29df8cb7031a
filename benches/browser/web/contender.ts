// What is measured: each contender is this, in its page or in a worker of it.

/** Something to do in the mounted folder. Paths are relative to it. */
export type Work =
  | { do: "read"; path: string; offset: number; length: number }
  /** List every directory, and look at each file's size. */
  | { do: "walk" }
  | { do: "read_all" }
  /** Open a file that is there, and write into the middle of it. */
  | { do: "overwrite"; path: string; offset: number; text: string }
  /** Make a directory, and so many files in it. */
  | { do: "create"; folder: string; count: number; text: string };

/** How long it took, in milliseconds, and what it saw: the text that was read, or how many bytes there are in all. */
export interface Done {
  took: number;
  saw: string | number | null;
}

/** One way to a local folder. */
export interface Contender {
  /** All that is needed before a folder can be mounted: the interpreter runs, for example. Not measured. */
  start(): Promise<void>;
  mount(folder: FileSystemDirectoryHandle): Promise<Done>;
  sync(): Promise<Done>;
  work(work: Work): Promise<Done>;
}

/** Does something, and says how long that took. */
export async function timed(work: () => unknown): Promise<Done> {
  const begun = performance.now();
  const saw = (await work()) as Done["saw"];
  return { took: performance.now() - begun, saw: saw ?? null };
}

/** Makes a contender that lives in a worker answer the page, one call after another. */
export function answer(contender: Contender): void {
  addEventListener("message", async ({ data: [name, ...args] }) => {
    try {
      const call = contender[name as keyof Contender] as (...args: unknown[]) => Promise<unknown>;
      postMessage({ ok: await call.apply(contender, args) });
    } catch (error) {
      postMessage({ error: String(error) });
    }
  });
}

/** A contender that lives in a worker, as the page calls it. What it measures it measures there. */
export function inWorker(worker: Worker): Contender {
  const call = (...message: unknown[]) =>
    new Promise<any>((resolve, reject) => {
      worker.onmessage = ({ data }) => ("ok" in data ? resolve(data.ok) : reject(new Error(data.error)));
      worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
      worker.postMessage(message);
    });
  return {
    start: () => call("start"),
    mount: (folder) => call("mount", folder),
    sync: () => call("sync"),
    work: (work) => call("work", work),
  };
}
