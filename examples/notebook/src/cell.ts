// One cell: an editor, and what running it gave.
import { highlight } from "./highlight.js";
import type { CellEnd } from "./python.js";

/** What a cell asks of the notebook. */
export interface CellActions {
  run(cell: Cell, then: "next" | "stay"): void;
  remove(cell: Cell): void;
}

/** A cell in the page. */
export class Cell {
  readonly element = document.createElement("li");
  readonly #editor: HTMLTextAreaElement;
  readonly #colours: HTMLElement;
  readonly #number: HTMLElement;
  readonly #output: HTMLElement;
  readonly #time: HTMLElement;

  constructor(source: string, note: string, actions: CellActions) {
    this.element.className = "cell";
    this.element.innerHTML = `
      <p class="note"></p>
      <div class="box">
        <div class="gutter"><span class="number" aria-hidden="true"></span><button class="run" type="button" aria-label="Run this cell" title="Run (Shift+Enter)"><svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4.5 2.8v10.4L13 8z"/></svg></button></div>
        <div class="code"><pre aria-hidden="true"></pre><textarea spellcheck="false" autocapitalize="off" autocomplete="off" aria-label="Python code" rows="1"></textarea></div>
        <button class="remove" type="button" aria-label="Remove this cell" title="Remove">×</button>
        <div class="output" role="log" aria-label="Output"></div>
        <div class="time"></div>
      </div>`;
    const find = <E extends HTMLElement>(selector: string) => this.element.querySelector<E>(selector)!;
    this.#editor = find("textarea");
    this.#colours = find("pre");
    this.#number = find(".number");
    this.#output = find(".output");
    this.#time = find(".time");
    find(".note").textContent = note;
    // Else all editors have one name.
    if (note) this.#editor.setAttribute("aria-label", `Python code: ${note}`);
    this.#editor.value = source;
    this.#colour();
    this.#editor.addEventListener("input", () => this.#colour());
    this.#editor.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        actions.run(this, event.shiftKey ? "next" : "stay");
      } else if (event.key === "Enter") this.#indent(event);
      else if (event.key === "Escape") edits = false;
      else if (event.key === "Tab" && !event.shiftKey && edits) {
        event.preventDefault();
        this.#insert("    ");
      }
    });
    // Tab indents for whoever writes here. Whoever only comes by goes on with it to the next control, as everywhere.
    let edits = false;
    this.#editor.addEventListener("focus", () => (edits = false));
    for (const event of ["input", "pointerdown"]) this.#editor.addEventListener(event, () => (edits = true));
    find(".run").addEventListener("click", () => actions.run(this, "stay"));
    find(".remove").addEventListener("click", () => actions.remove(this));
  }

  get source(): string {
    return this.#editor.value;
  }

  focus(): void {
    this.#editor.focus();
  }

  /** Before it runs. */
  start(): void {
    this.element.dataset["state"] = "running";
    this.#number.textContent = "*";
    this.#output.replaceChildren();
    this.#time.textContent = "";
  }

  print(text: string, stream: "out" | "in" | "err" | "value" | "error"): void {
    const last = this.#output.lastElementChild;
    if (last?.className === stream) last.append(text);
    else {
      const block = document.createElement("pre");
      block.className = stream;
      block.append(text);
      this.#output.append(block);
    }
    this.#output.scrollTop = this.#output.scrollHeight;
  }

  /** Asks the user for a line, under what was printed. Null is the end of the input. */
  ask(): Promise<string | null> {
    const before = document.activeElement;
    const form = document.createElement("form");
    form.className = "ask";
    form.innerHTML = `<input autocomplete="off" autocapitalize="off" spellcheck="false" enterkeyhint="send"><small>Enter sends it, Escape ends the input.</small>`;
    const field = form.querySelector("input")!;
    // What Python printed last, on this line, is the question.
    field.setAttribute("aria-label", this.#output.textContent?.split("\n").at(-1)?.trim() || "A line for Python");
    this.#output.append(form);
    field.focus();
    return new Promise((resolve) => {
      const answer = (line: string | null) => {
        form.remove();
        this.print(`${line ?? ""}\n`, "in");
        if (before instanceof HTMLElement) before.focus();
        resolve(line);
      };
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        answer(field.value);
      });
      field.addEventListener("keydown", ({ key }) => key === "Escape" && answer(null));
    });
  }

  /** After it ran. */
  end({ cell, value, error }: CellEnd & { cell: number }, milliseconds: number): void {
    // Whom it still asked for, it needs no more.
    this.#output.querySelector("form")?.remove();
    if (value !== undefined) this.print(value, "value");
    if (error !== undefined) this.print(error.trimEnd(), "error");
    this.element.dataset["state"] = error === undefined ? "done" : "failed";
    this.#number.textContent = String(cell);
    this.#time.textContent = milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
  }

  #colour(): void {
    highlight(this.#editor.value, this.#colours);
  }

  #lineStart(): number {
    return this.#editor.value.lastIndexOf("\n", this.#editor.selectionStart - 1) + 1;
  }

  #indent(event: KeyboardEvent): void {
    event.preventDefault();
    const line = this.#editor.value.slice(this.#lineStart(), this.#editor.selectionStart);
    const spaces = /^ */.exec(line)?.[0] ?? "";
    this.#insert(`\n${spaces}${line.trimEnd().endsWith(":") ? "    " : ""}`);
  }

  #insert(text: string): void {
    const { selectionStart, selectionEnd } = this.#editor;
    this.#editor.setRangeText(text, selectionStart, selectionEnd, "end");
    this.#colour();
  }
}
