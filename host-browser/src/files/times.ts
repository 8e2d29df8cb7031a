// Attributes, and the times among them: a browser tells a file's, stores none, and has none for a directory.
import { Failure } from "./errors.js";
import type { Attributes, Datetime, Node } from "./node.js";
import { toDatetime } from "./push.js";
import { attributes } from "./read.js";
import type { Volume } from "./volume.js";

/** `descriptor-stat`. */
export interface Stat {
  type: "directory" | "regular-file";
  linkCount: bigint;
  size: bigint;
  dataAccessTimestamp: Datetime | undefined;
  dataModificationTimestamp: Datetime | undefined;
  statusChangeTimestamp: Datetime | undefined;
}

/** `new-timestamp`. */
export type NewTimestamp = { tag: "no-change" } | { tag: "now" } | { tag: "timestamp"; val: Datetime };

/** The attributes of a file or directory. */
export function statOf(volume: Volume, node: Node): Stat | Promise<Stat> {
  if (node.kind === "directory") {
    return stat(node, 0, node.times.modified);
  }
  const answer = (found: Attributes) => {
    const { modified, asOf } = node.times;
    // Another program's change makes the time on disk right again.
    const isOurs = modified && (node.draft || asOf === found.modified);
    return stat(node, found.size, isOurs ? modified : toDatetime(found.modified));
  };
  const found = attributes(volume, node);
  return found instanceof Promise ? found.then(answer) : answer(found);
}

/** Sets times, for as long as the folder is in use. */
export async function setTimes(
  volume: Volume,
  node: Node,
  accessed: NewTimestamp,
  modified: NewTimestamp,
): Promise<void> {
  const [access, modification] = [accessed, modified].map((time) => resolve(volume, time));
  if (access) {
    node.times.accessed = access;
  }
  if (modification) {
    if (node.kind === "file" && !node.draft) {
      node.times.asOf = (await attributes(volume, node)).modified;
    }
    node.times.modified = modification;
  }
}

function resolve(volume: Volume, time: NewTimestamp): Datetime | undefined {
  switch (time.tag) {
    case "no-change":
      return undefined;
    case "now":
      return toDatetime(volume.now());
    case "timestamp":
      // In nanoseconds, as a libc counts, a time must fit into 64 bits with a sign.
      if (time.val.nanoseconds >= 1e9 || time.val.seconds > 9_223_372_035n) {
        throw new Failure("invalid");
      }
      return { ...time.val };
  }
}

function stat(node: Node, size: number, modified: Datetime | undefined): Stat {
  return {
    type: node.kind === "directory" ? "directory" : "regular-file",
    linkCount: 1n,
    size: BigInt(size),
    dataAccessTimestamp: node.times.accessed,
    dataModificationTimestamp: modified,
    statusChangeTimestamp: undefined,
  };
}
