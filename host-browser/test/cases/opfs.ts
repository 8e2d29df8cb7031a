// A case's folders in the origin's private file system, which only the browser reaches: `base` holds them.
import type { Tree } from "./case.js";

type Directory = FileSystemDirectoryHandle;

/** Larger files are compared by their size. */
export const LARGEST = 1 << 20;

/** `name` in the folder of the case, or `folder:name`. With `create` the directories on the way are made. */
async function at(base: Directory, path: string, create = true): Promise<{ directory: Directory; name: string }> {
  const [folder, below] = path.includes(":") ? (path.split(":", 2) as [string, string]) : ["folder", path];
  const parts = [folder, ...below.split("/").filter(Boolean)];
  const name = parts.pop()!;
  let directory = base;
  for (const part of parts) directory = await directory.getDirectoryHandle(part, { create });
  return { directory, name };
}

async function write(base: Directory, path: string, content: string, keep = false): Promise<void> {
  const { directory, name } = await at(base, path);
  const handle = await directory.getFileHandle(name, { create: true });
  const stream = await handle.createWritable({ keepExistingData: keep });
  await stream.write({ type: "write", data: content, position: keep ? (await handle.getFile()).size : 0 });
  await stream.close();
}

export async function fill(base: Directory, folder: string, tree: Tree): Promise<void> {
  await base.getDirectoryHandle(folder, { create: true });
  for (const [path, entry] of Object.entries(tree)) {
    if (typeof entry !== "string") throw new Error(`there can be no link at ${path}`);
    if (path.endsWith("/")) await at(base, `${folder}:${path}.`);
    else await write(base, `${folder}:${path}`, entry);
  }
}

export async function outside(base: Directory, [verb, ...words]: string[]): Promise<void> {
  const [path = "", value = ""] = words;
  switch (verb) {
    case "write":
      return await write(base, path, value);
    case "append":
      return await write(base, path, value, true);
    case "mkdir":
      return void (await at(base, `${path}/.`));
    case "remove": {
      const { directory, name } = await at(base, path, false);
      return await directory.removeEntry(name, { recursive: true });
    }
    case "sparse": {
      const { directory, name } = await at(base, path);
      const stream = await (await directory.getFileHandle(name, { create: true })).createWritable();
      await stream.truncate(Number(value));
      return await stream.close();
    }
    default:
      throw new Error(`no other program can do \`${[verb, ...words].join(" ")}\` here`);
  }
}

export async function text(base: Directory, path: string): Promise<string | undefined> {
  try {
    const { directory, name } = await at(base, path, false);
    return await (await (await directory.getFileHandle(name)).getFile()).text();
  } catch {
    return undefined;
  }
}

export async function tree(base: Directory, folder: string): Promise<Tree> {
  const tree: Tree = {};
  const walk = async (directory: Directory, prefix: string): Promise<void> => {
    let empty = true;
    for await (const [name, handle] of directory.entries()) {
      empty = false;
      if (handle.kind === "directory") await walk(handle as Directory, `${prefix}${name}/`);
      else {
        const file = await (handle as FileSystemFileHandle).getFile();
        tree[prefix + name] = file.size > LARGEST ? `<${file.size} bytes>` : await file.text();
      }
    }
    if (empty && prefix) tree[prefix] = "";
  };
  await walk(await base.getDirectoryHandle(folder), "");
  return tree;
}
