// The cases of `tests/cases/` as data; the README there has the words. The native host reads the same files.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";

/** What is at each path: a file's text, a link, nothing; an empty directory's path ends with `/`. */
export type Tree = Record<string, string | { link: string } | false>;

/** One behaviour. */
export interface Case {
  name: string;
  needs: string[];
  disk: Tree;
  others: Record<string, Tree>;
  mounts: string[];
  steps: string;
  after: Tree;
  "others-after": Record<string, Tree>;
  conflicts: Record<string, string>;
  unchecked: boolean;
}

/** What a host lacks, and the cases that are known not to pass on it, each with the reason. */
export interface Host {
  lacks: Record<string, string>;
  known: Record<string, string>;
}

/** One line of a case. */
export interface Step {
  line: string;
  verb: string;
  words: string[];
  end: { well: true } | { answers: string[] } | { fails: string };
}

const folder = fileURLToPath(new URL("../../../tests/cases/", import.meta.url));
const NOTHING = { needs: [], disk: {}, others: {}, mounts: ["/local"], after: {}, "others-after": {}, conflicts: {}, unchecked: false };
const FIELDS = new Set(["name", "steps", ...Object.keys(NOTHING)]);

/** All cases, by group. */
export function cases(): Map<string, Case[]> {
  const files = readdirSync(folder).filter((file) => file.endsWith(".toml")).sort();
  return new Map(
    files.map((file) => {
      const { case: all } = read(file) as { case: Partial<Case>[] };
      for (const one of all) {
        const unknown = Object.keys(one).find((field) => !FIELDS.has(field));
        if (unknown) throw new Error(`${file}: a case has no field ${unknown}`);
      }
      return [file.replace(".toml", "").replaceAll("-", " "), all.map((one) => ({ ...NOTHING, ...one }) as Case)];
    }),
  );
}

/** What is known of a host. */
export function host(name: string): Host {
  const { lacks = {}, known = {}, ...rest } = read(join("hosts", `${name}.toml`)) as Partial<Host>;
  if (Object.keys(rest).length > 0) throw new Error(`hosts/${name}.toml: there is no ${Object.keys(rest).join(", ")}`);
  return { lacks, known };
}

function read(file: string): unknown {
  return parse(readFileSync(join(folder, file), "utf8"));
}

/** A case's mounts and then its steps. */
export function steps({ mounts, steps }: Case): Step[] {
  const lines = [...mounts.map((words) => `mount ${words}`), ...steps.split("\n").map((line) => line.trim())];
  return lines.filter((line) => line && !line.startsWith("#")).map(step);
}

/** Reads a line. */
export function step(line: string): Step {
  const words = [...line.matchAll(/"(?:[^"\\]|\\.)*"|\S+/g)].map(([word]) => word);
  const at = words.findIndex((word) => word === "=" || word === "!");
  const [verb = "", ...rest] = words.slice(0, at < 0 ? undefined : at).map(text);
  const ends = at < 0 ? [] : words.slice(at + 1).map(text);
  const end: Step["end"] = at < 0 ? { well: true } : words[at] === "=" ? { answers: ends } : { fails: ends[0] ?? "" };
  return { line, verb, words: rest, end };
}

function text(word: string): string {
  if (word.startsWith('"')) return JSON.parse(word) as string;
  return word.replace(/%(\d+)$/, (_, count) => "n".repeat(Number(count)));
}
