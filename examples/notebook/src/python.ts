// One Python that keeps its variables from cell to cell.
import type { Mountfs } from "mountfs";
import loop from "./loop.py?raw";

/** How a cell ended. */
export interface CellEnd {
  /** The text of its last line's value. */
  value?: string;
  /** Its traceback. */
  error?: string;
}

/** Where a cell that runs is heard. */
export interface Listener {
  print(text: string, stream: "out" | "err"): void;
  /** It waits for a line from the user; null is the end of the input. */
  ask(): Promise<string | null>;
}

interface Running {
  cell: number;
  listener: Listener;
  end(end: CellEnd): void;
}

/** What `loop.py` tells the page. */
type Told = { asks: true } | ({ cell: number } & CellEnd);

/** Comes before what it tells, and in nothing that a cell prints by accident. */
const MARK = `\x1e${crypto.randomUUID()} `;

/** A Python that runs cells. */
export class Python {
  readonly #fs: Mountfs;
  #count = 0;
  #lines!: Lines;
  #running: Running | undefined;
  #rest = "";

  constructor(fs: Mountfs) {
    this.#fs = fs;
    this.#start();
  }

  /** Runs a cell, and answers its number and how it ended. One at a time. */
  async run(source: string, listener: Listener): Promise<CellEnd & { cell: number }> {
    const cell = ++this.#count;
    const end = await new Promise<CellEnd>((resolve) => {
      this.#running = { cell, listener, end: resolve };
      this.#lines.push({ cell, source });
    });
    this.#running = undefined;
    return { cell, ...end };
  }

  /** Stops what runs. The next cell starts with no variables; folders stay open. */
  restart(): Promise<void> {
    this.#running?.end({ error: "Stopped." });
    this.#running = undefined;
    this.#count = 0;
    const stopped = this.#fs.stop();
    // What comes from now on waits for the stop; what the old one still says is nobody's any more.
    this.#start();
    return stopped;
  }

  #start(): void {
    const lines = (this.#lines = new Lines());
    this.#rest = "";
    const mine = () => lines === this.#lines;
    void this.#fs
      .run(["-c", loop, MARK], {
        name: "python",
        stdin: lines,
        stdout: (text) => mine() && this.#out(text),
        stderr: (text) => mine() && this.#running?.listener.print(text, "err"),
      })
      .then(
        (code) => `Python ended (${code}).`,
        (error: unknown) => String(error),
      )
      .then((why) => {
        if (!mine()) return;
        this.#running?.end({ error: `${why} Its variables are gone; the folder is as it was.` });
        this.#count = 0;
        this.#start();
      });
  }

  /** Output, and what is told between. */
  #out(text: string): void {
    this.#rest += text;
    for (;;) {
      const mark = this.#rest.indexOf(MARK);
      const plain = mark < 0 ? withoutBegun(this.#rest) : this.#rest.slice(0, mark);
      if (plain) this.#running?.listener.print(plain, "out");
      this.#rest = this.#rest.slice(plain.length);
      const end = this.#rest.indexOf("\n");
      if (mark < 0 || end < 0) return;
      const told = JSON.parse(this.#rest.slice(MARK.length, end)) as Told;
      this.#rest = this.#rest.slice(end + 1);
      this.#told(told);
    }
  }

  #told(told: Told): void {
    const running = this.#running;
    if ("asks" in told) {
      const lines = this.#lines;
      // After a restart the answer is for nobody: the lines are others.
      void running?.listener.ask().then((answer) => lines.push(answer));
    } else if (told.cell === running?.cell) running.end(told);
  }
}

/** Without a mark of which the rest has not come yet. */
function withoutBegun(text: string): string {
  const begun = text.lastIndexOf(MARK.charAt(0));
  return begun >= 0 && MARK.startsWith(text.slice(begun)) ? text.slice(0, begun) : text;
}

/** Standard input that goes on for as long as the page: a line of JSON for each thing that is pushed. */
class Lines implements AsyncIterable<string> {
  readonly #waiting: string[] = [];
  #wake: (() => void) | undefined;

  push(value: unknown): void {
    this.#waiting.push(`${JSON.stringify(value)}\n`);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      while (this.#waiting.length) yield this.#waiting.shift()!;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
