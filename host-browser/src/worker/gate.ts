// Whose turn it is in the mountfs component: the app's, which enters it with each call on a file, or the page's.
// `src/build/gate.ts` says why, and puts the calls of `enter`, `leave`, `closed` and `opened` into the app's crossings.
import { breath, isBreathDue } from "./breath.js";
import { pending } from "./guard.js";

/** The gate of one instance. */
export class Gate {
  /** The app may not enter. */
  closed = false;
  /** How many keep it closed: the page in its turn, and a breath. */
  #holds = 0;
  /** How deep the app is inside. */
  #inside = 0;
  /** The app stands at the gate. */
  #held = false;
  #reopen: (() => void) | undefined;
  #open: Promise<void> = Promise.resolve();
  #left: (() => void) | undefined;
  #turns: Promise<unknown> = Promise.resolve();

  /** The app may enter again. */
  opened(): Promise<void> {
    this.#held = true;
    return this.#open;
  }

  enter(): void {
    this.#inside += 1;
  }

  leave(): void {
    this.#inside -= 1;
    if (!this.#inside) this.#outside();
  }

  /** The app is over, also when it was inside: nothing will leave any more. */
  over(): void {
    this.#inside = 0;
    this.#outside();
  }

  #outside(): void {
    if (this.#left) {
      // At once, before the app can enter again: else the page would wait for as long as the app is busy with files.
      this.#hold();
      this.#left();
      this.#left = undefined;
    } else if (isBreathDue()) {
      void this.#breathe();
    }
  }

  /** Gives the page a turn: as soon as the app is outside, and one after another. */
  turn<T>(call: () => Promise<T>): Promise<T> {
    const mine = this.#turns.then(async () => {
      if (this.#inside) await new Promise<void>((resolve) => (this.#left = resolve));
      else this.#hold();
      try {
        return await call();
      } finally {
        this.#release();
      }
    });
    this.#turns = mine.catch(() => undefined).then(() => this.#pause());
    return mine;
  }

  /** Lets the app in between two turns: else a page that asks all the time would stop it. */
  async #pause(): Promise<void> {
    if (this.#held) await new Promise((resolve) => setTimeout(resolve));
    this.#held = false;
  }

  /** Keeps the app out while the worker takes a breath. It waits for us then, as for the answer of a host function. */
  async #breathe(): Promise<void> {
    this.#hold();
    pending.calls += 1;
    await breath();
    pending.calls -= 1;
    this.#release();
  }

  #hold(): void {
    this.#holds += 1;
    if (this.closed) return;
    this.closed = true;
    this.#open = new Promise((resolve) => (this.#reopen = resolve));
  }

  #release(): void {
    this.#holds -= 1;
    if (this.#holds) return;
    this.closed = false;
    this.#reopen?.();
  }
}
