// Lets a function of the host answer at once where it can, without suspending the app.
//
// jco 1.35 makes a task of each call to the host, and suspends the app in each that may have to wait, whether it has to
// or not: ten promises, and an exception that it throws and swallows itself, for what is mostly known already. Tasks are
// there for WASI 0.3; in an app of WASI 0.2, which is all that a page takes, nobody asks for those of the host. And
// `WebAssembly.Suspending` suspends for a promise only. So a function that may have to wait is made one of two steps: up
// to the host's answer, and what is done with it. The second follows at once, unless the answer is a promise.
import { replaced } from "./replaced.js";

/** What jco makes of each function of the host: it lifts what is given, calls the host, and lowers its answer. */
const FUNCTION =
  /(?<=\n  const _trampoline(\d+) = )(async )?function(\(.*\) \{\n)([\s\S]*?)(?=\n  \}\n  _trampoline\1\.fnName = )/g;

/** The making of its task, up to where that is entered, which differs for a function that may wait. */
const TASK =
  /const hostProvided = true;\n[\s\S]*\n +const started = (?:task\.enterSync\(\);|await task\.enter\(.*\);\n +if \(!started\) \{\n[\s\S]*?throw new Error\("failed to enter task"\);\n +\})/g;

/** The call of the host in that task. */
const CALL =
  /(?:await +)?_withGlobalCurrentTaskMeta(?:Async)?\(\{\s+componentIdx: task\.componentIdx\(\),\s+taskID: task\.id\(\),\s+fn: \(\) => (_trackHostOperation\([\s\S]*?\)),\s+\}\)/g;

/** Around what calls a function that may wait: it suspends the app before it is known whether it has to be. */
const WAITING = /_suspendingImport\(\d+, (?=_lowerImportBackwardsCompat\.bind\()/g;

/** What calls each of them. */
const LOWER = /^ *function _lowerImportBackwardsCompat\(args\) \{\n[\s\S]*?^ {2}\}$/gm;

/** The same without tasks. While an instance starts there is none at all, and a component that it calls looks for one. */
const ANSWER = `
  const _hostTask = { id() {}, getParentSubtask() {}, resolve() {}, reject() {}, setErrored() {}, exit() {} };
  function _lowerImportBackwardsCompat({ componentIdx, isManualAsync, importFn }, ...params) {
    _checkMayLeave(componentIdx);
    if (!getCurrentTask(componentIdx)) createNewCurrentTask({ componentIdx, callingWasmExport: false });
    if (!isManualAsync) return importFn(...params);
    const steps = importFn(...params);
    const { value } = steps.next();
    if (!(value instanceof Promise)) return steps.next(value).value;
    const answered = value.then((answer) => steps.next(answer), (thrown) => steps.throw(thrown));
    return _suspendingImport(componentIdx, () => answered.then(({ value }) => value))();
  }`;

/** Makes the functions of the host in jco's output answer at once where they can. */
export function answeringAtOnce(js: string): string {
  let functions = 0;
  const stepwise = js.replace(FUNCTION, (_, __, waits: string | undefined, parameters: string, body: string) => {
    functions += 1;
    const free = replaced(body, TASK, "const task = _hostTask;");
    return `function${waits ? "*" : ""}${parameters}${replaced(free, CALL, waits ? "yield $1" : "$1")}`;
  });
  return replaced(replaced(stepwise, WAITING, "(", functions), LOWER, ANSWER);
}
