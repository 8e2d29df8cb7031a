// A page whose worker has the file layer and a guest of it, on a folder of this machine: for tests that need no app.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { BrowserContext, Page } from "playwright-core";
import type { Kit } from "../files/guest.js";
import { drop, serve, temporary } from "./browser.js";

const PAGE = `<!doctype html><title>files</title><body style="min-height: 100vh"><script type="module">
  const worker = new Worker("/guest.js", { type: "module" });
  window.given = new Promise((resolve) => {
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      resolve(event.dataTransfer.items[0].getAsFileSystemHandle());
    });
  });
  window.work = async (code, args) => {
    const { port1, port2 } = new MessageChannel();
    worker.postMessage({ handle: await given, code, args, fresh: false, port: port2 }, [port2]);
    const { value, error } = await new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
    if (error) throw new Error(error);
    return value;
  };
</script>`;

/** A site with that page. */
export async function serveFiles(): Promise<{ origin: string; close(): void }> {
  const folder = temporary("site");
  const guest = fileURLToPath(new URL("../files/guest.ts", import.meta.url));
  await build({ entryPoints: [guest], bundle: true, outfile: join(folder, "guest.js"), format: "esm", target: "es2022" });
  writeFileSync(join(folder, "index.html"), PAGE);
  return await serve(folder);
}

/** Opens the page, and gives it a folder. */
export async function openFiles(browser: BrowserContext, origin: string, folder: string): Promise<Page> {
  const page = await browser.newPage();
  page.on("console", (message) => console.log("page:", message.text()));
  await page.goto(origin);
  await page.waitForFunction("Boolean(window.given)");
  await drop(page, folder, "body");
  return page;
}

/** Runs a function in the page's worker. It sees nothing of what is around it here. */
export async function run<A extends unknown[], R>(
  page: Page,
  code: (kit: Kit, ...args: A) => Promise<R>,
  ...args: A
): Promise<R> {
  const call = ({ code, args }: { code: string; args: unknown[] }) =>
    (window as unknown as { work(code: string, args: unknown[]): Promise<unknown> }).work(code, args);
  return (await page.evaluate(call, { code: code.toString(), args: args as unknown[] })) as R;
}
