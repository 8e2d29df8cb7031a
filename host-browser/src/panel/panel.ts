/**
 * The element `<mountfs-panel>`: the folders that are mounted, and what a user does with them. Importing this defines it.
 *
 *     <mountfs-panel mount="/local"></mountfs-panel>
 *     document.querySelector("mountfs-panel").mountfs = createMountfs({ app: "python/" });
 *
 * Attributes: `mount`, a path for which it offers to choose a folder; `grant`, the id of that grant; `access`, `read` or
 * `read-write`. Styles: the custom properties `--mountfs-accent`, `-surface`, `-text`, `-muted`, `-line`, `-warn`,
 * `-bad`, `-radius` and `-font`, and the parts `folder`, `label`, `path`, `badge`, `recoverable`, `status`, `progress` and
 * `button`.
 *
 * @module mountfs/panel
 */
import type { MountfsChangeEvent, MountfsProgressEvent, SyncProgress } from "../events.js";
import type { GrantInfo } from "../grants/grants.js";
import type { Mountfs } from "../mountfs.js";
import { type Access, type GrantKey, type MountInfo, slot, type Unsynced } from "../wit.js";
import { element, folderIcon, style } from "../elements.js";
import { MountfsError } from "../index.js";
import { shown } from "../shown.js";
import * as format from "./format.js";
import { STYLE } from "./style.js";

/** How long to wait for more changes before asking what is mounted. */
const SOON_MS = 30;

/** A folder as the panel shows it. */
interface Folder extends GrantKey {
  access: Access;
  label: string;
  mounted: boolean;
  private: boolean;
  state: PermissionState;
  unsynced: { files: number; bytes: number };
  /** What tabs that died had not put into it. */
  recoverable: { files: number; bytes: number };
  /** Whether what is unsynced would be recoverable. */
  journaled: boolean;
}

/** The element. */
export class MountfsPanel extends HTMLElement {
  readonly #rows = new Map<string, Row>();
  #mountfs: Mountfs | undefined;
  #stop = new AbortController();
  #soon: ReturnType<typeof setTimeout> | undefined;
  readonly #list = element("ul", { "aria-label": "Folders" });
  readonly #empty = element("div", { class: "empty", part: "empty", hidden: "" });
  readonly #choose = element("button", { class: "choose", part: "button primary", type: "button", hidden: "" }, "Open a folder…");
  readonly #status = element("p", { class: "status", part: "status", role: "status" });

  /** What the panel shows and acts on. */
  get mountfs(): Mountfs | undefined {
    return this.#mountfs;
  }

  /** Can be set again at any time. */
  set mountfs(mountfs: Mountfs | undefined) {
    this.#mountfs = mountfs;
    if (this.isConnected) this.connectedCallback();
  }

  /** @internal */
  connectedCallback(): void {
    style(this.shadowRoot ?? this.#build(), STYLE);
    this.#stop.abort();
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#mountfs?.addEventListener("change", (event) => this.#changed(event), { signal });
    this.#mountfs?.addEventListener("progress", (event) => this.#progress(event), { signal });
    this.#refreshSoon();
  }

  /** @internal */
  disconnectedCallback(): void {
    this.#stop.abort();
  }

  #build(): ShadowRoot {
    const root = this.attachShadow({ mode: "open" });
    const nothing = element("p", {}, "No folder is open. The code here sees none of your files.");
    this.#empty.append(element("slot", { name: "empty" }, nothing));
    this.#choose.addEventListener("click", () => void this.#open());
    root.append(this.#list, this.#empty, this.#choose, this.#status);
    return root;
  }

  #changed({ change }: MountfsChangeEvent): void {
    if (change.what === "unsynced") this.#rows.get(slot(change))?.unsynced(change);
    // Files that changed outside change nothing here.
    else if (change.what !== "folder") this.#refreshSoon();
  }

