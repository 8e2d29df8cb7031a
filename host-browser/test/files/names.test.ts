import { describe, expect, test, vi } from "vitest";
import { check, checkNew, conflictName, isShown, isSwap, mayBeSame, parse, passingName, swapName } from "../../src/files/names.js";

describe("paths", () => {
  test("are taken apart", () => {
    expect(parse("a/./b//c")).toEqual({ parts: ["a", "b", "c"], directory: false, named: true });
    expect(parse("a/../b/")).toEqual({ parts: ["a", "..", "b"], directory: true, named: true });
    expect(parse(".")).toEqual({ parts: [], directory: true, named: false });
    expect(parse("a/..").directory).toBe(true);
    expect(["a/..", "a/../", "a/.", "a/./"].filter((path) => parse(path).named)).toEqual([]);
  });

  test.each([
    ["", "no-entry"],
    ["/a", "not-permitted"],
    ["a\0b", "invalid"],
    ["a/\ud800", "invalid"],
    [`a/${"ä".repeat(128)}`, "name-too-long"],
  ])("%j is %s", (path, code) => {
    expect(() => parse(path)).toThrow(code);
  });
});

test.each(["", "a/b", "a\0.png", "\udc00"])("%j is no name", (name) => {
  expect(() => check(name)).toThrow("invalid");
});

test("lengths are in bytes of UTF-8, which are not counted where they cannot matter", () => {
  const count = vi.spyOn(TextEncoder.prototype, "encode");
  expect(parse(`${"in/".repeat(400)}a.txt`).parts).toHaveLength(401);
  expect(count).not.toHaveBeenCalled();
  count.mockRestore();
  for (const longest of [`${"ä".repeat(127)}a`, "€".repeat(85), `${"😀".repeat(63)}abc`, "a".repeat(255)]) {
    check(longest);
    expect(() => check(`${longest}a`)).toThrow("name-too-long");
  }
  parse("€/".repeat(1024));
  expect(() => parse(`${"€/".repeat(1024)}a`)).toThrow("name-too-long");
});

test("CVE-2024-51745, CVE-2024-51756: devices that Chromium does not know are no names", () => {
  const devices = ["COM¹", "com²", "LPT³", "COM¹.txt", "lpt² .tar.gz", "COM³:", "COM¹ "];
  for (const name of devices) {
    expect([name, isShown(name)]).toEqual([name, false]);
    expect(() => checkNew(name, "file")).toThrow("invalid");
    expect(() => checkNew(name, "directory")).toThrow("invalid");
  }
  expect(["COM⁴", "COM", "COM¹x", "xCOM¹", "m¹", "COM¹²"].map(isShown)).toEqual(Array(6).fill(true));
});

test("swap files are known whatever their case", () => {
  expect([swapName("a.txt", 0), swapName("a.txt", 12)]).toEqual(["a.txt.crswap", "a.txt.12.crswap"]);
  expect(["a.txt.crswap", "A.CRSWAP", "crswap", "a.crswap.txt"].map(isSwap)).toEqual([true, true, false, false]);
});

test("a conflict's name keeps the extension, is free in the end, and is short enough", () => {
  const when = new Date(2026, 6, 4, 9, 5, 3);
  expect(conflictName("notes.txt", when, 1)).toBe("notes (conflict 2026-07-04 090503).txt");
  expect(conflictName("notes.txt", when, 2)).toBe("notes (conflict 2026-07-04 090503 2).txt");
  expect(conflictName(".profile", when, 1)).toBe(".profile (conflict 2026-07-04 090503)");
  const long = conflictName(`${"ä".repeat(120)}.md`, when, 1);
  expect(new TextEncoder().encode(long).length).toBeLessThanOrEqual(240);
  expect(long.endsWith("(conflict 2026-07-04 090503).md")).toBe(true);
});

test("names that a disk may take for one", () => {
  expect(mayBeSame(["Dir", "a"], ["dir", "A"])).toBe(true);
  expect(mayBeSame(["caf\u00e9"], ["cafe\u0301"])).toBe(true);
  expect(mayBeSame(["a"], ["b"])).toBe(false);
  expect(passingName("A.txt", 1)).toBe("A (being renamed).txt");
});
