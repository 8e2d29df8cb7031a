// The limits that a page sets, met by Python: an error it knows, after which it goes on.
import { afterAll, beforeAll, expect, it } from "vitest";
import { AppPage, type InPage } from "./app-page.js";
import { cleanUp } from "./browser.js";

declare const createMountfs: InPage["createMountfs"];

let app: AppPage;

beforeAll(async () => void (app = await AppPage.start()));

afterAll(async () => {
  await app?.stop();
  cleanUp();
});

const SOURCE = `
import asyncio, errno, os
from mountfs import fs

async def main():
    await fs.mount("/local")
    files = []
    try:
        while True:
            files.append(os.open("/local/a", os.O_RDWR | os.O_CREAT))
    except OSError as error:
        print("full", errno.errorcode[error.errno], 10 < len(files) < 40)
    try:
        os.open("/local/b", os.O_RDWR | os.O_CREAT)
    except OSError as error:
        print("and full", errno.errorcode[error.errno])
    os.close(files.pop())
    os.write(files[0], b"text")
    print("again", os.pread(files[1], 9, 0))
    while files:
        os.close(files.pop())
    print("then", sorted(os.listdir("/local")))
    try:
        for name in range(9):
            await fs.mount(f"/more/{name}")
    except Exception as error:
        print(error)
    await fs.unmount("/more/0")
    await fs.mount("/more/8")
    print("mounted")
asyncio.run(main())
`;

it("holds, and leaves the app alive", async () => {
  const said = await app.page.evaluate(async (source) => {
    const limited = createMountfs({ app: "python", provider: "private", limits: { descriptors: 40, mounts: 3 } });
    let said = "";
    const print = (text: string) => void (said += text);
    // The next run has as much again, whatever the one before had open when it ended.
    const spill = "import os; from mountfs import fs; import asyncio; asyncio.run(fs.mount('/local')); [os.open('/local/c', os.O_RDWR | os.O_CREAT) for _ in range(20)]; os._exit(0)";
    for (let run = 0; run < 3; run++) await limited.run(["-c", spill], { stdout: print, stderr: print });
    const code = await limited.run(["-c", source], { stdout: print, stderr: print });
    for (const { path, id } of await limited.kept()) await limited.revoke(path, id);
    limited.close();
    return [code, ...said.trim().split("\n")];
  }, SOURCE);
  expect(said).toEqual([
    0,
    "full ENOMEM True",
    "and full ENOMEM",
    "again b'text'",
    "then ['a', 'c']",
    expect.stringContaining("3 folders are mounted, and the host allows no more: unmount one first"),
    "mounted",
  ]);
});
