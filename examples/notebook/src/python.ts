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

interface Running {
  cell: number;
  print(text: string, stream: "out" | "err"): void;
  end(end: CellEnd): void;
}

/** A Python that runs cells. */
export class Python {
  readonly #fs: Mountfs;
  #count = 0;
  #lines!: Lines;
  #running: Running | undefined;
  #restarting: Promise<void> = Promise.resolve();
  #rest = "";

  constructor(fs: Mountfs) {
    this.#fs = fs;
    this.#start();
  }

  /** Runs a cell, and answers its number and how it ended. One at a time. */
  async run(source: string, print: Running["print"]): Promise<CellEnd & { cell: number }> {
    await this.#restarting;
    const cell = ++this.#count;
    const end = await new Promise<CellEnd>((resolve) => {
      this.#running = { cell, print, end: resolve };
      this.#lines.push(`${JSON.stringify({ cell, source })}\n`);
    });
    this.#running = undefined;
    return { cell, ...end };
  }

  /** Stops what runs. The next cell starts with no variables; folders stay open. */
  restart(): Promise<void> {
    this.#restarting = this.#restart();
    return this.#restarting;
  }

  async #restart(): Promise<void> {
    this.#running?.end({ error: "Stopped." });
    this.#running = undefined;
    this.#count = 0;
    // What the old one still says is nobody's any more.
    this.#lines = new Lines();
    await this.#fs.stop();
    this.#start();
  }

  #start(): void {
    const lines = (this.#lines = new Lines());
    this.#rest = "";
    const mine = () => lines === this.#lines;
    void this.#fs
      .run(["-c", loop], {
        name: "python",
        stdin: lines,
        stdout: (text) => mine() && this.#out(text),
        stderr: (text) => mine() && this.#running?.print(text, "err"),
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

  /** Output, in which the ends of cells are between two control characters. */
  #out(text: string): void {
    this.#rest += text;
    for (;;) {
      const from = this.#rest.indexOf("\x1e");
      const plain = from < 0 ? this.#rest : this.#rest.slice(0, from);
      if (plain) this.#running?.print(plain, "out");
      this.#rest = this.#rest.slice(plain.length);
      const to = this.#rest.indexOf("\x1f");
      if (to < 0) return;
      const { cell, ...end } = JSON.parse(this.#rest.slice(1, to)) as CellEnd & { cell: number };
      this.#rest = this.#rest.slice(to + 1);
      if (this.#running?.cell === cell) this.#running.end(end);
    }
  }
}

/** Standard input that goes on for as long as the page. */
class Lines implements AsyncIterable<string> {
  readonly #waiting: string[] = [];
  #wake: (() => void) | undefined;

  push(line: string): void {
    this.#waiting.push(line);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      while (this.#waiting.length) yield this.#waiting.shift()!;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
