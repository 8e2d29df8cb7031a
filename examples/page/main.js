// An editor, a button, and Python in a folder of the user's. The import map of index.html finds the package.
import { createMountfs } from "mountfs";
import "mountfs/panel";

const PROGRAM = `from pathlib import Path
from mountfs import fs

try:
    await fs.mount("/local")  # asks you, the first time
except RuntimeError as error:  # you said no
    print(error)
    raise SystemExit

files = [path for path in Path("/local").rglob("*") if path.is_file()]
for path in files[:10]:
    print(f"{path.stat().st_size:>10,}  {path}")
print(f"{len(files):>10,}  files in all")

with open("/local/visits.txt", "a") as file:
    file.write("Python was here.\\n")
`;

const [source, button, state, output] = ["source", "run", "state", "output"].map((id) => document.getElementById(id));
const mountfs = createMountfs({ app: "python", name: "This page" });
document.querySelector("mountfs-panel").mountfs = mountfs;
source.value = PROGRAM;
let running = false;

async function run() {
  if (running || button.disabled) return;
  running = true;
  button.textContent = "Stop";
  state.textContent = "Running…";
  output.replaceChildren();
  const started = performance.now();
  try {
    const code = await mountfs.run(["-c", source.value], { name: "python", stdout: print(""), stderr: print("error") });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    state.textContent = code === 0 ? `Done in ${seconds} s` : `Ended with exit code ${code}`;
  } catch (error) {
    // Stopped, or something could not be saved: the message says what.
    state.textContent = error.message;
  }
  running = false;
  button.textContent = "Run";
}

/** Puts text at the end of the output, and keeps the end in view. */
function print(kind) {
  return (text) => {
    output.append(Object.assign(document.createElement("span"), { className: kind, textContent: text }));
    output.scrollTop = output.scrollHeight;
  };
}

button.addEventListener("click", () => (running ? mountfs.stop() : run()));
source.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  run();
});

try {
  await mountfs.ready;
  state.textContent = "Ready";
  button.disabled = false;
} catch (error) {
  state.textContent = error.message;
}
