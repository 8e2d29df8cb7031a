// The default permission dialog.
import { element, folderIcon, style } from "./elements.js";
import type { GrantDialog, Question } from "./grants/question.js";
import { shown } from "./shown.js";
import * as supported from "./supported.js";
import type { WitError } from "./wit.js";

/** Texts of the default dialog, to translate or reword. */
export interface DialogTexts {
  /** What is asked, in a line; `app` is what the dialog calls the app. */
  title(question: Question, app: string): string;
  /** What it means to say yes. */
  body(question: Question, app: string): string;
  /** The button that goes on to the browser's own question. */
  yes(question: Question): string;
  /** The button that answers `denied`. */
  no: string;
  /** What the cross in the corner is called. Like Escape it answers `cancelled`: neither yes nor no. */
  close: string;
  /** That a folder can be dropped, where it can. */
  dropHint: string;
  /** While the browser asks its own question. */
  waiting: string;
}

const does = ({ access }: Question) => (access === "read" ? "read" : "read and change");

/** The default texts. */
export const englishTexts: DialogTexts = {
  title: ({ kind, label }, app) =>
    kind === "choose" ? `${app} asks for a folder`
    : kind === "again" ? `Open “${label}” again?`
    : "Keep files in this browser?",
  body: (question, app) => {
    const at = question.key.path;
    switch (question.kind) {
      case "choose":
        return (
          `It can then ${does(question)} the files in the folder you choose, and no others. ` +
          `It will call that folder ${at}.`
        );
      case "again":
        return `You chose this folder before. ${app} can then ${does(question)} the files in it again. It calls the folder ${at}.`;
      case "private":
        return (
          `This browser cannot open a folder of your computer. ${app} can keep its files (${at}) in this browser's ` +
          "private storage instead: they stay on this device, your file manager does not show them, and they are " +
          "gone when you clear this site's data."
        );
    }
  },
  yes: ({ kind }) => (kind === "choose" ? "Choose a folder…" : kind === "again" ? "Open again" : "Keep them here"),
  no: "Don’t allow",
  close: "Not now",
  dropHint: "Or drop a folder here",
  waiting: "Answer your browser’s question…",
};

/**
 * The default dialog: it takes the focus, Escape cancels it, and a folder can be dropped on it. As with a browser's own
 * prompts, the page can be used meanwhile: whoever is asked for a folder may want to take another one back first.
 */
export function defaultDialog(app = "This page", texts: DialogTexts = englishTexts): GrantDialog {
  return { ask: (question, act, moot) => ask(question, act, moot, app, texts) };
}

function ask<T>(
  question: Question,
  act: (dropped?: FileSystemDirectoryHandle) => Promise<T>,
  moot: AbortSignal,
  app: string,
  texts: DialogTexts,
): Promise<T> {
  const host = document.createElement("mountfs-dialog");
  // Its own root, so that the page's styles do not change what the user reads when they grant something. That is also
  // why nothing in it is measured in `rem`.
  const root = host.attachShadow({ mode: "open" });
  const droppable = question.kind === "choose" && supported.drop;
  style(root, STYLE);
  // As text, never as markup, and harmless as text: a path and a folder's name are others' words.
  const harmless = shownIn(question);
  const yes = element("button", { id: "yes", part: "button primary", type: "button", autofocus: "" }, texts.yes(harmless));
  const no = element("button", { id: "no", part: "button", type: "button" }, texts.no);
  const named = { title: texts.close, "aria-label": texts.close };
  const close = element("button", { id: "close", part: "button close", type: "button", ...named }, "×");
  const hint = element("p", { class: "hint", part: "hint" }, texts.dropHint);
  hint.hidden = !droppable;
  const wait = element("p", { class: "wait", part: "wait", role: "status" });
  const dialog = element(
    "dialog",
    { popover: "manual", part: "dialog", "aria-labelledby": "title", "aria-describedby": "body" },
    element("div", { class: "icon", "aria-hidden": "true" }, folderIcon("24", "1.7")),
    element("h2", { id: "title", part: "title" }, texts.title(harmless, app)),
    element("p", { id: "body", part: "body" }, texts.body(harmless, app)),
    hint,
    wait,
    element("div", { class: "buttons" }, yes, no),
    close,
  );
  root.append(dialog);
  const before = focused();
  document.body.append(host);
  dialog.showPopover();
  if (root.activeElement !== yes) {
    // A modal dialog of the page has made all else inert: then ours has to be one, too.
    dialog.hidePopover();
    dialog.showModal();
  }

  return new Promise<T>((resolve, reject) => {
    /** It was begun, or the question was answered: nothing begins any more. */
    let going = false;
    const settle = (how: () => void) => {
      going = true;
      how();
      const back = document.activeElement === host;
      host.remove();
      if (back) before?.focus();
    };
    const refuse = (tag: "cancelled" | "denied") => settle(() => reject({ tag } satisfies WitError));
    const go = async (dropped?: FileSystemDirectoryHandle) => {
      if (going) return;
      going = true;
      // Not `disabled`, which would take the focus from it, and with it Escape.
      yes.setAttribute("aria-disabled", "true");
      wait.textContent = texts.waiting;
      try {
        const result = await act(dropped);
        settle(() => resolve(result));
      } catch (error) {
        settle(() => reject(error));
      }
    };
    moot.addEventListener("abort", () => settle(() => reject(moot.reason)));
    yes.addEventListener("click", () => void go());
    no.addEventListener("click", () => refuse("denied"));
    close.addEventListener("click", () => refuse("cancelled"));
    dialog.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      // It is meant for this, and for nothing in the page.
      event.preventDefault();
      event.stopPropagation();
      refuse("cancelled");
    });
    // Whatever else a browser or an assistive tool closes a modal dialog with.
    dialog.addEventListener("cancel", () => refuse("cancelled"));
    if (!droppable) return;
    dialog.addEventListener("dragover", (event) => {
      event.preventDefault();
      dialog.classList.add("over");
    });
    dialog.addEventListener("dragleave", () => dialog.classList.remove("over"));
    dialog.addEventListener("drop", (event) => {
      event.preventDefault();
      dialog.classList.remove("over");
      // A folder that the browser protects it does not give.
      droppedFolder(event).then((folder) => folder && go(folder), () => undefined);
    });
  });
}

