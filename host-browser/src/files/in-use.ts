// What one guest has in use here: counted, so that it can be bounded, and let go of when the guest is gone without a word.
import type { Limits } from "../limits.js";
import { Failure } from "./errors.js";

/** Lets go of something; the second time it does nothing. */
export type Release = () => void;

/** What one guest has in use. */
export class InUse {
  #ended = false;
  readonly #all = { descriptors: new Set<Release>(), listings: new Set<Release>(), mounts: new Set<Release>() };

  /** Without limits, it only remembers. */
  constructor(private readonly limits?: Limits) {}

  /** Whether there may be one more. */
  hasRoom(what: keyof Limits): boolean {
    return !this.#ended && this.#all[what].size < (this.limits?.[what] ?? Infinity);
  }

  /** Throws `insufficient-memory` when there may not: for what must not have begun to happen by then. */
  check(what: keyof Limits): void {
    if (!this.hasRoom(what)) {
      throw new Failure("insufficient-memory");
    }
  }

  /** Counts one more, and answers what lets go of it, which is also done when the guest is gone. */
  take(what: keyof Limits, letGo: () => void = () => {}): Release {
    this.check(what);
    const those = this.#all[what];
    const release = () => {
      if (those.delete(release)) {
        letGo();
      }
    };
    those.add(release);
    return release;
  }

  /** The guest is gone: nothing of it is open any more, and what it waited for is not opened either. */
  end(): void {
    this.#ended = true;
    for (const those of Object.values(this.#all)) {
      those.forEach((release) => release());
    }
  }
}
