// A desktop for a browser with windows: an X server without a screen, a window manager, because without one no dialog
// gets the keyboard, and a user's hand on keys and mouse.
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { Access } from "../../src/index.js";

/** A place on the screen. */
export interface Point {
  x: number;
  y: number;
}

/** What the browser's folder chooser is called. */
const TITLES: Record<Access, string> = {
  "read-write": "Select where this site can save changes",
  read: "Select a folder this site can view",
};

/** Asks until there is an answer, for what no event tells of. */
export async function until<T>(what: string, probe: () => Promise<T | undefined>, limit = 30_000): Promise<T> {
  for (const end = performance.now() + limit; ; await sleep(50)) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`${what}: still not after ${limit / 1000} s`);
  }
}

export class Desktop {
  private constructor(
    /**
     * What a program sees of it, and nothing of the desktop that the tests were started on: not its language, its
     * folders, nor a service that would open the chooser there.
     */
    readonly env: Record<string, string>,
    private readonly running: ChildProcess[],
  ) {}

  /** Starts one. Programs that run on it have their folders in `home`. */
  static async start(home: string): Promise<Desktop> {
    // Without repetition of keys, which a busy machine would make of a key that it is late to let go of.
    const options = ["-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-r"];
    const server = await started("Xvfb", options, { stdio: ["ignore", "ignore", "pipe", "pipe"] });
    const complaint = text(server.stderr!);
    // It tells its number when it can be used.
    const number = (await text(server.stdio[3] as Readable)).trim();
    if (!number) throw new Error(`Xvfb does not start: ${await complaint}`);
    const env = {
      DISPLAY: `:${number}`,
      HOME: home,
      PATH: process.env["PATH"] ?? "",
      LC_ALL: "C.UTF-8",
      DBUS_SESSION_BUS_ADDRESS: "disabled:",
    };
    const desktop = new Desktop(env, [server]);
    try {
      desktop.running.push(await started("openbox", [], { env, stdio: "ignore" }));
      await until("openbox manages windows", async () => (await desktop.#xdotool("get_num_desktops")) || undefined);
      return desktop;
    } catch (error) {
      desktop.stop();
      throw error;
    }
  }

  stop(): void {
    for (const program of this.running) program.kill();
  }

  async click({ x, y }: Point): Promise<void> {
    await this.#xdotool("mousemove", `${Math.round(x)}`, `${Math.round(y)}`, "click", "1");
  }

  /** The browser's folder chooser for this access, once it is open. */
  async chooser(access: Access): Promise<{ choose(folder: string): Promise<void>; cancel(): Promise<void> }> {
    const find = async () => (await this.#xdotool("search", "--onlyvisible", "--name", `^${TITLES[access]}$`)) || undefined;
    const window = await until(`the chooser “${TITLES[access]}” opens`, find);
    const closed = () => until("the chooser closes", async () => ((await find()) ? undefined : true));
    await this.#xdotool("windowactivate", "--sync", window);
    return {
      choose: async (folder) => {
        await this.#xdotool("key", "ctrl+l", "ctrl+a");
        await this.#xdotool("type", "--delay", "0", folder);
        // “Open”. Return would do it too, and then answer the browser's prompt that follows: with no.
        await this.#xdotool("key", "alt+o");
        await closed();
      },
      cancel: async () => {
        await this.#xdotool("key", "Escape");
        await closed();
      },
    };
  }

  /** What xdotool prints: nothing when it fails, as a search does that finds no window. */
  async #xdotool(...args: string[]): Promise<string> {
    const program = await started("xdotool", args, { env: this.env, stdio: ["ignore", "pipe", "ignore"], timeout: 10_000 });
    return (await text(program.stdout!)).trim();
  }
}

/** A program that was found and started. */
async function started(name: string, args: string[], options: SpawnOptions): Promise<ChildProcess> {
  const program = spawn(name, args, options);
  try {
    await once(program, "spawn");
  } catch (cause) {
    throw new Error(`cannot start ${name}: the real picker needs Xvfb, openbox and xdotool; Debian has packages of them`, { cause });
  }
  return program;
}
