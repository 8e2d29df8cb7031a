// What the user is asked, apart from how.
import type { Access, GrantKey } from "../wit.js";

/** What the user is asked. */
export interface Question {
  /**
   * `choose`: a folder of this computer. `again`: the folder they chose before, whose permission lapsed or is too
   * narrow. `private`: this browser has no picker; whether its private storage will do.
   */
  kind: "choose" | "again" | "private";
  /** What it is for. */
  key: GrantKey;
  /** What the app wants to do there. */
  access: Access;
  /** The folder's name, with `again`. */
  label?: string;
}

/** Asks the user. Replace it to ask in the page's own way. */
export interface GrantDialog {
  /**
   * Shows the question, and calls `act` in the handler of the click that says yes, because only there does the browser
   * let us open its picker or its prompt. A folder that was dropped on the dialog is handed to `act`.
   *
   * Resolves with what `act` gave. Rejects with `{ tag: "cancelled" }` when the dialog is closed, with
   * `{ tag: "denied" }` when the user says no, and with what `act` threw. When `moot` is aborted, nobody waits for the
   * answer any more: then the dialog should go, and its reason is what to reject with.
   */
  ask<T>(question: Question, act: (dropped?: FileSystemDirectoryHandle) => Promise<T>, moot: AbortSignal): Promise<T>;
}
