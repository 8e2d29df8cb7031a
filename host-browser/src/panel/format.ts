// Numbers and results, for people.
import { shown } from "../shown.js";
import type { SyncReport } from "../wit.js";

/** `1 file`, `2 files`. */
export function files(count: number | bigint): string {
  return `${count.toLocaleString()} ${Number(count) === 1 ? "file" : "files"}`;
}

/** `512 B`, `1.5 KB`, `20 MB`. */
export function bytes(count: number | bigint): string {
  let size = Number(count);
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  for (; size >= 1000 && unit < units.length - 1; unit += 1) size /= 1000;
  const digits = unit && size < 10 ? 1 : 0;
  return `${size.toLocaleString(undefined, { maximumFractionDigits: digits })} ${units[unit]}`;
}

/** What a sync did, in a line, and what a person should look at. */
export function result({ files: count, bytes: size, removed, conflicts, failures }: SyncReport): string {
  const did: string[] = [];
  if (count) did.push(`saved ${files(count)} (${bytes(size)})`);
  if (removed) did.push(`removed ${removed}`);
  const lines = [capital(did.join(", ") || "Everything was saved already")];
  for (const { path, kept } of conflicts) lines.push(`${shown(path)} was changed by another program too: yours is ${shown(kept)} now`);
  for (const { path, reason } of failures) lines.push(`${shown(path)} could not be saved: ${reason}`);
  return lines.join("\n");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
