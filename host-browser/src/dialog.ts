// The default permission dialog. The one file that touches the DOM for it.
import type { GrantDialog, Question } from "./grants/question.js";
import * as supported from "./supported.js";
import type { WitError } from "./wit.js";

/** Texts of the default dialog, to translate or reword. */
export interface DialogTexts {
  title(question: Question, app: string): string;
  body(question: Question, app: string): string;
  yes(question: Question): string;
  no: string;
  close: string;
  dropHint: string;
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
        return `It will ${does(question)} the files in the one you choose, as ${at}, and no others.`;
      case "again":
        return `${app} will ${does(question)} the files in this folder again, as ${at}. You chose it before.`;
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
  close: "Cancel",
  dropHint: "or drop a folder here",
  waiting: "Answer your browser’s question…",
};

/** The default dialog: modal, with focus kept inside, Escape to cancel, and a place to drop a folder on. */
export function defaultDialog(app = "This page", texts: DialogTexts = englishTexts): GrantDialog {
  return { ask: (question, act) => ask(question, act, app, texts) };
}

function ask<T>(
  question: Question,
  act: (dropped?: FileSystemDirectoryHandle) => Promise<T>,
  app: string,
  texts: DialogTexts,
): Promise<T> {
  const host = document.createElement("mountfs-dialog");
  // Its own root, so that the page's styles do not change what the user reads when they grant something.
  const root = host.attachShadow({ mode: "open" });
  const droppable = question.kind === "choose" && supported.drop;
  root.innerHTML = `<style>${STYLE}</style>
    <dialog part="dialog" aria-labelledby="title" aria-describedby="body">
      <div class="icon" aria-hidden="true">${FOLDER}</div>
      <h2 id="title" part="title"></h2>
      <p id="body" part="body"></p>
      <p class="hint" part="hint" hidden></p>
      <p class="wait" part="wait" role="status"></p>
      <div class="buttons">
        <button id="close" part="button" type="button"></button>
        <button id="no" part="button" type="button"></button>
        <button id="yes" part="button primary" type="button" autofocus></button>
      </div>
    </dialog>`;
  const find = <E extends HTMLElement>(selector: string) => root.querySelector<E>(selector)!;
  const dialog = find<HTMLDialogElement>("dialog");
  const [yes, no, close] = [find("#yes"), find("#no"), find("#close")] as HTMLButtonElement[];
  // As text, never as markup: a path and a folder's name are others' words.
  find("#title").textContent = texts.title(question, app);
  find("#body").textContent = texts.body(question, app);
  yes!.textContent = texts.yes(question);
  no!.textContent = texts.no;
  close!.textContent = texts.close;
  find(".hint").textContent = texts.dropHint;
  find(".hint").hidden = !droppable;
  document.body.append(host);
  dialog.showModal();

  return new Promise<T>((resolve, reject) => {
    const settle = (how: () => void) => {
      how();
      dialog.close();
      host.remove();
    };
    const refuse = (tag: "cancelled" | "denied") => settle(() => reject({ tag } satisfies WitError));
    const go = async (dropped?: FileSystemDirectoryHandle) => {
      yes!.disabled = true;
      find(".wait").textContent = texts.waiting;
      try {
        const result = await act(dropped);
        settle(() => resolve(result));
      } catch (error) {
        settle(() => reject(error));
      }
    };
    yes!.addEventListener("click", () => void go());
    no!.addEventListener("click", () => refuse("denied"));
    close!.addEventListener("click", () => refuse("cancelled"));
    // Escape, and whatever else a browser or an assistive tool closes dialogs with.
    dialog.addEventListener("cancel", () => refuse("cancelled"));
    dialog.addEventListener("close", () => refuse("cancelled"));
    if (!droppable) return;
    dialog.addEventListener("dragover", (event) => {
      event.preventDefault();
      dialog.classList.add("over");
    });
    dialog.addEventListener("dragleave", () => dialog.classList.remove("over"));
    dialog.addEventListener("drop", (event) => {
      event.preventDefault();
      dialog.classList.remove("over");
      void droppedFolder(event).then((folder) => folder && go(folder));
    });
  });
}

/** The folder that was dropped, if it was one. To be called in the event's handler. */
export async function droppedFolder(event: DragEvent): Promise<FileSystemDirectoryHandle | undefined> {
  const item = [...(event.dataTransfer?.items ?? [])].find(({ kind }) => kind === "file");
  const handle = await item?.getAsFileSystemHandle?.();
  return handle?.kind === "directory" ? (handle as FileSystemDirectoryHandle) : undefined;
}

const FOLDER = `<svg viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" stroke-width="1.7"
  stroke-linejoin="round"><path d="M3 7.5V18a2 2 0 0 0 2 2h14a2 2 0 0 0 2-2V9a2 2 0 0 0-2-2h-7L9.6 4.6A2 2 0 0 0 8.2 4H5
  a2 2 0 0 0-2 2z"/></svg>`;

const STYLE = `
  dialog {
    box-sizing: border-box; width: min(29.5rem, calc(100vw - 2rem)); padding: 1.5rem; border: 0;
    border-radius: var(--mountfs-radius, 14px); font: 400 15px/1.5 var(--mountfs-font, system-ui, sans-serif);
    color: var(--mountfs-text, light-dark(#1d2129, #e9ebf0)); background: var(--mountfs-surface, light-dark(#fff, #1e222b));
    box-shadow: 0 24px 70px -12px rgb(10 16 30 / .45); color-scheme: var(--mountfs-scheme, light dark);
  }
  dialog::backdrop { background: rgb(14 18 28 / .45); backdrop-filter: blur(2px); }
  dialog.over { outline: 2px dashed var(--mountfs-accent, #3b6ef5); outline-offset: -8px; }
  .icon {
    display: grid; place-items: center; width: 44px; height: 44px; border-radius: 12px; margin-bottom: .9rem;
    color: var(--mountfs-accent, #3b6ef5); background: color-mix(in srgb, var(--mountfs-accent, #3b6ef5) 13%, transparent);
  }
  h2 { margin: 0 0 .35rem; font-size: 1.15rem; line-height: 1.3; overflow-wrap: anywhere; }
  p { margin: 0; overflow-wrap: anywhere; color: var(--mountfs-muted, light-dark(#535b6b, #a8afbd)); }
  .hint, .wait { margin-top: .7rem; font-size: .87rem; }
  .wait:empty { display: none; }
  .buttons { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: .5rem; margin-top: 1.35rem; }
  button {
    font: inherit; font-weight: 550; padding: .5rem .95rem; border-radius: 9px; cursor: pointer; color: inherit;
    border: 1px solid color-mix(in srgb, currentColor 18%, transparent); background: transparent;
  }
  button:hover { background: color-mix(in srgb, currentColor 7%, transparent); }
  #yes { color: #fff; border-color: transparent; background: var(--mountfs-accent, #3b6ef5); }
  #yes:hover { filter: brightness(1.07); }
  #yes:disabled { opacity: .55; cursor: default; }
  button:focus-visible { outline: 2px solid var(--mountfs-accent, #3b6ef5); outline-offset: 2px; }
  #close { margin-right: auto; }
`;
