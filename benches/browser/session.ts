// One contender in a fresh browser, with one real folder: what it is told to do, and what that took.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { drop, launch, temporary } from "../../host-browser/test/e2e/browser.ts";
import type { Folder } from "./folders.ts";
import type { Done, Work } from "./web/contender.ts";

/** MiB of the browser's own process and of the page's, with its workers. */
export interface Memory {
  browser: number;
  page: number;
}

/** How long a browser is left alone after it has started. */
const SETTLED_MS = 5_000;

type Browser = Awaited<ReturnType<typeof launch>>;
type Page = Parameters<typeof drop>[0];

/** A page with a contender in it. */
export class Session {
  private readonly browser: Browser;
  private readonly page: Page;
  private readonly pid: number;
  /** When the contender had started, and nothing was mounted. */
  readonly started: Memory;

  private constructor(browser: Browser, page: Page, pid: number) {
    this.browser = browser;
    this.page = page;
    this.pid = pid;
    this.started = memory(pid, "VmRSS");
  }

  static async open(origin: string, contender: string, { path }: Folder): Promise<Session> {
    const profile = temporary("profile");
    const browser = await launch("allow", profile);
    const page = browser.pages()[0]!;
    await page.goto(`${origin}/?contender=${contender}`);
    await drop(page, path, "#zone");
    await page.evaluate(() => window.folder);
    await page.evaluate(() => window.contender.start());
    // For some seconds after its start it is busy with itself.
    await setTimeout(SETTLED_MS);
    // The profile's lock is a link to `HOST-PID`.
    const pid = Number(readlinkSync(join(profile, "SingletonLock")).replace(/.*-/, ""));
    return new Session(browser, page, pid);
  }

  async close(): Promise<void> {
    await this.browser.close();
  }

  async mount(): Promise<number> {
    return (await this.page.evaluate(async () => window.contender.mount(await window.folder))).took;
  }

  async sync(): Promise<number> {
    return (await this.page.evaluate(() => window.contender.sync())).took;
  }

  /** Milliseconds that some work took. Throws unless it saw what it was to see. */
  async work(work: Work, expected: Done["saw"] = null): Promise<number> {
    const { took, saw } = await this.#do(work);
    assert.ok(saw === expected, `${work.do} saw ${JSON.stringify(saw)?.slice(0, 200)}`);
    return took;
  }

  /** What some work saw. */
  async see(work: Work): Promise<Done["saw"]> {
    return (await this.#do(work)).saw;
  }

  async #do(work: Work): Promise<Done> {
    return await this.page.evaluate((work) => window.contender.work(work), work);
  }

  /** The browser's name and version. */
  async version(): Promise<string> {
    const session = await this.page.context().newCDPSession(this.page);
    return (await session.send("Browser.getVersion")).product;
  }

  /** The most that each process ever had, since it began. */
  peak(): Memory {
    return memory(this.pid, "VmHWM");
  }
}

/** A figure of the browser that `pid` is, and of the larger of its pages, since it keeps one in reserve. */
function memory(pid: number, field: "VmRSS" | "VmHWM"): Memory {
  const figure = (of: string) => {
    const [, kibibytes] = new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(readFileSync(`/proc/${of}/status`, "utf8"))!;
    return Number(kibibytes) / 1024;
  };
  const pages = readdirSync("/proc").filter((other) => /^\d+$/.test(other) && isPage(other, pid));
  return { browser: figure(String(pid)), page: Math.max(...pages.map(figure)) };
}

/** Whether a process is a renderer of the browser, which leads the group of its processes. */
function isPage(process: string, group: number): boolean {
  const of = (what: string) => readFileSync(`/proc/${process}/${what}`, "utf8");
  try {
    const [, , itsGroup] = of("stat").split(") ")[1]!.split(" ");
    return Number(itsGroup) === group && of("cmdline").includes("--type=renderer");
  } catch {
    // It ended meanwhile.
    return false;
  }
}
