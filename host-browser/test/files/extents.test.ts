import { describe, expect, test } from "vitest";
import { Extents } from "../../src/files/extents.js";

const bytes = (...values: number[]) => new Uint8Array(values);

/** The same, the simple way: -1 where nothing was written. */
class Model {
  readonly cells: number[] = Array(400).fill(-1);

  write(start: number, written: Uint8Array): void {
    written.forEach((value, at) => (this.cells[start + at] = value));
  }

  cut(size: number): void {
    this.cells.fill(-1, size);
  }
}

function cellsOf(extents: Extents): number[] {
  const cells: number[] = Array(400).fill(-1);
  for (const { start, bytes } of extents.pieces()) {
    bytes.forEach((value, at) => {
      expect(cells[start + at]).toBe(-1);
      cells[start + at] = value;
    });
  }
  return cells;
}

/** A random number generator with a seed, so that a failure comes again. */
function dice(seed: number): (sides: number) => number {
  return (sides) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * sides);
  };
}

describe("extents", () => {
  test("grow when they are appended to", () => {
    const extents = new Extents();
    for (let at = 0; at < 1000; at++) {
      extents.write(at, bytes(at % 256));
    }
    expect(extents.pieces()).toHaveLength(1);
    expect(extents.bytes).toBe(1000);
  });

  test("are copies of what was written", () => {
    const extents = new Extents();
    const written = bytes(1, 2, 3);
    extents.write(0, written);
    written.fill(9);
    expect(extents.pieces()[0]!.bytes).toEqual(bytes(1, 2, 3));
  });

  test("stay as they are for who was given them", () => {
    const extents = new Extents();
    extents.write(0, bytes(1, 2, 3));
    const given = extents.pieces();
    extents.write(1, bytes(9));
    extents.write(3, bytes(4));
    extents.write(0, bytes(8));
    expect(given[0]!.bytes).toEqual(bytes(1, 2, 3));
    expect(cellsOf(extents).slice(0, 4)).toEqual([8, 9, 3, 4]);
  });

  test("cover what is written without a gap", () => {
    const extents = new Extents();
    extents.write(10, bytes(1, 2));
    extents.write(12, bytes(3));
    extents.write(20, bytes(4));
    expect([extents.covers(10, 13), extents.covers(9, 12), extents.covers(12, 21), extents.covers(5, 5)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  test.each(Array.from({ length: 50 }, (_, seed) => seed))("are what a plain array is, plan %i", (seed) => {
    const roll = dice(seed + 1);
    const [extents, model] = [new Extents(), new Model()];
    let given: { pieces: ReturnType<Extents["pieces"]>; were: number[] } | undefined;
    for (let step = 0; step < 200; step++) {
      const start = roll(300);
      const action = roll(20);
      if (action === 0) {
        extents.cut(start);
        model.cut(start);
      } else if (action === 1) {
        const pieces = extents.pieces();
        given = { pieces, were: pieces.flatMap((piece) => [...piece.bytes]) };
      } else {
        const written = Uint8Array.from({ length: roll(100) }, () => roll(256));
        extents.write(start, written);
        model.write(start, written);
      }
      expect(extents.bytes).toBe(model.cells.filter((cell) => cell >= 0).length);
      const target = new Uint8Array(50).fill(7);
      extents.overlay(target, start);
      expect([...target]).toEqual(model.cells.slice(start, start + 50).map((cell) => (cell < 0 ? 7 : cell)));
      if (given) {
        expect(given.pieces.flatMap((piece) => [...piece.bytes])).toEqual(given.were);
      }
    }
    expect(cellsOf(extents)).toEqual(model.cells);
  });
});
