// A case's folders on this computer: filled, changed and looked at by Node, as by any other program.
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Tree } from "./case.js";
import { LARGEST } from "./opfs.js";

/** `name` in the folder of the case, or `folder:name`. */
function at(base: string, path: string): string {
  const [folder, below] = path.includes(":") ? (path.split(":", 2) as [string, string]) : ["folder", path];
  return join(base, folder, below);
}

export function fill(base: string, folder: string, tree: Tree): void {
  mkdirSync(join(base, folder), { recursive: true });
  for (const [path, entry] of Object.entries(tree)) {
    const to = join(base, folder, path);
    mkdirSync(dirname(to), { recursive: true });
    if (typeof entry === "object") symlinkSync(entry.link, to);
    else if (path.endsWith("/")) mkdirSync(to, { recursive: true });
    else writeFileSync(to, String(entry));
  }
}

export function outside(base: string, [verb, ...words]: string[]): void {
  const [path = "", value = ""] = words;
  const file = at(base, path);
  switch (verb) {
    case "write":
      return writeFileSync(file, value);
    case "append":
      return appendFileSync(file, value);
    case "mkdir":
      return void mkdirSync(file, { recursive: true });
    case "remove":
      return rmSync(file, { recursive: true });
    case "rename":
      return renameSync(file, at(base, value));
    case "symlink":
      return symlinkSync(path, at(base, value));
    case "touch":
      return utimesSync(file, Number(value), Number(value));
    case "fill":
      mkdirSync(file);
      for (let name = 0; name < Number(value); name++) writeFileSync(join(file, String(name)), "");
      return;
    case "sparse":
      writeFileSync(file, "");
      return truncateSync(file, Number(value));
    case "bytes":
      return writeFileSync(Buffer.concat([Buffer.from(join(base, "folder/")), Buffer.from(path, "hex")]), "");
    default:
      throw new Error(`no other program can do \`${[verb, ...words].join(" ")}\``);
  }
}

export function text(base: string, path: string): string | undefined {
  const file = at(base, path);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

export function tree(base: string, folder: string): Tree {
  const tree: Tree = {};
  // A name may be no text.
  const walk = (directory: Buffer, prefix: string): void => {
    const names = readdirSync(directory, "buffer");
    for (const name of names) {
      const path = Buffer.concat([directory, Buffer.from("/"), name]);
      const [shown, stat] = [prefix + name.toString(), lstatSync(path)];
      if (stat.isDirectory()) walk(path, `${shown}/`);
      else if (stat.isSymbolicLink()) tree[shown] = { link: readlinkSync(path, "utf8") };
      else tree[shown] = stat.size > LARGEST ? `<${stat.size} bytes>` : readFileSync(path, "utf8");
    }
    if (names.length === 0 && prefix) tree[prefix] = "";
  };
  walk(Buffer.from(join(base, folder)), "");
  return tree;
}
