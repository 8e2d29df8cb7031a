// Programs written for PyScript's `pyscript.fs` run here as they stand: the calls of its documentation (the chapter on
// the filesystem, the reference of `pyscript.fs`, and the note-taking app), with the arguments they have there.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { AppPage, type InPage } from "./app-page.js";
import { cleanUp } from "./browser.js";
import { folderOf, onDisk } from "./disk.js";

declare const window: InPage & Window;

let app: AppPage;
beforeAll(async () => void (app = await AppPage.start()));
afterEach(() => app.reset());
afterAll(async () => {
  await app?.stop();
  cleanUp();
});

const mounted = () => app.page.evaluate(async () => (await window.fs.mounted()).map(({ path, id }) => `${path} ${id}`));

describe("the chapter on the filesystem", () => {
  it("mounts, writes, syncs and unmounts", async () => {
    const folder = folderOf();
    await app.choose(folder);
    await app.python(`
      from pyscript import fs

      await fs.mount("/local")

      with open("/local/data.txt", "w") as f:
          f.write("from a page")

      await fs.sync("/local")
    `);
    expect(onDisk(folder)).toEqual({ "data.txt": "from a page" });
    await app.python(`await fs.unmount("/local")`);
    expect(await mounted()).toEqual([]);
    expect(await app.picks()).toEqual([{ id: "pyscript", mode: "readwrite" }]);
  });

  it("switches between folders at one path by their ids, and asks for each once", async () => {
    const [first, second] = [folderOf({ "model.dat": "first" }), folderOf({ "model.dat": "second" })];
    await app.choose(first, second);
    const read = await app.python(`
      from pyscript import fs

      async def read(id):
          await fs.mount("/local", id=id)
          with open("/local/model.dat", "r") as f:
              data = f.read()
          await fs.unmount("/local")
          return data

      print([await read(id) for id in ("v1", "v2", "v1")])
    `);
    expect(read).toBe("['first', 'second', 'first']");
    expect((await app.picks()).map(({ id }) => id)).toEqual(["v1", "v2"]);
  });
});

