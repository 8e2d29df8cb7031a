import { createMountfs, droppedFolder, type Mountfs } from "mountfs";
import "mountfs/panel";
import { Cell } from "./cell.js";
import { EXAMPLES } from "./examples.js";
import { Files } from "./files.js";
import { Python } from "./python.js";

const PATH = "/local";
/** What the Python module names its grants when it is not told. */
const ID = "pyscript";

const find = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const started = performance.now();
const fs = createMountfs({ app: "python", name: "Python", provider: where() });
const python = new Python(fs);
const files = new Files(find("files"), find("list"), find("count"));
const panel = document.querySelector("mountfs-panel")!;
panel.mountfs = fs;

const cells: Cell[] = [];
const actions = {
  run(cell: Cell, then: "next" | "stay") {
    void run(cell);
    if (then === "next") (cells[cells.indexOf(cell) + 1] ?? add()).focus();
  },
  remove(cell: Cell) {
    cells.splice(cells.indexOf(cell), 1);
    cell.element.remove();
  },
};

function add(source = "", note = ""): Cell {
  const cell = new Cell(source, note, actions);
  cells.push(cell);
  find("cells").append(cell.element);
  return cell;
}

/** Cells run one after another, in the order in which they were started. */
let turn: Promise<void> = Promise.resolve();
function run(cell: Cell): Promise<void> {
  cell.start();
  turn = turn.then(async () => {
    say("Running…", "running");
    const start = performance.now();
    const end = await python.run(cell.source, {
      print: (text, stream) => cell.print(text, stream),
      async ask() {
        say("Python waits for your answer", "asking");
        const answer = await cell.ask();
        say("Running…", "running");
        return answer;
      },
    });
    cell.end(end, performance.now() - start);
    say("Python is ready", "ready");
    await files.look();
  });
  return turn;
}

function say(text: string, state: "loading" | "ready" | "running" | "asking" | "failed"): void {
  const element = find("state");
  element.textContent = text;
  element.dataset["state"] = state;
}

/** The folder that is mounted, on the right. */
async function follow(mountfs: Mountfs): Promise<void> {
  const mounted = (await mountfs.mounted()).find(({ path }) => path === PATH);
  await files.show(mounted && (await mountfs.folder(mounted.path, mounted.id)));
}

/** `?storage=private` keeps files in the browser, for a look without a folder. */
function where(): "auto" | "private" {
  return new URLSearchParams(location.search).get("storage") === "private" ? "private" : "auto";
}

fs.addEventListener("change", ({ change }) => {
  if (change.what === "mounts") void follow(fs);
  else void files.look();
});

for (const { source, note } of EXAMPLES) add(source, note);
find("add").addEventListener("click", () => add().focus());
find("restart").addEventListener("click", async () => {
  say("Starting Python…", "loading");
  await python.restart();
  await fs.ready;
  say("Python is ready", "ready");
});

const side = find("side");
side.addEventListener("dragover", (event) => {
  event.preventDefault();
  side.classList.add("over");
});
side.addEventListener("dragleave", () => side.classList.remove("over"));
side.addEventListener("drop", async (event) => {
  event.preventDefault();
  side.classList.remove("over");
  const handle = await droppedFolder(event);
  if (!handle) return;
  try {
    if ((await fs.mounted()).some(({ path }) => path === PATH)) await fs.unmount(PATH);
    await fs.mount(PATH, { id: ID, handle });
  } catch (error) {
    // What could not be saved stays open, and the panel says what it is. Python runs on.
    say(error instanceof Error ? error.message : String(error), "failed");
  }
});

try {
  await fs.ready;
  say(`Python is ready (${((performance.now() - started) / 1000).toFixed(1)} s)`, "ready");
} catch (error) {
  say(error instanceof Error ? error.message : String(error), "failed");
}
