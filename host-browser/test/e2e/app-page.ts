// A page with CPython in it, as tests drive it: folders of this machine are dropped on it, Python keeps its variables
// from one piece of source to the next, and a test says what the user would choose in the picker.
import { cpSync, existsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import type { createMountfs, MountInfo, MountOptions, Mountfs, RunOptions, SyncReport } from "../../src/index.js";
import { drop, kill, launch, serve, temporary } from "./browser.js";

/** What went wrong, as it crosses from the page. */
export interface Refusal {
  code: string;
  message: string;
  report?: SyncReport;
}

/** The page's globals; a test declares those that it names in the page. */
export interface InPage {
  fs: Mountfs;
  createMountfs: typeof createMountfs;
  /** Runs a program, and answers its exit code and all that it printed. */
  run(source: string, options?: RunOptions): Promise<[number, string]>;
  /** Runs source in the Python that stays, and answers what it printed. Rejects with its exception. */
  python(source: string): Promise<string>;
  /** What a call answers, or why it does not. */
  outcome<T>(call: Promise<T>): Promise<T | Refusal>;
  /** The folders that were dropped, by their paths. */
  folders: Record<string, FileSystemDirectoryHandle>;
  /** What the picker gives, one after another; nothing is as if the user closed it. */
  choices: FileSystemDirectoryHandle[];
  /** What the picker was asked with. */
  picks: DirectoryPickerOptions[];
  /** The folder that is being dropped. */
  dropped: Promise<FileSystemDirectoryHandle>;
}

/** Runs a line after another, each some source as JSON. A NUL ends what one printed, or 1 does after its exception. */
const LOOP = `
import ast, asyncio, errno, inspect, json, sys, textwrap

def refused(call, *arguments, **named):
    """The name of the error that a call fails with."""
    try:
        call(*arguments, **named)
    except OSError as error:
        return errno.errorcode[error.errno]

names = {"refused": refused}
with asyncio.Runner() as runner:
    for line in sys.stdin.buffer:
        end = "\\0"
        try:
            source = textwrap.dedent(json.loads(line))
            answer = eval(compile(source, "<test>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
            if inspect.iscoroutine(answer):
                runner.run(answer)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}")
            end = "\\1"
        print(end=end, flush=True)
`;

const HTML = `<!doctype html><meta charset="utf-8"><title>test</title>
<div id="zone" style="height: 60px">folders are dropped here</div>
<mountfs-panel></mountfs-panel>
<script type="module">
  import { createMountfs } from "./dist/index.js";
  import "./dist/panel.js";

  const provider = new URLSearchParams(location.search).get("provider") ?? "auto";
  window.fs = createMountfs({ app: "python", name: "Python", provider });
  document.querySelector("mountfs-panel").mountfs = fs;
  window.outcome = (call) => call.catch(({ code, message, report }) => ({ code, message, report }));

  window.run = async (source, options) => {
    let output = "";
    const print = (text) => { output += text; };
    return [await fs.run(["-c", source], { name: "python", stdout: print, stderr: print, ...options }), output];
  };

  let send, said = "", done;
  const lines = new ReadableStream({ start: (controller) => { send = (line) => controller.enqueue(line); } });
  const print = (text) => {
    said += text;
    const [, output, end] = /^([^]*)(\\0|\\x01)$/.exec(said) ?? [];
    if (output === undefined) return;
    said = "";
    end === "\\0" ? done.resolve(output.trimEnd()) : done.reject(new Error(output.trimEnd()));
  };
  window.python = (source) => {
    if (!done) {
      const options = { name: "python", stdin: lines, stdout: print, stderr: print };
      fs.run(["-c", ${JSON.stringify(LOOP)}], options).then(
        (code) => done.reject(new Error("Python ended with " + code + ": " + said)),
        (error) => done.reject(error),
      );
    }
    done = Promise.withResolvers();
    send(JSON.stringify(source) + "\\n");
    return done.promise;
  };

  Object.assign(window, { createMountfs, folders: {}, choices: [], picks: [] });
  zone.ondragover = (event) => event.preventDefault();
</script>`;

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

declare const window: InPage & Window & typeof globalThis;

/** The page. */
export class AppPage {
  browser!: BrowserContext;
  page!: Page;

  private constructor(
    private readonly host: { origin: string; close(): void },
    private readonly prompts: "allow" | "ask",
    readonly profile: string,
  ) {}

  /** Starts a browser, and opens the page. `allow`: every permission prompt is answered with yes before it is shown. */
  static async start(prompts: "allow" | "ask" = "allow"): Promise<AppPage> {
    const python = at("../examples/notebook/public/python");
    if (!existsSync(join(python, "app.js"))) throw new Error("build the notebook's Python first: npm run notebook");
    const site = temporary("site");
    cpSync(at("dist"), join(site, "dist"), { recursive: true });
    symlinkSync(python, join(site, "python"));
    writeFileSync(join(site, "index.html"), HTML);
    const app = new AppPage(await serve(site), prompts, temporary("profile"));
    await app.startAgain();
    return app;
  }

  /** Starts the browser with the profile as it was left, and opens the page. */
  async startAgain(): Promise<void> {
    this.browser = await launch(this.prompts, this.profile);
    this.page = this.browser.pages()[0] ?? (await this.browser.newPage());
    await this.open();
  }

  /** Kills the browser, whatever it is doing. */
  async kill(): Promise<void> {
    await kill(this.browser, this.profile);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    this.host.close();
  }

  /** Loads the page anew. `provider` says where new folders come from. */
  async open(provider = "auto"): Promise<void> {
    await this.page.goto(`${this.host.origin}/?provider=${provider}`);
    await this.page.evaluate(() => window.fs.ready);
  }

  /** Forgets all grants, and loads the page anew. */
  async reset(): Promise<void> {
    await this.page.evaluate(async () => {
      for (const { path, id } of await window.fs.kept()) await window.fs.revoke(path, id);
    });
    await this.open();
  }

  /** Gives the page a handle of a folder, as a user who drops it. */
  async drop(folder: string): Promise<void> {
    await this.page.evaluate(() => {
      window.dropped = new Promise((resolve) => {
        document.getElementById("zone")!.ondrop = (event) => {
          event.preventDefault();
          resolve(event.dataTransfer!.items[0]!.getAsFileSystemHandle() as Promise<FileSystemDirectoryHandle>);
        };
      });
    });
    await drop(this.page, folder, "#zone");
    await this.page.evaluate(async (folder) => void (window.folders[folder] = await window.dropped), folder);
  }

  /** Mounts a folder of this machine. */
  async mount(path: string, folder: string, options: Omit<MountOptions, "handle"> = {}): Promise<MountInfo> {
    await this.drop(folder);
    return await this.page.evaluate(
      ({ path, folder, options }) => window.fs.mount(path, { ...options, handle: window.folders[folder]! }),
      { path, folder, options },
    );
  }

  /** Says what the user will choose in the picker, one folder after another. It is not shown, but it is counted. */
  async choose(...folders: string[]): Promise<void> {
    for (const folder of folders) await this.drop(folder);
    await this.page.evaluate((folders) => {
      window.choices.push(...folders.map((folder) => window.folders[folder]!));
      window.showDirectoryPicker = async (options) => {
        window.picks.push(options ?? {});
        const choice = window.choices.shift();
        if (!choice) throw new DOMException("The user closed the picker.", "AbortError");
        return choice;
      };
    }, folders);
  }

  /** What the picker was asked with since the page was loaded. */
  async picks(): Promise<DirectoryPickerOptions[]> {
    return await this.page.evaluate(() => window.picks);
  }

  /** Runs source in the Python that stays, and answers what it prints. Rejects with its exception. */
  async python(source: string): Promise<string> {
    return await this.page.evaluate((source) => window.python(source), source);
  }

  /** Syncs through the page. */
  async sync(path: string): Promise<SyncReport> {
    return await this.page.evaluate((path) => window.fs.sync(path), path);
  }

  /** The text of the panel, as a person reads it. */
  async panel(): Promise<string> {
    return await this.page.locator("mountfs-panel").evaluate((panel) => panel.shadowRoot!.textContent ?? "");
  }
}
