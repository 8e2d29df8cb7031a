// The page that the cases run in: a real Chromium with the guest in a worker, and a real folder of this computer.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { BrowserContext, Page } from "playwright-core";
import { cleanUp, drop, launch, serve, temporary } from "../e2e/browser.js";
import type { CaseWorker } from "./worker.js";

/** The project's root folder. */
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

const at = (path: string) => join(ROOT, "host-browser", path);
const PAGE = `<!doctype html><title>cases</title><body style="min-height: 100vh"><script type="module">
  import { wrap } from "./comlink.js";
  window.cases = wrap(new Worker("./app/cases.js", { type: "module" }));
  window.given = new Promise((resolve) => {
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      resolve(event.dataTransfer.items[0].getAsFileSystemHandle().then((folder) => cases.give(folder)));
    });
  });
</script>`;

export class CasePage {
  private constructor(
    private readonly site: Awaited<ReturnType<typeof serve>>,
    private readonly browser: BrowserContext,
    private readonly page: Page,
    /** The folder of this computer that the page has: local folders are in it. */
    readonly top: string,
  ) {}

  static async start(): Promise<CasePage> {
    const folder = temporary("site");
    const { buildApp } = (await import(at("dist/build.js"))) as typeof import("../../src/build/index.js");
    await buildApp(join(ROOT, "target/guests/case.wasm"), join(folder, "app"), { exports: ["mountfs:cases/steps"] });
    const common = { bundle: true, format: "esm", target: "es2022" } as const;
    await build({ ...common, entryPoints: [at("test/cases/worker.ts")], outfile: join(folder, "app/cases.js") });
    await build({ ...common, entryPoints: [at("node_modules/comlink/dist/esm/comlink.mjs")], outfile: join(folder, "comlink.js") });
    writeFileSync(join(folder, "index.html"), PAGE);
    const site = await serve(folder);
    const browser = await launch("allow");
    const page = browser.pages()[0] ?? (await browser.newPage());
    page.on("console", (message) => console.log("page:", message.text()));
    await page.goto(site.origin);
    await page.waitForFunction("Boolean(window.given)");
    const top = temporary("cases");
    await drop(page, top, "body");
    await page.evaluate("given");
    return new CasePage(site, browser, page, top);
  }

  /** Calls a function of the worker. */
  async call<K extends keyof CaseWorker>(name: K, ...args: Parameters<CaseWorker[K]>): Promise<Awaited<ReturnType<CaseWorker[K]>>> {
    const answer = await this.page.evaluate(
      ({ name, args }) => {
        const { cases } = window as unknown as { cases: Record<string, (...args: unknown[]) => Promise<unknown>> };
        return cases[name]!(...args);
      },
      { name, args: args as unknown[] },
    );
    return answer as Awaited<ReturnType<CaseWorker[K]>>;
  }

  async stop(): Promise<void> {
    await this.browser.close();
    this.site.close();
    cleanUp();
  }
}
