// The floor: the same with bare File System Access in a worker. Nothing is copied or remembered, names are looked up on
// use, and every write is on disk when it ends. One call of the browser's after another, or so many at once.
import { answer, timed, type Work } from "./contender.ts";

const atOnce = Number(new URLSearchParams(location.search).get("at-once"));
let root: FileSystemDirectoryHandle;

async function lookUp(path: string): Promise<FileSystemFileHandle> {
  const names = path.split("/");
  const name = names.pop()!;
  let directory = root;
  for (const name of names) {
    directory = await directory.getDirectoryHandle(name);
  }
  return await directory.getFileHandle(name);
}

async function* files(directory: FileSystemDirectoryHandle): AsyncGenerator<FileSystemFileHandle> {
  for await (const handle of directory.values()) {
    if (handle.kind === "file") {
      yield handle as FileSystemFileHandle;
    } else {
      yield* files(handle as FileSystemDirectoryHandle);
    }
  }
}

async function* numbers(count: number): AsyncGenerator<number> {
  for (let number = 0; number < count; number++) {
    yield number;
  }
}

/** Does something with each, `atOnce` of them at a time, and adds up what that answers. */
async function each<T>(all: AsyncGenerator<T>, work: (one: T) => Promise<number>): Promise<number> {
  let sum = 0;
  const worker = async () => {
    for (let next = await all.next(); !next.done; next = await all.next()) {
      const value = await work(next.value);
      sum += value;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return sum;
}

async function run(work: Work): Promise<string | number | void> {
  switch (work.do) {
    case "read": {
      const file = await (await lookUp(work.path)).getFile();
      return await file.slice(work.offset, work.offset + work.length).text();
    }
    case "walk":
      return await each(files(root), async (file) => (await file.getFile()).size);
    case "read_all":
      return await each(files(root), async (file) => (await (await file.getFile()).arrayBuffer()).byteLength);
    case "overwrite": {
      const writable = await (await lookUp(work.path)).createWritable({ keepExistingData: true });
      await writable.write({ type: "write", position: work.offset, data: work.text });
      await writable.close();
      return;
    }
    case "create": {
      const folder = await root.getDirectoryHandle(work.folder, { create: true });
      await each(numbers(work.count), async (number) => {
        const writable = await (await folder.getFileHandle(`${number}.txt`, { create: true })).createWritable();
        await writable.write(work.text);
        await writable.close();
        return 0;
      });
    }
  }
}

answer({
  start: async () => {},
  mount: (folder) => timed(async () => void (await (root = folder).queryPermission({ mode: "readwrite" }))),
  sync: () => timed(() => {}),
  work: (work) => timed(async () => (await run(work)) ?? null),
});
