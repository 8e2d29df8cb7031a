// Where an app's worker is, also for a page with Trusted Types: these take it from the policy `mountfs` only.
import { trustedTypes } from "./supported.js";

/** The address of the worker in an app's folder, for `new Worker`, which sees to it that it is of the page's origin. */
export function workerAddress(app: URL): string {
  // One for all apps: a page may forbid a second one of the same name.
  policy ??= made();
  return policy.createScriptURL(app.href);
}

/** A file in a folder, whatever is given: never an address that is a script itself, as `data:` is. */
const rules = { createScriptURL: (app: string): string => new URL("worker.js", app).href };

let policy: typeof rules | undefined;

function made(): typeof rules {
  try {
    return trustedTypes?.createPolicy("mountfs", rules) ?? rules;
  } catch {
    // The page does not want the policy, and may do without it, or have a default one.
    return rules;
  }
}
