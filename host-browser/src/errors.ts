import { shown } from "./shown.js";
import type { SyncReport, WitError } from "./wit.js";

/** Why a call of {@link Mountfs} failed, for programs. */
export type MountfsErrorCode = WitError["tag"];

/** What {@link Mountfs} throws: which call failed, on which path, why, and what to do about it. */
export class MountfsError extends Error {
  /** The name of the class. */
  override readonly name = "MountfsError";

  constructor(
    message: string,
    /** The name of the error in the interface, such as `"busy"`, `"not-mounted"` or `"cancelled"`. */
    readonly code: MountfsErrorCode,
    /** The mount point. */
    readonly path: string,
    /** With `"incomplete"`: what was synced, and what was not. */
    readonly report?: SyncReport,
  ) {
    super(message);
  }

  /** The error of a call, in words. `id` is that of a mount that was wanted. */
  static of(verb: string, path: string, error: WitError, id?: string): MountfsError {
    const report = error.tag === "incomplete" ? error.val : undefined;
    return new MountfsError(`cannot ${verb} ${shown(path)}: ${words(error, id)}`, error.tag, path, report);
  }
}

function words(error: WitError, id: string | undefined): string {
  switch (error.tag) {
    case "invalid-path":
      return `${error.val}; use an absolute path such as /local`;
    case "invalid-id":
      return error.val;
    case "not-mounted":
      return "nothing is mounted there";
    case "already-mounted":
      if (error.val === id) {
        return `it is mounted already, with id ${id}, but another folder or access; unmount it first, or use another path`;
      }
      return (
        `it is mounted already, with id ${error.val}; mount it with { id: "${error.val}" } and the same access, use another ` +
        "path, or unmount it first"
      );
    case "busy":
      return "another call for it is under way; try again when that is done";
    case "cancelled":
      return "no folder was chosen";
    case "denied":
      return "it was not allowed";
    case "needs-user-activation":
      return "the user can be asked only right after a click or a key press";
    case "unsupported":
      return `this browser does not do it: ${error.val}`;
    case "incomplete": {
      const left = error.val.failures.map(({ path, reason }) => `${shown(path)}: ${reason}`).join("; ");
      return `not everything could be written (${left})`;
    }
    case "other":
      return error.val;
  }
}
