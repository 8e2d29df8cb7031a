// The real folders, and what is on disk in them.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { temporary } from "../../host-browser/test/e2e/browser.ts";

/** What a folder has in it. */
export interface Shape {
  name: string;
  directories: number;
  files: number;
  /** Bytes of each file. */
  size: number;
}

export const THOUSAND: Shape = { name: "1,000 files of 4 KiB", directories: 1, files: 1_000, size: 4096 };
export const MANY: Shape = {
  name: "10,000 files of 1 KiB in 200 directories",
  directories: 200,
  files: 10_000,
  size: 1024,
};
export const LARGE: Shape = { name: "one file of 256 MiB", directories: 1, files: 1, size: 256 * 1024 * 1024 };

/** A line that tells where it stands, so that every slice of a file can be told from every other. */
const LINE = 16;

/** How much of a large file is looked at on both sides of what was written. */
const NEAR = 32 * 1024;

/** What a file has at an offset, which is a multiple of a line. */
export function text(offset: number, length: number): string {
  let text = "";
  for (let at = offset; at < offset + length; at += LINE) {
    text += `${String(at).padStart(LINE - 1, "0")}\n`;
  }
  return text;
}

/** A folder of this machine. */
export class Folder {
  readonly path = temporary("bench");
  readonly shape: Shape;

  constructor(shape: Shape) {
    this.shape = shape;
    const whole = Buffer.from(text(0, shape.size));
    for (let number = 0; number < shape.files; number++) {
      const path = join(this.path, this.file(number));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, whole);
    }
  }

  /** The path of a file in it. */
  file(number: number): string {
    const { directories, files } = this.shape;
    const name = `${number}.txt`;
    return directories === 1 ? name : `${Math.floor(number / (files / directories))}/${name}`;
  }

  get bytes(): number {
    return this.shape.files * this.shape.size;
  }

  /** Throws unless a file has `written` at `offset`, and is as it was everywhere else near it. */
  async check(path: string, offset: number, written: string): Promise<void> {
    const start = Math.max(0, offset - (offset % LINE) - NEAR);
    const expected = Buffer.from(text(start, Math.min(2 * NEAR, this.shape.size - start)));
    expected.write(written, offset - start);
    const file = await open(join(this.path, path));
    const { buffer } = await file.read(Buffer.alloc(expected.length), 0, expected.length, start);
    await file.close();
    assert.ok(buffer.equals(expected), `${path} is not what it should be at ${offset}`);
    assert.equal(statSync(join(this.path, path)).size, this.shape.size);
  }

  /** Throws unless these files, and no others, are in a directory of it, each with this text; then removes it. */
  take(folder: string, count: number, written: string): void {
    const at = join(this.path, folder);
    const names = Array.from({ length: count }, (_, number) => `${number}.txt`);
    assert.deepEqual(readdirSync(at).sort(), names.sort());
    for (const name of names) {
      assert.equal(readFileSync(join(at, name), "utf8"), written);
    }
    rmSync(at, { recursive: true });
  }

  /** Puts `length` bytes of a file at `offset` as they were. */
  async restore(path: string, offset: number, length: number): Promise<void> {
    const start = offset - (offset % LINE);
    const was = Buffer.from(text(start, length + LINE)).subarray(offset - start, offset - start + length);
    const file = await open(join(this.path, path), "r+");
    await file.write(was, 0, length, offset);
    await file.close();
  }
}