describe("the reference", () => {
  it("mounts with the defaults, read-only, with a place to start in, and with an id", async () => {
    await app.choose(...Array.from({ length: 4 }, () => folderOf({ "a.txt": "a" })));
    const seen = await app.python(`
      from pyscript import fs
      import os

      await fs.mount("/local")
      await fs.mount("/readonly", mode="read")
      await fs.mount("/downloads", root="downloads")
      await fs.mount("/project", id="my-project")
      print([open(f"/{name}/a.txt").read() for name in sorted(os.listdir("/"))])
      print(refused(open, "/readonly/a.txt", "w"))
    `);
    expect(seen).toBe("['a', 'a', 'a', 'a']\nEROFS");
    expect(await app.picks()).toEqual([
      { id: "pyscript", mode: "readwrite" },
      { id: "pyscript", mode: "read" },
      { id: "pyscript", mode: "readwrite", startIn: "downloads" },
      { id: "my-project", mode: "readwrite" },
    ]);
  });

  it("starts in each of the places", async () => {
    const roots = ["desktop", "documents", "downloads", "music", "pictures", "videos"];
    await app.choose(...roots.map(() => folderOf()));
    await app.python(`
      from pyscript import fs
      for root in ${JSON.stringify(roots)}:
          await fs.mount(f"/{root}", root=root)
    `);
    expect((await app.picks()).map(({ startIn }) => startIn)).toEqual(roots);
  });

  it("syncs, also twice, and unmount syncs too; then the path is free for another folder", async () => {
    const [first, second] = [folderOf(), folderOf()];
    await app.choose(first, second);
    await app.python(`
      from pyscript import fs

      await fs.mount("/local")
      with open("/local/data.txt", "w") as f:
          f.write("important")
      await fs.sync("/local")
      await fs.sync("/local")
      with open("/local/last.txt", "w") as f:
          f.write("written last")
      await fs.unmount("/local")
    `);
    expect(onDisk(first)).toEqual({ "data.txt": "important", "last.txt": "written last" });
    await app.python(`
      await fs.mount("/local", id="different-folder")
      with open("/local/data.txt", "w") as f:
          f.write("of the other folder")
      await fs.sync("/local")
    `);
    expect(onDisk(second)).toEqual({ "data.txt": "of the other folder" });
    expect(onDisk(first)).toEqual({ "data.txt": "important", "last.txt": "written last" });
  });

  it("revokes a path and id, says whether there was one, and asks again at the next mount", async () => {
    const [first, second] = [folderOf(), folderOf()];
    await app.choose(first, second);
    const said = await app.python(`
      from pyscript import fs

      await fs.mount("/local", id="my-app")
      open("/local/data.txt", "w").write("saved")
      revoked = await fs.revoke("/local", id="my-app")
      if revoked:
          print("revoked")
      print("/local" in fs.mounted, await fs.revoke("/local", id="my-app"))
      await fs.mount("/local", id="my-app")
    `);
    expect(said).toBe("revoked\nFalse False");
    expect(await app.picks()).toHaveLength(2);
    expect([onDisk(first), onDisk(second)]).toEqual([{ "data.txt": "saved" }, {}]);
  });

  it("has what is mounted in `mounted`", async () => {
    await app.choose(folderOf());
    const said = await app.python(`
      from pyscript import fs
      print("/local" in fs.mounted, len(fs.mounted))
      await fs.mount("/local")
      print("/local" in fs.mounted, list(fs.mounted))
      await fs.unmount("/local")
      print("/local" in fs.mounted)
    `);
    expect(said).toBe("False 0\nTrue ['/local']\nFalse");
  });

  it("is imported as `pyscript.fs`, too", async () => {
    await app.choose(folderOf({ "a.txt": "a" }));
    expect(
      await app.python(`
        from pyscript.fs import mount, sync, unmount, revoke
        await mount("/local")
        print(open("/local/a.txt").read())
        await sync("/local")
        await unmount("/local")
        await revoke("/local")
      `),
    ).toBe("a");
  });

  it.each([
    ["sync of what is not mounted", `fs.sync("/nonexistent")`, "KeyError", "nothing is mounted there"],
    ["unmount of what is not mounted", `fs.unmount("/nonexistent")`, "KeyError", "nothing is mounted there"],
    ["a mount with another id", `fs.mount("/local", id="other")`, "ValueError", "mounted already with id 'pyscript'"],
    ["a mount that the user refuses", `fs.mount("/refused")`, "RuntimeError", "no folder was chosen"],
    ["a mode that is none", `fs.mount("/local", mode="write")`, "ValueError", "use 'readwrite' or 'read'"],
    ["a root that is none", `fs.mount("/local", root="attic")`, "ValueError", "desktop, documents, downloads"],
  ])("raises for %s", async (_, call, kind, why) => {
    await app.choose(folderOf());
    await app.python(`from pyscript import fs; await fs.mount("/local")`);
    const failed = app.python(`await ${call}`);
    await expect(failed).rejects.toThrow(`${kind}: `);
    await expect(failed).rejects.toThrow(why);
    expect(await mounted()).toEqual(["/local pyscript"]);
  });
});

it("the note-taking app: a click mounts, and no question of ours comes before the picker", async () => {
  const folder = folderOf({ "my-note.txt": "an old note" });
  await app.choose(folder);
  await app.page.evaluate(() => {
    const button = (text: string, source: () => string) => {
      const made = Object.assign(document.createElement("button"), { textContent: text });
      made.onclick = async () => (made.title = (await window.python(source())) || "done");
      document.body.append(made);
    };
    const note = document.body.appendChild(document.createElement("textarea"));
    button("Select Folder", () => `from pyscript import fs\nawait fs.mount("/notes")`);
    button("Save Note", () => `
      with open("/notes/my-note.txt", "w") as f:
          f.write(${JSON.stringify(note.value)})
      await fs.sync("/notes")
    `);
  });
  const press = async (name: string) => {
    await app.page.getByRole("button", { name }).click();
    await app.page.locator("button[title=done]", { hasText: name }).waitFor();
  };
  await press("Select Folder");
  await app.page.locator("textarea").fill("buy milk");
  await press("Save Note");
  expect(onDisk(folder)).toEqual({ "my-note.txt": "buy milk" });

  // The next visit finds the note, and asks nothing.
  await app.open();
  const read = `from pyscript import fs; await fs.mount("/notes"); print(open("/notes/my-note.txt").read())`;
  expect(await app.python(read)).toBe("buy milk");
});