  #progress({ progress }: MountfsProgressEvent): void {
    this.#rows.get(slot(progress))?.progress(progress);
  }

  #refreshSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.#refresh();
    }, SOON_MS);
  }

  async #refresh(): Promise<void> {
    const mountfs = this.#mountfs;
    if (!mountfs) return;
    try {
      const [mounted, kept] = await Promise.all([mountfs.mounted(), mountfs.kept()]);
      if (mountfs === this.#mountfs) this.#show(folders(mounted, kept));
    } catch (error) {
      this.#say(error);
    }
  }

  #show(all: Folder[]): void {
    const focused = this.shadowRoot?.activeElement;
    // Asked now, because the button may leave it.
    const home = focused?.closest("li");
    const wanted = new Set(all.map(slot));
    for (const [key, row] of this.#rows) {
      if (wanted.has(key)) continue;
      row.element.remove();
      this.#rows.delete(key);
    }
    for (const folder of all) {
      let row = this.#rows.get(slot(folder));
      if (!row) {
        row = new Row(folder, (verb) => void this.#act(folder, verb));
        this.#rows.set(slot(folder), row);
      }
      row.show(folder);
      // Only what moved is moved: an element that is put back where it was would lose the focus.
      const at = all.indexOf(folder);
      if (this.#list.children[at] !== row.element) this.#list.insertBefore(row.element, this.#list.children[at] ?? null);
    }
    this.#empty.hidden = all.length > 0;
    const offer = this.getAttribute("mount");
    this.#choose.hidden = !offer || all.some(({ path }) => path === offer);
    if (focused instanceof HTMLElement) this.#keepFocus(focused, home);
  }

  /** Whoever pressed a button that is gone goes on from the one that took its place. */
  #keepFocus(pressed: HTMLElement, home: Element | null | undefined): void {
    if (pressed.checkVisibility()) return;
    const near = home?.isConnected ? home : this.shadowRoot!;
    [...near.querySelectorAll("button")].find((button) => button.checkVisibility())?.focus();
  }

  async #open(): Promise<void> {
    const path = this.getAttribute("mount");
    const id = this.getAttribute("grant") ?? undefined;
    const access: Access = this.getAttribute("access") === "read" ? "read" : "read-write";
    if (!path) return;
    await this.#try(this.#choose, async () => {
      await this.#mountfs?.mount(path, id ? { access, id } : { access });
      return "";
    });
  }

  async #act(folder: GrantKey, verb: Verb): Promise<void> {
    const { path, id } = folder;
    const mountfs = this.#mountfs;
    const row = this.#rows.get(slot(folder));
    if (!mountfs || !row) return;
    // Of several folders, which one is meant.
    const about = this.#rows.size > 1 ? `${row.label}: ` : "";
    const act = async () => {
      switch (verb) {
        case "sync": {
          const report = await mountfs.sync(path);
          // The worker's own word for it comes a little later, and a page must not contradict itself meanwhile.
          row.unsynced({ files: report.failures.length, bytes: 0 });
          return about + format.result(report);
        }
        case "unmount":
          return `${about}${format.result(await mountfs.unmount(path))}. Closed.`;
        case "revoke":
          await mountfs.revoke(path, id);
          return `${row.label} was given back: the code here cannot reach it any more.`;
        case "open":
          await mountfs.mount(path, { id, access: row.access });
          return `${row.label} is open again.`;
        case "recover":
          return about + format.result(await mountfs.recover(path, id));
        case "discard":
          await mountfs.discard(path, id);
          return `${about}What was not saved is gone.`;
      }
    };
    await this.#try(row.button(verb), act, about);
    row.progress(undefined);
  }

  /** Does something, once at a time, and says how it went. */
  async #try(button: HTMLButtonElement, act: () => Promise<string>, about = ""): Promise<void> {
    // Not `disabled`, which would take the focus from it.
    if (button.ariaDisabled) return;
    button.ariaDisabled = "true";
    this.#say("");
    try {
      this.#say(await act());
    } catch (error) {
      this.#say(error, about);
    } finally {
      button.ariaDisabled = null;
      this.#refreshSoon();
    }
  }

  #say(what: unknown, about = ""): void {
    const failed = what instanceof Error;
    // Whoever closed a dialog knows that they did.
    const silent = what instanceof MountfsError && what.code === "cancelled";
    this.#status.classList.toggle("failed", failed && !silent);
    const report = what instanceof MountfsError ? what.report : undefined;
    this.#status.textContent =
      silent ? "" : report ? about + format.result(report) : failed ? what.message : String(what);
  }
}

type Verb = "recover" | "discard" | "sync" | "unmount" | "revoke" | "open";

const VERBS: Record<Verb, { text: string; title: string; what?: string }> = {
  recover: {
    text: "Recover",
    title: "Put it into the folder; where a file was changed since, both versions are kept",
    what: "what was not saved in ",
  },
  discard: { text: "Discard", title: "Remove it for good", what: "what was not saved in " },
  sync: { text: "Sync", title: "Put everything that was written into the folder now" },
  unmount: { text: "Close", title: "Sync, and close the folder; it can be opened again without a question" },
  open: { text: "Open again", title: "Open this folder again; you choose no other" },
  revoke: { text: "Revoke", title: "Sync, and give the folder back: the code here cannot reach it any more" },
};

/** What it means that a folder is not mounted, by what the browser thinks of the grant. */
const CLOSED: Record<PermissionState, string> = {
  granted: "not open",
  prompt: "not open; your browser will ask",
  denied: "not open; your browser’s settings forbid it",
};

/** One folder. It is made once and updated, so that the focus stays where it is. */
class Row {
  readonly element: HTMLLIElement;
  #folder: Folder;
  readonly #buttons: Record<Verb, HTMLButtonElement>;
  readonly #badge = element("span", { class: "badge", part: "badge" });
  readonly #saved = element("span", { class: "saved", part: "saved" });
  /** In the row while there is something to recover. */
  readonly #left = element("div", { class: "left", part: "recoverable" }, element("p", {}));
  readonly #bar = element("progress", { part: "progress", max: "1", hidden: "" });

