// What a guest writes is over what the file was then. Another program may change it in any moment: while it is read, and when
// it was not yet. What ends on disk is never a mix of both: each version is what somebody wrote, or made of what was there.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Browser } from "./fixture.js";

let browser: Browser;
beforeAll(async () => void (browser = await Browser.start()), 60_000);
afterAll(() => browser?.stop(), 60_000);

const SMALL = "as it was, at first";
const LARGE = "as it was, at first ".repeat(100_000);
const OTHER = "changed by another program ";

/** How another program changes a file. */
const WAYS = {
  "in place": (file: string, text: string) => writeFileSync(file, text),
  "by a rename": (file: string, text: string) => {
    writeFileSync(`${file}.tmp`, text);
    renameSync(`${file}.tmp`, file);
  },
};

/** What the guest has done when its file may be changed at any time. */
const STATES: Record<string, string[]> = {
  "is opened": [],
  "was synced": ["open", "write", "sync"],
  "was opened again when it had changed": ["open", "change", "read"],
  "was opened again while it changed": ["open", "change", "arm", "read"],
  "was written while it was synced": ["open", "write", "sync and write"],
};

/** One state of `texts` on disk is as the guest had it, one as the other program had it, and nothing else is there. */
function mayBe(texts: string[], base: string, others: string[], guest: (text: string) => string): void {
  const all = [base, ...others];
  const wrong = texts.filter((text) => ![...all, ...all.map(guest)].includes(text));
  expect(wrong.map((text) => `${text.slice(0, 60)} (${text.length})`), "nobody wrote that").toEqual([]);
  expect(texts.some((text) => all.map(guest).includes(text)), "the guest's version is there").toBe(true);
  const last = others.at(-1)!;
  expect(texts.some((text) => text === last || text === guest(last)), "the other's version is there").toBe(true);
}

describe.each(Object.entries(STATES))("a file that %s, and is then written and changed by another program", (_, states) => {
  test.each(Object.keys(WAYS) as (keyof typeof WAYS)[])("%s", { timeout: 60_000 }, async (way) => {
    const folder = await browser.folder("local");
    await folder.write("a", SMALL);
    const others: string[] = [];
    browser.other = () => WAYS[way](join(folder.path, "a"), others[others.push("once more ".repeat(others.length) + OTHER) - 1]!);
    await folder.run(
      async ({ Guest, handle, watched, bytes }, states, inPlace) => {
        const blob = Blob.prototype;
        const { arrayBuffer } = blob;
        let closing: (() => unknown) | undefined;
        const hook = async (call: string) => {
          if (call !== "close") return;
          const now = closing;
          closing = undefined;
          await now?.();
        };
        const guest = new Guest(watched(handle, hook));
        const open = () => guest.writing("a");
        const write = (at: bigint) => file.write(bytes("GUEST"), at);
        let file = states.includes("open") ? await open() : (undefined as never);
        let armed = false;
        const change = () => ((armed = false), fetch("/other", { method: "POST" }));
        blob.arrayBuffer = async function () {
          if (!armed) return arrayBuffer.call(this);
          await change();
          // As Chromium gives it when it has opened the file, and another program writes into that.
          const now = inPlace ? await (await handle.getFileHandle("a")).getFile() : undefined;
          return arrayBuffer.call(now?.slice(0, this.size) ?? this);
        };
        try {
          for (const state of states) {
            if (state === "write") await write(0n);
            if (state === "sync") await guest.sync();
            if (state === "change") await fetch("/other", { method: "POST" });
            if (state === "sync and write") {
              closing = () => write(7n);
              await guest.sync();
            }
            if (state === "arm") armed = true;
            if (state === "read") await guest.read("a");
          }
          armed = true;
          file ??= await open();
          await write(14n);
          if (armed) await change();
          await guest.sync();
          file[Symbol.dispose]();
          await guest.sync();
        } finally {
          Object.assign(blob, { arrayBuffer });
        }
      },
      states,
      way === "in place",
    );
    const texts = await Promise.all((await folder.names()).map((name) => folder.read(name)));
    const places = [...(states.includes("write") ? [0] : []), ...(states.includes("sync and write") ? [7] : []), 14];
    const written = (text: string) => places.reduce((text, at) => text.slice(0, at) + "GUEST" + text.slice(at + 5), text);
    mayBe(texts, SMALL, others, written);
  });
});

test("a large file that another program replaces when it is written", { timeout: 60_000 }, async () => {
  const folder = await browser.folder("local");
  await folder.write("a", LARGE);
  browser.other = () => WAYS["by a rename"](join(folder.path, "a"), OTHER);
  await folder.run(async ({ Guest, handle, bytes }) => {
    const blob = Blob.prototype;
    const { stream } = blob;
    let opened: Promise<unknown> | undefined;
    // The first time it is opened, it is another one by then.
    blob.stream = function () {
      if (opened) return stream.call(this);
      opened = fetch("/other", { method: "POST" });
      const late = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
      void opened.then(() => stream.call(this).pipeTo(late.writable)).catch(() => {});
      return late.readable;
    };
    try {
      const guest = new Guest(handle);
      const file = await guest.writing("a");
      await file.write(bytes("GUEST"), 5n);
      await opened;
      await guest.sync();
      file[Symbol.dispose]();
    } finally {
      Object.assign(blob, { stream });
    }
  });
  const texts = await Promise.all((await folder.names()).map((name) => folder.read(name)));
  mayBe(texts, LARGE, [OTHER], (text) => `${text.slice(0, 5)}GUEST${text.slice(10)}`);
});
