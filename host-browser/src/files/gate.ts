/** Lets many through at a time, or one alone; who wants to be alone goes before those who came later. */
export class Gate {
  #inside = 0;
  #waiting: { alone: boolean; enter: () => void }[] = [];

  /** Runs `work` beside others. */
  shared<T>(work: () => Promise<T>): Promise<T> {
    return this.#run(false, work);
  }

  /** Runs `work` while nothing else runs. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#run(true, work);
  }

  async #run<T>(alone: boolean, work: () => Promise<T>): Promise<T> {
    if (this.#waiting.length > 0 || !this.#fits(alone)) {
      await new Promise<void>((enter) => this.#waiting.push({ alone, enter }));
    } else {
      this.#enter(alone);
    }
    try {
      return await work();
    } finally {
      this.#inside = alone ? 0 : this.#inside - 1;
      this.#next();
    }
  }

  #fits(alone: boolean): boolean {
    return alone ? this.#inside === 0 : this.#inside >= 0;
  }

  #enter(alone: boolean): void {
    this.#inside = alone ? -1 : this.#inside + 1;
  }

  #next(): void {
    for (let first = this.#waiting[0]; first && this.#fits(first.alone); first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#enter(first.alone);
      first.enter();
    }
  }
}
