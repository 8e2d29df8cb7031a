// A real Chromium, with a real folder of this machine or the origin's private file system behind the handles.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { ARGS } from "../e2e/browser.js";
import type { Kit } from "./guest.js";

/** Whose folder it is. */
export type Place = "local" | "opfs";

/** A browser with one page, whose worker runs the tests' functions. */
export class Browser {
  private constructor(
    private readonly context: BrowserContext,
    private readonly server: Server,
    readonly page: Page,
    readonly profile: string,
    /** Holds the local folders, one a test. */
    readonly top: string,
  ) {}

  /** `allow`: every permission prompt is answered with yes beforehand; `ask`: a folder may only be read. */
  static async start(prompts: "allow" | "ask" = "allow", more: string[] = []): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), "mountfs-profile-"));
    mkdirSync(join(profile, "Default"));
    const guard = prompts === "allow" ? 1 : 3;
    const settings = { file_system_write_guard: guard, file_system_read_guard: guard };
    const preferences = { profile: { default_content_setting_values: settings } };
    writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify(preferences));
    const guest = join(dirname(fileURLToPath(import.meta.url)), "guest.ts");
    const bundled = await build({ entryPoints: [guest], bundle: true, write: false, format: "esm", target: "es2022" });
    const script = bundled.outputFiles[0]!.text;
    const server = createServer((request, response) => {
      if (request.url === "/other") {
        browser.other();
        response.writeHead(204).end();
        return;
      }
      const isScript = request.url === "/guest.js";
      response.writeHead(200, { "Content-Type": isScript ? "text/javascript" : "text/html" });
      response.end(isScript ? script : "<!doctype html><title>mountfs</title>");
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const executablePath = obedient(process.env["CHROMIUM"] ?? "/usr/bin/chromium", profile);
    const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: [...ARGS, ...more] });
    const page = context.pages()[0] ?? (await context.newPage());
    page.on("console", (message) => console.log("browser:", message.text()));
    const top = mkdtempSync(join(tmpdir(), "mountfs-folders-"));
    const browser = new Browser(context, server, page, profile, top);
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await browser.#open();
    return browser;
  }

  /** Gives the page the folder by dropping it there, and starts its worker. */
  async #open(): Promise<void> {
    await this.page.evaluate(() => {
      document.documentElement.style.minHeight = "100vh";
      const page = window as unknown as Record<string, unknown>;
      page["worker"] = new Worker("/guest.js", { type: "module" });
      page["local"] = new Promise((resolve) => {
        addEventListener("dragover", (event) => event.preventDefault());
        addEventListener("drop", (event) => {
          event.preventDefault();
          resolve(event.dataTransfer!.items[0]!.getAsFileSystemHandle());
        });
      });
      page["opfs"] = navigator.storage.getDirectory();
    });
    const session = await this.page.context().newCDPSession(this.page);
    const data = { items: [], files: [this.top], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"] as const) {
      await session.send("Input.dispatchDragEvent", { type, x: 200, y: 200, data });
    }
    await session.detach();
    await this.page.evaluate("local");
  }

  /** A new folder. */
  async folder(place: Place): Promise<Folder> {
    const folder = new Folder(this, place, `test-${++folders}`);
    await folder.make();
    return folder;
  }

  async run(place: Place, name: string, code: string, args: unknown[], fresh: boolean): Promise<unknown> {
    return this.page.evaluate(
      async ({ place, name, code, args, fresh }) => {
        type Top = Promise<FileSystemDirectoryHandle>;
        const page = window as unknown as { local: Top; opfs: Top; worker: Worker };
        const top = await page[place];
        const handle = await top.getDirectoryHandle(name, { create: place === "opfs" });
        const { port1, port2 } = new MessageChannel();
        page.worker.postMessage({ handle, code, args, fresh, port: port2 }, [port2]);
        const { value, error } = await new Promise<{ value?: unknown; error?: string }>(
          (resolve) => (port1.onmessage = ({ data }) => resolve(data)),
        );
        if (error) {
          throw new Error(error);
        }
        return value;
      },
      { place, name, code, args, fresh },
    );
  }

  /** What another program of this machine does when the worker asks for `/other`. */
  other = (): void => {};

  /** How much the origin's private file system may hold; `undefined` for as much as usual. */
  async quota(quotaSize: number | undefined): Promise<void> {
    const session = await this.page.context().newCDPSession(this.page);
    const origin = new URL(this.page.url()).origin;
    await session.send("Storage.overrideQuotaForOrigin", { origin, ...(quotaSize === undefined ? {} : { quotaSize }) });
    // The override lasts as long as its session, or until it is taken back.
    this.#sessions.push(session);
  }

  readonly #sessions: unknown[] = [];

  /** What is given back its mode at the end, so that it can be removed. */
  readonly restricted: string[] = [];

  async stop(): Promise<void> {
    await this.context.close();
    this.server.close();
    this.restricted.forEach((path) => chmodSync(path, 0o755));
    rmSync(this.profile, { recursive: true, force: true });
    rmSync(this.top, { recursive: true, force: true });
  }
}

/** A browser for which what a file's mode forbids is forbidden: to root, nothing is. */
function obedient(browser: string, folder: string): string {
  if (process.getuid?.() !== 0) {
    return browser;
  }
  const script = join(folder, "browser");
  const powers = "-dac_override,-dac_read_search";
  writeFileSync(script, `#!/bin/sh\nexec setpriv --bounding-set=${powers} "${browser}" "$@"\n`, { mode: 0o755 });
  return script;
}

let folders = 0;

/** The folder of one test, and what another program does there. */
export class Folder {
  #fresh = true;

  constructor(
    private readonly browser: Browser,
    readonly place: Place,
    private readonly name: string,
  ) {}

  /** Where it is on this machine. */
  get path(): string {
    return join(this.browser.top, this.name);
  }

  async make(): Promise<void> {
    if (this.place === "local") {
      mkdirSync(this.path);
    }
  }

  /** Runs a function in the worker. It sees nothing of what is around it here. */
  async run<A extends unknown[], R>(code: (kit: Kit, ...args: A) => R, ...args: A): Promise<Awaited<R>> {
    const fresh = this.#fresh;
    this.#fresh = false;
    return (await this.browser.run(this.place, this.name, code.toString(), args, fresh)) as Awaited<R>;
  }

  async write(path: string, content: string): Promise<void> {
    if (this.place === "opfs") {
      await this.run((kit, path, content) => kit.outside.write(kit.handle, path, content), path, content);
      return;
    }
    mkdirSync(dirname(join(this.path, path)), { recursive: true });
    writeFileSync(join(this.path, path), content);
  }

  async read(path: string): Promise<string> {
    if (this.place === "opfs") {
      return this.run((kit, path) => kit.outside.read(kit.handle, path), path);
    }
    return readFileSync(join(this.path, path), "utf8");
  }

  /** Gives a local file or directory another mode. */
  restrict(path: string, mode: number): void {
    this.browser.restricted.push(join(this.path, path));
    chmodSync(join(this.path, path), mode);
  }

  async names(path = ""): Promise<string[]> {
    if (this.place === "opfs") {
      return this.run((kit, path) => kit.outside.names(kit.handle, path), path);
    }
    return readdirSync(join(this.path, path)).sort();
  }

  async remove(path: string): Promise<void> {
    if (this.place === "opfs") {
      await this.run((kit, path) => kit.outside.remove(kit.handle, path), path);
      return;
    }
    rmSync(join(this.path, path), { recursive: true });
  }
}
