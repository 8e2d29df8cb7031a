// The one wrapper around every host function: in a composed app, anything but the error of the interface that comes out
// of one would hang the next call for ever.
import { breath, isBreathDue } from "./breath.js";

/** Answers the error of the interface for what a function threw, or undefined when it has none. */
export type Translate = (thrown: unknown) => unknown;

/** How many host functions have not answered yet. The watchdog knows by it that the app waits for us, not for ever. */
export const pending = { calls: 0 };

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** Wraps one function. One that answers at once still does. */
export function guarded(call: AnyFunction, translate: Translate): AnyFunction {
  const fail = (thrown: unknown): never => {
    throw translate(thrown);
  };
  return function (...args) {
    let result: unknown;
    try {
      result = call.apply(this, args);
    } catch (thrown) {
      return fail(thrown);
    }
    if (!(result instanceof Promise)) return result;
    pending.calls += 1;
    const answered = isBreathDue() ? result.finally(breath) : result;
    return answered.catch(fail).finally(() => (pending.calls -= 1));
  };
}

/** Wraps the functions of an interface, and the methods of its classes where they are. */
export function guardedInterface<T extends object>(functions: T, translate: Translate): T {
  const wrapped = Object.entries(functions).map(([name, value]) => {
    if (typeof value !== "function") return [name, value];
    // jco checks what it is given with `instanceof`: a class has to stay itself.
    if (/^[A-Z]/.test(name)) return [name, guardedClass(value as new () => object, translate)];
    return [name, guarded(value as AnyFunction, translate)];
  });
  return Object.fromEntries(wrapped) as T;
}

const done = new WeakSet<object>();

function guardedClass<C extends new (...args: never[]) => object>(type: C, translate: Translate): C {
  if (done.has(type)) return type;
  done.add(type);
  const prototype = type.prototype as Record<string, unknown>;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const { value, writable } = Object.getOwnPropertyDescriptor(prototype, name)!;
    if (name !== "constructor" && writable && typeof value === "function") {
      prototype[name] = guarded(value as AnyFunction, translate);
    }
  }
  return type;
}
