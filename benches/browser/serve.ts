// The pages, from this machine: what is bundled here, the package and the Python of this project, and Pyodide.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const HTML = `<!doctype html><meta charset="utf-8"><title>bench</title>
<div id="zone" style="height: 60px">the folder is dropped here</div>
<script type="module" src="/page.js"></script>`;

const FOLDERS: Record<string, string> = {
  mountfs: at("../../host-browser/dist"),
  python: at("../../examples/notebook/public/python"),
  pyodide: at("node_modules/pyodide"),
};

const TYPES: Record<string, string> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".json": "application/json",
};

/** Bundles the pages, and serves them. */
export async function serve(): Promise<{ origin: string; close(): void }> {
  const { outputFiles } = await build({
    entryPoints: ["page", "floor", "zenfs", "pyodide"].map((name) => at(`web/${name}.ts`)),
    outdir: "/",
    write: false,
    bundle: true,
    format: "esm",
    target: "es2024",
    loader: { ".py": "text" },
    external: ["/mountfs/*", "/pyodide/*"],
    logLevel: "error",
  });
  const bundled = new Map(outputFiles.map(({ path, contents }) => [path, contents]));
  const server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url!, "http://host");
    const [, folder, ...rest] = pathname.split("/");
    try {
      const content =
        pathname === "/" ? HTML : (bundled.get(pathname) ?? (await readFile(join(FOLDERS[folder!]!, ...rest))));
      response.writeHead(200, { "content-type": TYPES[extname(pathname)] ?? "text/html" }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
