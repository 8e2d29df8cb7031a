// The folder as the page sees it, with its own eyes: what is on disk, not what Python says.

interface Entry {
  name: string;
  kind: "file" | "directory";
  size: number;
  changed: number;
}

/** The most that is shown of a folder: a page is no file manager. */
const MOST = 300;

/** A live listing. */
export class Files {
  #folder: FileSystemDirectoryHandle | undefined;
  #seen = new Map<string, string>();
  #looking: Promise<void> | undefined;
  #again = false;

  constructor(
    private readonly box: HTMLElement,
    private readonly list: HTMLElement,
    private readonly count: HTMLElement,
  ) {}

  /** Shows this folder; or none. */
  async show(folder: FileSystemDirectoryHandle | undefined): Promise<void> {
    const same = folder && this.#folder && (await folder.isSameEntry(this.#folder));
    if (!same) this.#seen.clear();
    this.#folder = folder;
    this.box.hidden = !folder;
    await this.look();
  }

  /** Looks again, once more when it is called while it looks. */
  async look(): Promise<void> {
    this.#again = true;
    this.#looking ??= this.#loop();
    await this.#looking;
  }

  async #loop(): Promise<void> {
    // Not before `#looking` is set, which the end of this takes back.
    await Promise.resolve();
    while (this.#again) {
      this.#again = false;
      if (!this.#folder) continue;
      try {
        this.#draw(await entries(this.#folder));
      } catch {
        // Revoked, or gone, while it was read.
        this.box.hidden = true;
      }
    }
    // Here, and not when the promise has settled: who asks in between would not be heard.
    this.#looking = undefined;
  }

  #draw(all: Entry[]): void {
    const first = this.#seen.size === 0;
    const seen = new Map(all.map(({ name, size, changed }) => [name, `${size} ${changed}`]));
    this.count.textContent = String(all.length);
    this.list.replaceChildren(
      ...all.slice(0, MOST).map(({ name, kind, size }) => {
        const row = document.createElement("li");
        row.className = kind;
        row.dataset["name"] = name;
        if (!first && this.#seen.get(name) !== seen.get(name)) row.classList.add("fresh");
        const [label, detail] = [document.createElement("span"), document.createElement("span")];
        label.textContent = name;
        detail.textContent = kind === "file" ? bytes(size) : "folder";
        row.append(label, detail);
        return row;
      }),
    );
    if (all.length > MOST) {
      const more = document.createElement("li");
      more.className = "more";
      more.textContent = `and ${(all.length - MOST).toLocaleString()} more`;
      this.list.append(more);
    }
    this.#seen = seen;
  }
}

async function entries(folder: FileSystemDirectoryHandle): Promise<Entry[]> {
  const handles: FileSystemHandle[] = [];
  for await (const handle of folder.values()) {
    // The browser's own file beside one that is being written.
    if (!handle.name.endsWith(".crswap")) handles.push(handle);
  }
  const all = handles.map(async (handle): Promise<Entry> => {
    const { name, kind } = handle;
    if (kind === "directory") return { name, kind, size: 0, changed: 0 };
    const { size, lastModified } = await (handle as FileSystemFileHandle).getFile();
    return { name, kind, size, changed: lastModified };
  });
  const found = (await Promise.allSettled(all)).flatMap((entry) => (entry.status === "fulfilled" ? [entry.value] : []));
  return found.sort((a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name));
}

function bytes(size: number): string {
  const unit = Math.min(Math.floor(Math.log10(Math.max(size, 1)) / 3), 4);
  const value = size / 1000 ** unit;
  return `${value.toFixed(unit && value < 10 ? 1 : 0)} ${["B", "KB", "MB", "GB", "TB"][unit]}`;
}
