// Names and paths, before the browser sees them. Which names a folder takes is asked of the browser; here is only what
// it would answer wrongly: it cuts a name at NUL, and puts another character in the place of a lone surrogate.
import { LONGEST_PATH } from "../limits.js";
import { bytes, Failure, isLonger, LONGEST_NAME } from "./errors.js";

const SWAP = ".crswap";

/** Devices of Windows that Chromium does not know: it refuses `COM1`, and takes `COM¹`, which is the same there. */
const DEVICE = /^(?:com|lpt)[¹²³] *(?:[.:]|$)/i;

/** A path, taken apart. */
export interface Path {
  /** Its parts, `..` among them; neither `.` nor empty ones. */
  parts: string[];
  /** Whether it must lead to a directory: it ends with `/` or `.`. */
  directory: boolean;
  /** Whether it ends with a name; one that ends with `.` or `..` is of what is there, and nothing is made or removed by it. */
  named: boolean;
}

/** Takes a relative path apart. Throws `no-entry`, `not-permitted`, `invalid` or `name-too-long`. */
export function parse(path: string): Path {
  if (path === "") {
    // As POSIX has it.
    throw new Failure("no-entry");
  }
  // Before it is taken apart: it can be as long as the guest's memory.
  if (isLonger(path, LONGEST_PATH)) {
    throw new Failure("name-too-long");
  }
  if (path.startsWith("/")) {
    throw new Failure("not-permitted");
  }
  const all = path.split("/");
  const parts = all.filter((part) => part !== "" && part !== ".");
  for (const part of parts) {
    check(part);
  }
  const last = all.findLast((part) => part !== "");
  const named = last !== undefined && last !== "." && last !== "..";
  return { parts, directory: !named || all.at(-1) === "", named };
}

/** Throws `invalid` or `name-too-long` for what is no name anywhere. */
export function check(name: string): void {
  if (name === "" || name.includes("\0") || name.includes("/") || !name.isWellFormed()) {
    throw new Failure("invalid");
  }
  if (isLonger(name, LONGEST_NAME)) {
    throw new Failure("name-too-long");
  }
}

/** Whether the guest may know of a name: it can be asked for, and is not the browser's own. */
export function isShown(name: string): boolean {
  // For a name on disk that is not UTF-8 Chromium lists an empty one.
  return name !== "" && name.isWellFormed() && !isSwap(name) && !DEVICE.test(name);
}

/** Throws `invalid` for the name of a swap file or a device, and `name-too-long` for a file that could not have one. */
export function checkNew(name: string, kind: "file" | "directory"): void {
  if (!isShown(name)) {
    throw new Failure("invalid");
  }
  // Chromium makes a file of a longer name on a local folder, but can never write it.
  if (kind === "file" && isLonger(name, LONGEST_NAME - SWAP.length)) {
    throw new Failure("name-too-long");
  }
}

/** Whether it is a swap file of the browser's: it has one beside each file it writes, and leaves it when it dies. */
export function isSwap(name: string): boolean {
  return name.toLowerCase().endsWith(SWAP);
}

/** The name of a swap file: of one file there may be several, when a browser died. */
export function swapName(name: string, number: number): string {
  return `${name}${number > 0 ? `.${number}` : ""}${SWAP}`;
}

/** The names of the files that a swap file may be of: one with a number at its end may have had that itself. */
export function originalsOf(swap: string): string[] {
  const name = swap.slice(0, -SWAP.length);
  return [...new Set([name, name.replace(/\.\d+$/, "")])];
}

/** Whether two paths may be the same place on a disk that does not tell case or Unicode's forms apart. */
export function mayBeSame(one: string[], other: string[]): boolean {
  const fold = (parts: string[]) => parts.join("/").normalize("NFC").toLowerCase();
  return fold(one) === fold(other);
}

/** A name for one of the versions of a file that changed on both sides; `attempt` counts from 1. */
export function conflictName(name: string, when: Date, attempt: number): string {
  const two = (number: number) => String(number).padStart(2, "0");
  const date = `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}`;
  const time = two(when.getHours()) + two(when.getMinutes()) + two(when.getSeconds());
  return marked(name, ` (conflict ${date} ${time}${attempt > 1 ? ` ${attempt}` : ""})`);
}

/** A name for a file or directory that has left its old name and does not have its new one yet. */
export function passingName(name: string, attempt: number): string {
  return marked(name, ` (being renamed${attempt > 1 ? ` ${attempt}` : ""})`);
}

/** Puts a mark before the extension, and shortens what is before it so that the browser takes the name. */
function marked(name: string, mark: string): string {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 ? name.slice(dot) : "";
  let stem = [...(dot > 0 ? name.slice(0, dot) : name)];
  while (stem.length > 1 && bytes(stem.join("") + mark + extension) > 240) {
    stem = stem.slice(0, -1);
  }
  return stem.join("") + mark + extension;
}
