// The worker that a built app runs in. It lies beside `app.js`, and finds it from there.
import { expose } from "comlink";
import type { Limits } from "../limits.js";
import { PROTOCOL, type WindowSide, type WorkerSide } from "../protocol.js";
import { App, type AppModule } from "./app.js";

let app: Promise<App> | undefined;

function started(): Promise<App> {
  if (!app) throw new Error("the worker was not started");
  return app;
}

const side: WorkerSide = {
  async start(window: WindowSide, protocol: number, limits: Limits) {
    if (protocol !== PROTOCOL) {
      throw new Error("the app was built with another version of mountfs than the page: build it again");
    }
    app = load(window, limits);
    await (await app).ready();
  },
  mount: async (path, options) => (await started()).mount(path, options),
  sync: async (path) => (await started()).sync(path),
  unmount: async (path) => (await started()).unmount(path),
  revoke: async (path, id) => (await started()).revoke(path, id),
  mounted: async () => (await started()).mounted(),
  recover: async (path, id) => (await started()).recover(path, id),
  discard: async (path, id) => (await started()).discard(path, id),
  changedOutside: async (key, names, ago) => (await started()).changedOutside(key, names, ago),
  run: async (program, stdio) => (await started()).run(program, stdio),
};

async function load(window: WindowSide, limits: Limits): Promise<App> {
  // Not known when this is bundled, so no bundler may look for it.
  const url = new URL("app.js", import.meta.url).href;
  const loaded: Promise<AppModule> = import(/* @vite-ignore */ /* webpackIgnore: true */ url);
  const module = await loaded.catch((error: unknown) => {
    throw new Error(`cannot load ${url}, which \`npx mountfs build\` makes: build the app again (${String(error)})`);
  });
  return new App(module, core, window, limits);
}

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** A core module of the app, compiled once for all instances. */
function core(name: string): Promise<WebAssembly.Module> {
  let module = compiled.get(name);
  if (!module) {
    module = compile(new URL(name, import.meta.url));
    compiled.set(name, module);
  }
  return module;
}

async function compile(url: URL): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`cannot load ${url}: ${response.status} ${response.statusText}`);
  // Some static hosts do not know the type of .wasm files, and then browsers refuse to compile while loading.
  if (response.headers.get("content-type")?.startsWith("application/wasm")) {
    return await WebAssembly.compileStreaming(response);
  }
  return await WebAssembly.compile(await response.arrayBuffer());
}

expose(side);
