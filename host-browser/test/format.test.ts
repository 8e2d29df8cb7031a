import { expect, it } from "vitest";
import { bytes, files, result } from "../src/panel/format.js";

it("says numbers as people do", () => {
  expect([files(1), files(2), bytes(0), bytes(999), bytes(1500), bytes(20_000_000)]).toEqual([
    "1 file", "2 files", "0 B", "999 B", "1.5 KB", "20 MB",
  ]);
});

it("says what a sync did, and what is left to look at", () => {
  const report = { files: 2n, bytes: 60n, removed: 1n, conflicts: [], failures: [] };
  expect(result(report)).toBe("Saved 2 files (60 B), removed 1");
  expect(result({ ...report, files: 0n, removed: 0n })).toBe("Everything was saved already");
  const conflicts = [{ path: "a", kept: "a (conflict)" }];
  expect(result({ ...report, conflicts })).toContain("\na was changed by another program too: yours is a (conflict) now");
  expect(result({ ...report, failures: [{ path: "a", reason: "no space" }] })).toContain("a could not be saved: no space");
});
