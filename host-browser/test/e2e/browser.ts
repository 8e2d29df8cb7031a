// A real Chromium on a real folder: a static host without special headers, profiles whose permission prompts are
// answered beforehand, and folders that are dropped on the page, because headless Chromium shows no picker.
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
};

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
/** So that it runs as root, and asks nobody on the network. */
export const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Else closing a written file may wait for a Safe Browsing server that is not there.
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];

/** A static host for a folder, as plain as there are: with no header but the type, if none are given. */
export async function serve(folder: string, headers: Record<string, string> = {}): Promise<{ origin: string; close(): void }> {
  const server: Server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://host");
    const file = join(folder, pathname.endsWith("/") ? `${pathname}index.html` : pathname);
    readFile(file).then(
      (content) => response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "text/plain", ...headers }).end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.close(),
  };
}

/** A fresh folder that is removed by {@link cleanUp}. */
export function temporary(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  made.push(folder);
  return folder;
}

const made: string[] = [];

/** Removes all that {@link temporary} made. */
export function cleanUp(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** A browser with a profile of its own. `allow`: every permission prompt is answered with yes before it is shown. */
export async function launch(prompts: "allow" | "ask", profile = temporary("profile")): Promise<BrowserContext> {
  const guard = prompts === "allow" ? 1 : 3;
  const default_content_setting_values = { file_system_write_guard: guard, file_system_read_guard: guard };
  mkdirSync(join(profile, "Default"), { recursive: true });
  writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify({ profile: { default_content_setting_values } }));
  return await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    viewport: { width: 1360, height: 900 },
    args: ARGS,
  });
}

/** Ends all processes of a browser at once, as a power cut does; answers when they are gone. */
export async function kill(browser: BrowserContext, profile: string): Promise<void> {
  const gone = new Promise((resolve) => browser.once("close", resolve));
  // The profile's lock is a link to `HOST-PID`. Each browser is started with a process group of its own.
  const pid = Number(readlinkSync(join(profile, "SingletonLock")).replace(/.*-/, ""));
  const socket = readlinkSync(join(profile, "SingletonSocket"));
  process.kill(-pid, "SIGKILL");
  await gone;
  // All that it leaves outside of its profile.
  rmSync(dirname(socket), { recursive: true, force: true });
}

/** A browser with windows, on a desktop. Its prompts wait for an answer, and a later start finds the profile as it was. */
export async function launchHeaded(profile: string, env: Record<string, string>): Promise<BrowserContext> {
  return await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: false,
    env,
    viewport: null,
    args: [...ARGS, "--ozone-platform=x11", "--window-position=0,0", "--window-size=1000,800", "--enable-ui-devtools=0"],
  });
}

/** Drops a real folder on an element. The page gets a real handle. */
export async function drop(page: Page, folder: string, selector: string): Promise<void> {
  const box = await page.locator(selector).boundingBox();
  if (!box) throw new Error(`${selector} is not there to drop on`);
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await session.send("Input.dispatchDragEvent", { type, x: box.x + box.width / 2, y: box.y + 30, data });
  }
  await session.detach();
}