/** A question with its words as they can be shown. */
function shownIn({ kind, key, access, label }: Question): Question {
  const question = { kind, key: { path: shown(key.path), id: shown(key.id) }, access };
  return label === undefined ? question : { ...question, label: shown(label) };
}

/** What has the focus, in shadow trees too. */
function focused(): HTMLElement | undefined {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at instanceof HTMLElement ? at : undefined;
}

/** The folder that was dropped, if it was one. To be called in the event's handler. */
export async function droppedFolder(event: DragEvent): Promise<FileSystemDirectoryHandle | undefined> {
  const item = [...(event.dataTransfer?.items ?? [])].find(({ kind }) => kind === "file");
  const handle = await item?.getAsFileSystemHandle?.();
  return handle?.kind === "directory" ? (handle as FileSystemDirectoryHandle) : undefined;
}

const STYLE = `
  dialog {
    --accent: var(--mountfs-accent, #2f5fe0);
    --tint: light-dark(var(--accent), color-mix(in srgb, var(--accent) 55%, #fff));
    box-sizing: border-box; inset: min(12vh, 6em) 0 auto; width: min(31em, calc(100vw - 2em)); margin: 0 auto;
    max-height: calc(100vh - 2em); padding: 1.6em; border: 1px solid light-dark(#d5d9e2, #454d5e);
    border-radius: var(--mountfs-radius, 14px); font: 400 15px/1.5 var(--mountfs-font, system-ui, sans-serif);
    color: var(--mountfs-text, light-dark(#1d2129, #e9ebf0)); background: var(--mountfs-surface, light-dark(#fff, #1e222b));
    box-shadow: 0 6px 24px rgb(10 16 30 / .2);
  }
  /* The page steps back, and can be used. */
  dialog::backdrop { background: light-dark(rgb(10 16 30 / .3), rgb(0 0 0 / .55)); }
  .icon {
    display: grid; place-items: center; width: 44px; height: 44px; border-radius: 12px; margin-bottom: .95em;
    color: var(--tint); background: color-mix(in srgb, var(--tint) 13%, transparent);
  }
  h2 { margin: 0 0 .3em; font-size: 1.2em; line-height: 1.3; overflow-wrap: anywhere; }
  p { margin: 0; overflow-wrap: anywhere; color: var(--mountfs-muted, light-dark(#535b6b, #a8afbd)); }
  .hint, .wait { margin-top: 1em; font-size: .93em; }
  .hint { padding: .7em; border: 1.5px dashed color-mix(in srgb, currentColor 45%, transparent); border-radius: 10px; text-align: center; }
  .over .hint { border-color: var(--tint); background: color-mix(in srgb, var(--tint) 10%, transparent); }
  .wait:empty { display: none; }
  .buttons { display: flex; flex-flow: row-reverse wrap; gap: .65em; margin-top: 1.45em; }
  button {
    font: inherit; font-weight: 550; min-height: 40px; padding: .4em 1em; border-radius: 9px; cursor: pointer; color: inherit;
    border: 1px solid color-mix(in srgb, currentColor 26%, transparent); background: transparent;
  }
  button:hover { background: color-mix(in srgb, currentColor 7%, transparent); }
  #yes { color: #fff; border-color: transparent; background: var(--accent); }
  #yes:hover { background: color-mix(in srgb, var(--accent) 88%, #000); }
  #yes[aria-disabled] { opacity: .6; cursor: default; }
  button:focus-visible { outline: 2px solid var(--tint); outline-offset: 2px; }
  #close {
    position: absolute; top: .8em; right: .8em; width: 36px; min-height: 36px; padding: 0; border-color: transparent;
    font-size: 1.35em; font-weight: 400; line-height: 1; color: var(--mountfs-muted, light-dark(#535b6b, #a8afbd));
  }
  @media (max-width: 480px) {
    dialog { inset: auto 0 1em; }
    .buttons { flex-flow: column; }
    button { min-height: 44px; }
    #close { width: 44px; }
  }
  @media (hover: none) { .hint { display: none; } }
`;
