// Keeps the page's calls and the app's calls of the mountfs component apart.
//
// jco 1.35 notes the calls from one component to another on a stack. When the page calls the mountfs component while the
// app is suspended inside it, or the other way round, it takes one call's end for the other's, and both fail. So each
// crossing into the component asks a gate (`src/worker/gate.ts`), which the worker closes while the page has its turn.
import { replaced } from "./replaced.js";

const ENTER = "function _symmetricSyncGuestCallEnter(callerComponentIdx, calleeIsAsync, calleeComponentIdx, syncOnly = false) {";
const EXIT = "function _symmetricSyncGuestCallExit() {";

/** The first try of a crossing may not wait: it answers 0, and is made again as one that may. */
const ASK = `
  const gate = imports["mountfs:gate"];
  if (gate.closed) {
    if (syncOnly) return 0;
    return gate.opened().then(() => _symmetricSyncGuestCallEnter(callerComponentIdx, calleeIsAsync, calleeComponentIdx));
  }
  const entered = crossSymmetricSyncGuestCall(callerComponentIdx, calleeIsAsync, calleeComponentIdx, syncOnly);
  if (entered !== 0) gate.enter();
  return entered;
}
function crossSymmetricSyncGuestCall(callerComponentIdx, calleeIsAsync, calleeComponentIdx, syncOnly) {`;

/** Puts the gate into jco's output. */
export function withGate(js: string): string {
  return replaced(replaced(js, ENTER, ENTER + ASK), EXIT, `${EXIT}\n  imports["mountfs:gate"].leave();`);
}
