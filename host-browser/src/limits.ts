/** What an app may have in use at a time. Over a limit it gets an error, and may go on when it gave something back. */
export interface Limits {
  /** Files, directories, listings and streams that are open; over it `insufficient-memory`. Default: 512. */
  descriptors: number;
  /** Listings that are open, each with all its names; over it `insufficient-memory`. Default: 64. */
  listings: number;
  /** Mounts. Over it, mounting fails and says so. Default: 256. */
  mounts: number;
}

/** What holds where nothing else is said. */
export const LIMITS: Readonly<Limits> = { descriptors: 512, listings: 64, mounts: 256 };

/** The longest path that an app may give, in bytes of UTF-8: what Linux takes (`PATH_MAX`), on every system. */
export const LONGEST_PATH = 4096;

/** The limits that a page set, with the others at their defaults. Throws a `RangeError` for one that would not hold. */
export function limits(set: Partial<Limits> = {}): Limits {
  const all = { ...LIMITS, ...set };
  for (const [what, most] of Object.entries(all)) {
    if (!Number.isSafeInteger(most) || most < 1) {
      throw new RangeError(`the limit of ${what} has to be a whole number above 0, and is ${most}`);
    }
  }
  return all;
}