  constructor(folder: Folder, act: (verb: Verb) => void) {
    this.#folder = folder;
    this.#bar.setAttribute("aria-label", `Saving ${folder.label}`);
    const label = element("b", { part: "label" }, folder.label);
    const path = element("code", { part: "path" }, shown(folder.path));
    const verbs = element("div", { class: "buttons" });
    this.element = element(
      "li",
      { part: "folder" },
      element("div", { class: "icon", "aria-hidden": "true" }, folderIcon("20", "1.8")),
      element(
        "div",
        { class: "what" },
        element("div", { class: "name" }, label, " ", path),
        element("div", { class: "facts" }, this.#badge, " ", this.#saved),
      ),
      this.#bar,
      verbs,
    );
    const buttons = (Object.keys(VERBS) as Verb[]).map((verb) => {
      const { text, title, what = "" } = VERBS[verb];
      // The visible word first, as voice control wants it; then which folder, for those who do not see the row.
      const name = `${text} ${what}${folder.label}`;
      const attributes = { type: "button", part: `button ${verb}`, "data-verb": verb, title, "aria-label": name };
      const button = element("button", attributes, text);
      button.addEventListener("click", () => act(verb));
      (what ? this.#left : verbs).append(button);
      return [verb, button] as const;
    });
    this.#buttons = Object.fromEntries(buttons) as Record<Verb, HTMLButtonElement>;
  }

  get label(): string {
    return this.#folder.label;
  }

  get access(): Access {
    return this.#folder.access;
  }

  button(verb: Verb): HTMLButtonElement {
    return this.#buttons[verb];
  }

  show(folder: Folder): void {
    this.#folder = folder;
    const { mounted, access } = folder;
    this.element.classList.toggle("closed", !mounted);
    this.#badge.textContent = access === "read" ? "read only" : "read and write";
    this.#buttons.sync.hidden = !mounted || access === "read";
    this.#buttons.unmount.hidden = !mounted;
    this.#buttons.open.hidden = mounted;
    this.unsynced(folder.unsynced);
    this.#recoverable(folder.recoverable);
  }

  #recoverable({ files, bytes }: { files: number; bytes: number }): void {
    if (files === 0) return this.#left.remove();
    const isReadOnly = this.#folder.access === "read";
    if (!this.#left.parentNode) this.#bar.before(this.#left);
    this.#left.firstElementChild!.textContent =
      `${format.files(files)} (${format.bytes(bytes)}) ${files === 1 ? "was" : "were"} not saved when a tab closed.` +
      (isReadOnly ? " Open the folder for writing to recover." : "");
    this.#buttons.recover.hidden = isReadOnly;
  }

  unsynced({ files, bytes }: { files: number; bytes: number }): void {
    const { mounted, access, state, recoverable, journaled } = this.#folder;
    const dirty = files > 0 || bytes > 0;
    this.element.classList.toggle("dirty", dirty);
    this.#saved.textContent =
      !mounted ? CLOSED[state]
      : dirty ? `${format.files(files)} unsaved (${format.bytes(bytes)})${journaled ? "" : ", lost if this tab closes"}`
      : recoverable.files > 0 ? ""
      : access === "read" ? (this.#folder.private ? "private storage of this site" : "")
      : this.#folder.private ? "saved in this browser" : "all saved";
  }

  progress(progress: SyncProgress | undefined): void {
    const left = progress ? progress.filesToDo + progress.bytesToDo : 0;
    this.#bar.hidden = !progress || left === 0;
    if (!progress) return;
    const all = progress.bytes + progress.bytesToDo;
    this.#bar.value = all ? progress.bytes / all : progress.files / Math.max(progress.files + progress.filesToDo, 1);
  }
}

function folders(mounted: MountInfo[], kept: GrantInfo[]): Folder[] {
  const known = new Map(kept.map((grant) => [slot(grant), grant]));
  const open = mounted.map(({ path, id, access, label, unsynced, recoverable, journaled = true }): Folder => {
    const grant = known.get(slot({ path, id }));
    known.delete(slot({ path, id }));
    const left = { unsynced: count(unsynced), recoverable: count(recoverable), journaled };
    const state: PermissionState = grant?.state ?? "granted";
    return { path, id, access, label: shown(label), ...left, mounted: true, private: grant?.private ?? false, state };
  });
  const nothing = { unsynced: count(), recoverable: count(), journaled: true };
  const closed = [...known.values()].map((grant) => ({ ...grant, ...nothing, label: shown(grant.label), mounted: false }));
  return [...open, ...closed];
}

function count({ files, bytes }: Unsynced = { files: 0n, bytes: 0n }): Folder["unsynced"] {
  return { files: Number(files), bytes: Number(bytes) };
}

if (!customElements.get("mountfs-panel")) customElements.define("mountfs-panel", MountfsPanel);

declare global {
  interface HTMLElementTagNameMap {
    "mountfs-panel": MountfsPanel;
  }
}
