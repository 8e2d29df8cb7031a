// A guest that tries everything, composed as every app, in a real folder with a secret beside it, while another program
// puts links to the secret in the place of directories, between any two of its calls. `FUZZ_OPS` and `FUZZ_SEED` say how
// many calls, and which.
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as local from "./local.js";
import { CasePage } from "./page.js";
import type { Done } from "./worker.js";

const OPS = Number(process.env["FUZZ_OPS"] ?? 2000);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);

/** What no path of the guest has: who reads it, or of it, is outside. */
const SECRET = "9f4c-secret";

let page: CasePage;
beforeAll(async () => void (page = await CasePage.start()), 60_000);
afterAll(() => page?.stop());

/** Numbers from 0 up to 1, the same for a seed (mulberry32). */
function randomly(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = randomly(SEED);
const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
const maybe = (chance: number) => random() < chance;

const PARTS = [
  "a", "b", "d", "e", "new", "swap", "swap", "d", "e", "a", "out", "up", "loop", "abs", "secret", "key", "vault", "folder",
  ".", "..", "..", "", "\0", "a\0", "a\0/../../secret", "...", "..\\..\\secret", "\\", "C:", "CON", "com1.txt", "COM¹", "aux",
  "a.", "a ", " a", "~", "A", "a.crswap", ".crswap", "größe", "日本語", "🎈", "\u202ea", "\ufffd", "%2e%2e", "％", "*", "?", "|",
  "n".repeat(249), "n".repeat(256), "n".repeat(5000),
];
const NUMBERS = ["0", "1", "5", "4096", "65536", "1048577", "4294967296", "9007199254740991", "9007199254740992",
  "9223372036854775807", "9223372036854775808", "18446744073709551615"];
/** Below what makes a file too long to be read, or over what any file can have. */
const SIZES = ["0", "1", "5", "4096", "70000", ...NUMBERS.slice(7)];
const NAMES = ["f", "g", "h", "i"];
const FLAGS = ["read", "write", "create", "exclusive", "truncate", "directory", "nofollow"];
const TEXTS = ["", "x", "text", "y".repeat(5000)];

/** The names of what is open, by the step that opened it. */
const there = { open: new Set<string>(), stream: new Set<string>(), listing: new Set<string>() };
const named = (step: keyof typeof there) => (there[step].size && maybe(0.9) ? one([...there[step]]) : one(NAMES));
const opened = () => `@${named("open")}`;

/** Where the other program is at work. */
const PLACES = ["swap", "d", "d/e", "swap/e"];
let place = PLACES[0]!;

function path(): string {
  if (maybe(0.5)) return `${maybe(0.5) ? `/local/${place}` : opened()}/${one(["a", "key", "key", "e/key", "e/a", "new", ""])}`;
  const base = one(["/local", "/local", "/local", "", opened(), opened()]);
  if (maybe(0.02)) return `${base}/${"../".repeat(1 + Math.floor(random() * 2000))}${one(PARTS)}`;
  const parts = Array.from({ length: Math.floor(random() * 4) }, () => one(PARTS));
  return `${base}/${parts.join("/")}${maybe(0.2) ? "/" : ""}`;
}

const either = () => (maybe(0.3) ? opened() : path());
const flags = () => FLAGS.filter(() => maybe(0.3));

const STEPS: (() => string[])[] = [
  () => ["open", one(NAMES), path(), ...flags()],
  () => ["open", one(NAMES), `/local/${place}`, "read", "directory"],
  () => ["open", one(NAMES), path(), "read", "write", "create"],
  () => ["close", one(NAMES)],
  () => ["read", path()],
  () => ["read", opened(), one(NUMBERS), one(NUMBERS)],
  () => ["write", path(), one(TEXTS)],
  () => ["write", opened(), one(SIZES), one(TEXTS)],
  () => ["append", either(), one(TEXTS)],
  () => ["resize", opened(), one(SIZES)],
  () => ["fsync", opened()],
  () => ["list", either()],
  () => ["list", path()],
  () => ["stat", either()],
  () => ["lstat", either()],
  () => ["mkdir", path()],
  () => ["rmdir", path()],
  () => ["unlink", path()],
  () => ["rename", path(), path()],
  () => ["rename", path(), path()],
  () => ["link", path(), path()],
  () => ["symlink", one(["../secret", "/etc", "../../..", "a", ""]), path()],
  () => ["readlink", path()],
  () => ["touch", either(), one(NUMBERS)],
  () => ["mtime", either()],
  () => ["same", either(), either()],
  () => ["listing", one(NAMES), path()],
  () => ["next", named("listing")],
  () => ["stream", one(NAMES), opened(), one(["reading", "writing", "appending"])],
  () => ["pull", named("stream"), one(NUMBERS)],
  () => ["push", named("stream"), one(TEXTS)],
  () => ["sync", "/local"],
];

/** Another program, that takes directories away, puts links to the vault there, and puts the directories back. */
class Swapper {
  #away: string | undefined;

  constructor(
    private readonly base: string,
    private readonly place: string,
  ) {}

  swap(): void {
    const at = join(this.base, "folder", this.place);
    if (this.#away) {
      rmSync(at);
      renameSync(this.#away, at);
      this.#away = undefined;
    } else if (existsSync(at) && lstatSync(at).isDirectory()) {
      this.#away = join(this.base, `away-${this.place.replaceAll("/", "-")}`);
      renameSync(at, this.#away);
      symlinkSync(join(this.base, "vault"), at);
    } else {
      // The guest removed it.
      rmSync(at, { force: true });
      mkdirSync(at, { recursive: true });
      writeFileSync(join(at, "a"), "text");
    }
  }

  end(): void {
    if (this.#away) this.swap();
  }
}

const CODES = /^(access|would-block|already|bad-descriptor|busy|deadlock|quota|exist|file-too-large|illegal-byte-sequence|in-progress|interrupted|invalid|io|is-directory|loop|too-many-links|message-size|name-too-long|no-device|no-entry|no-lock|insufficient-memory|insufficient-space|not-directory|not-empty|not-recoverable|unsupported|no-tty|no-such-device|overflow|not-permitted|pipe|read-only|invalid-seek|text-file-busy|cross-device|closed|incomplete)$/;

/** Why what a step came to must not be; nothing when all is well. */
function wrong(done: Done): string | undefined {
  if (JSON.stringify(done).includes(SECRET)) return "it tells of what is outside";
  if (done.tag === "ok" || done.val.startsWith("nonsense: ")) return undefined;
  return CODES.test(done.val) ? undefined : "it is no error code";
}

test(`${OPS} hostile calls from seed ${SEED} find no way out, and leave the guest alive`, async () => {
  const base = join(page.top, "fuzz");
  mkdirSync(join(base, "vault/e"), { recursive: true });
  for (const at of ["secret", "vault/a", "vault/key", `vault/${SECRET}`, "vault/e/a", "vault/e/key"]) writeFileSync(join(base, at), SECRET);
  local.fill(base, "folder", {
    a: "text", b: "text", "d/a": "text", "d/e/a": "text", "d/e/b": "text", "swap/a": "text", "swap/e/a": "text",
    out: { link: "../vault" }, "d/up": { link: "../../secret" }, loop: { link: "loop" }, abs: { link: join(base, "vault") },
  });
  const outside = () => [readFileSync(join(base, "secret"), "utf8"), local.tree(base, "vault")];
  const before = outside();
  await page.call("at", "local", "fuzz");
  await page.call("start");
  await page.call("choose", "folder");
  await page.call("step", "mount", ["/local"]);
  const swappers = new Map(PLACES.map((place) => [place, new Swapper(base, place)]));
  const done: string[] = [];
  const outcomes: Record<string, number> = {};
  const fail = (why: string) => expect.fail(`${why}\nseed ${SEED}, after ${done.length} calls, the last of them:\n${done.slice(-30).join("\n")}`);
  for (let count = 0; count < OPS; count++) {
    if (maybe(0.3)) {
      // One within another is moved by itself only while the other is there.
      if (maybe(0.3)) place = one(PLACES);
      swappers.forEach((other, at) => at !== place && other.end());
      swappers.get(place)!.swap();
      done.push(`# another program was at ${place}`);
    }
    const [verb, ...words] = one(STEPS)() as [string, ...string[]];
    const line = `${verb} ${words.map((word) => JSON.stringify(word.length > 99 ? `${word.slice(0, 99)}… (${word.length})` : word)).join(" ")}`;
    const came = await page.call("attempt", verb, words).catch((error: unknown) => fail(`${line}\n${String(error)}`));
    const said = JSON.stringify(came.val).slice(0, 99);
    done.push(`${line} ${came.tag === "ok" ? "=" : "!"} ${said}`);
    if (came.tag === "ok" && verb in there) there[verb as keyof typeof there].add(words[0]!);
    const why = wrong(came);
    if (why) fail(why);
    const outcome = came.tag === "ok" ? "done" : came.val.split(":")[0]!;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (count % 100 === 0) expect(outside(), `outside, after ${done.at(-1)}, seed ${SEED}`).toEqual(before);
  }
  swappers.forEach((swapper) => swapper.end());
  // What is not pushed yet is, or it is told.
  await page.call("attempt", "sync", ["/local"]);
  expect(outside(), `outside, seed ${SEED}`).toEqual(before);
  expect(readdirSync(base).sort(), `beside the folder, seed ${SEED}`).toEqual(["folder", "secret", "vault"]);
  expect(JSON.stringify(local.tree(base, "folder")), `in the folder, seed ${SEED}`).not.toContain(`${SECRET}"`);
  expect(await page.call("step", "mounted", [])).toEqual({ tag: "ok", val: ["/local"] });
  await page.call("step", "write", ["/local/alive", "yes"]);
  expect(await page.call("step", "read", ["/local/alive"])).toEqual({ tag: "ok", val: ["yes"] });
  console.log(`${OPS} calls from seed ${SEED}: ${JSON.stringify(outcomes)}`);
}, 3_600_000);
