// Folders of this machine, as the tests make them and look at them: without a browser.
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporary } from "./browser.js";

/** Files by their paths, with their text. */
export type Files = Record<string, string>;

/** A fresh folder with files in it. */
export function folderOf(files: Files = {}): string {
  const folder = temporary("folder");
  put(folder, files);
  return folder;
}

/** Writes files, as another program does. */
export function put(folder: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A file of a size, without a byte in it but what `text` says is at `offset`. */
export function sparse(path: string, size: number, text = "", offset = 0): void {
  writeFileSync(path, "");
  truncateSync(path, offset);
  writeFileSync(path, text, { flag: "a" });
  truncateSync(path, size);
}

/** A file of this size or more is told by its size. */
const LARGE = 1 << 20;

/**
 * All that is in a folder: files with their text, or `<size>` when they are large; links with `-> target`; and empty
 * directories, whose paths end with `/`.
 */
export function onDisk(folder: string, path = ""): Files {
  const all: Files = {};
  for (const name of readdirSync(join(folder, path)).sort()) {
    const [inner, outer] = [join(path, name), join(folder, path, name)];
    const found = lstatSync(outer);
    if (found.isSymbolicLink()) all[inner] = `-> ${readlinkSync(outer)}`;
    else if (!found.isDirectory()) all[inner] = found.size < LARGE ? readFileSync(outer, "utf8") : `<${found.size}>`;
    else if (readdirSync(outer).length === 0) all[`${inner}/`] = "";
    else Object.assign(all, onDisk(folder, inner));
  }
  return all;
}
