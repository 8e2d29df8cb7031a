// Notes of the swap files that are being written in a folder, in a file that outlives the browser. Each is written down
// by a synchronous call of the browser's before the swap file is made, so that nothing has to be waited for. They are not
// in IndexedDB, which could hold the folder's handle: a browser that is killed while it writes there may lose all that is
// in it (`grants/store.ts`).
import type { LogFile } from "../journal/log.js";

/** A swap file. */
export interface NotedSwap {
  /** Its path in the folder. */
  path: string[];
  /** When it was noted, in milliseconds: it is no older. */
  since: number;
}

/** The notes of one worker about one folder. They never throw: the guest's writes do not depend on them. */
export class SwapNotes {
  readonly #file: LogFile;
  readonly #noted = new Set<number>();
  #numbers = 0;
  #size = 0;

  /** In a file that is empty. */
  constructor(file: LogFile) {
    this.#file = file;
  }

  /** Whether all that were noted are gone. */
  get isEmpty(): boolean {
    return this.#noted.size === 0;
  }

  /** Notes one that will be made next. What it answers is to be called when that is gone. */
  add(path: string[]): () => void {
    const number = ++this.#numbers;
    this.#noted.add(number);
    this.#write([number, path, Date.now()]);
    return () => this.#strike(number);
  }

  /** Nothing is noted any more; what is in the file stays. */
  close(): void {
    this.#noted.clear();
    this.#file.close();
  }

  #strike(number: number): void {
    if (!this.#noted.delete(number)) {
      return;
    }
    if (this.isEmpty) {
      this.#cut(0);
    } else {
      this.#write([number]);
    }
  }

  /** A line is torn when the worker dies in it, and then it is no JSON. */
  #write(line: Line): void {
    const bytes = new TextEncoder().encode(`${JSON.stringify(line)}\n`);
    try {
      if (this.#file.write(bytes, { at: this.#size }) === bytes.length) {
        this.#size += bytes.length;
        return;
      }
    } catch {
      // What is not noted stays in the folder if the browser dies.
    }
    this.#cut(this.#size);
  }

  #cut(size: number): void {
    try {
      this.#file.truncate(size);
      this.#size = size;
    } catch {
      // What is struck out in vain is gone all the same.
    }
  }
}

/** A swap file, or only the number of one that is gone. */
type Line = [number: number, path?: string[], since?: number];

/** Those that a worker which died had not struck out. */
export async function swapsIn(notes: Blob): Promise<NotedSwap[]> {
  const noted = new Map<number, NotedSwap>();
  for (const line of (await notes.text()).split("\n")) {
    const [number, path, since] = parse(line);
    if (path && since !== undefined) {
      noted.set(number, { path, since });
    } else {
      noted.delete(number);
    }
  }
  return [...noted.values()];
}

function parse(line: string): Line {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return [0];
  }
}
