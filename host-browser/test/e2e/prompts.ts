// The browser's own prompts, which are in no page. Chromium tells where they are: its UI DevTools show the windows and
// all that is in them as a tree, as other DevTools do with a page. They are answered with a real click all the same.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Desktop, type Point, until } from "./desktop.js";

/** The buttons of each prompt, in the order of the tree, which does not have their texts. */
const PROMPTS = [
  // When a folder was chosen, or is to be used for more than before.
  ["Don't Allow", "Allow"],
  // When a page comes back to a folder of an earlier visit.
  ["Allow this time", "Allow on every visit", "Don't allow"],
] as const;

/** A button that a prompt has. */
export type Button = (typeof PROMPTS)[number][number];

/** Chromium ignores clicks in a prompt's first half second, lest somebody answers what they had no time to read. */
const IGNORED_MS = 550;

interface Node {
  nodeId: number;
  nodeName: string;
  attributes?: string[];
  children?: Node[];
}

interface Styles {
  matchedCSSRules: { rule: { style: { cssProperties: { name: string; value: string }[] } } }[];
}

interface Shown {
  buttons: Point[];
  text: string;
}

export class Prompts {
  readonly #desktop: Desktop;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: { result?: unknown; error?: { message: string } }) => void>();
  #calls = 0;

  private constructor(desktop: Desktop, socket: WebSocket) {
    this.#desktop = desktop;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const reply = JSON.parse(data);
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
  }

  /** Those of a browser that was started with `--enable-ui-devtools=0` and this profile. */
  static async of(profile: string, desktop: Desktop): Promise<Prompts> {
    const file = join(profile, "UIDevToolsActivePort");
    const port = await until("the browser tells its port", () => readFile(file, "utf8").then((port) => port || undefined, () => undefined));
    // The next browser with this profile has another.
    await rm(file);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/0`);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => reject(new Error("the browser has no UI DevTools")));
    });
    const prompts = new Prompts(desktop, socket);
    await prompts.#send("DOM.enable");
    return prompts;
  }

  /** Answers the prompt that has this button, once it is shown, with a click on it. Tells what the prompt said. */
  async answer(button: Button): Promise<string> {
    const labels: readonly Button[] = PROMPTS.find((labels) => (labels as readonly Button[]).includes(button))!;
    const shown = () => this.#shown(labels.length);
    const { text } = await until(`a prompt with “${button}” is shown`, shown);
    const answered = async () => {
      await sleep(IGNORED_MS);
      const prompt = await shown();
      if (prompt) await this.#desktop.click(prompt.buttons[labels.indexOf(button)]!);
      // One click does, unless the prompt just moved, and its half second began again.
      const gone = async () => ((await shown()) ? undefined : true);
      return await until("gone", gone, 1000).catch(() => undefined);
    };
    await until(`“${button}” is taken as an answer`, answered);
    return text;
  }

  /** The prompt with so many buttons, if it is shown now. */
  async #shown(count: number): Promise<Shown | undefined> {
    const { root } = await this.#send<{ root: Node }>("DOM.getDocument");
    for (const path of paths([root])) {
      if (!is(path.at(-1)!, "DialogClientView")) continue;
      const inside = [...paths(path)];
      const buttons = inside.filter((path) => is(path.at(-1)!, "MdTextButton"));
      if (buttons.length !== count) continue;
      const said = inside.filter((path) => is(path.at(-1)!, "StyledLabel"));
      try {
        const places = await Promise.all(buttons.map((path) => this.#centre(path)));
        const texts = await Promise.all(said.map(async (path) => (await this.#properties(path.at(-1)!))["text"] ?? ""));
        if (places.every((place) => place !== undefined)) return { buttons: places, text: texts.join(" ") };
      } catch {
        // It was closed while it was looked at.
      }
    }
    return undefined;
  }

  /** Where a view is on the screen, if it is. Each says where it is in the one around it, up to the window. */
  async #centre(path: Node[]): Promise<Point | undefined> {
    const views = path.slice(path.findLastIndex(({ nodeName }) => nodeName === "Widget"));
    const all = await Promise.all(views.map((view) => this.#properties(view)));
    const sum = (name: string) => all.reduce((total, properties) => total + Number(properties[name]), 0);
    const view = all.at(-1)!;
    if (view["isdrawn"] !== "true") return undefined;
    return { x: sum("x") + Number(view["width"]) / 2, y: sum("y") + Number(view["height"]) / 2 };
  }

  async #properties({ nodeId }: Node): Promise<Record<string, string>> {
    const { matchedCSSRules } = await this.#send<Styles>("CSS.getMatchedStylesForNode", { nodeId });
    const properties = matchedCSSRules.flatMap(({ rule }) => rule.style.cssProperties);
    return Object.fromEntries(properties.map(({ name, value }) => [name.toLowerCase(), value]));
  }

  async #send<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.#calls;
    const answer = new Promise<{ result?: unknown; error?: { message: string } }>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await answer;
    if (error) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }
}

/** A node at the end of a path, and all below it, each with the way there. */
function* paths(path: Node[]): Generator<Node[]> {
  yield path;
  for (const child of path.at(-1)!.children ?? []) yield* paths([...path, child]);
}

function is({ attributes }: Node, name: string): boolean {
  return attributes?.[0] === "class" && attributes[1] === name;
}
