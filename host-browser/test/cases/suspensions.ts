// Below all code of ours and of the transpiler's: how often WebAssembly is suspended, and a clock that can be stopped.

interface Suspending {
  new (call: (...args: unknown[]) => unknown): object;
}

/** The suspensions of a worker, counted once this is made; what was made before is not. */
export class Suspensions {
  #count = 0;

  constructor() {
    const api = WebAssembly as unknown as { Suspending: Suspending };
    const { Suspending } = api;
    const counted = (call: (...args: unknown[]) => unknown) =>
      new Suspending((...args) => {
        const answer = call(...args);
        if (answer instanceof Promise) this.#count += 1;
        return answer;
      });
    // As a constructor, which answers an object of its own.
    api.Suspending = function (call: (...args: unknown[]) => unknown) {
      return counted(call);
    } as unknown as Suspending;
  }

  /** How many since it was asked last. */
  take(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }
}

/** From now on no time passes by the clock that tells how long something is known: a slow machine forgets nothing. */
export function stopClock(): void {
  const now = performance.now();
  performance.now = () => now;
}
