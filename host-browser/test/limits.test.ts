import { expect, it } from "vitest";
import { limits } from "../src/limits.js";

it("has defaults for what a page does not set", () => {
  expect(limits()).toEqual({ descriptors: 512, listings: 64, mounts: 256 });
  expect(limits({ mounts: 1 })).toEqual({ descriptors: 512, listings: 64, mounts: 1 });
});

it.each([0, -1, 1.5, Number.NaN, Infinity, "9", undefined])("refuses a limit that would be none: %s", (most) => {
  expect(() => limits({ descriptors: most as number })).toThrow(
    new RangeError(`the limit of descriptors has to be a whole number above 0, and is ${most}`),
  );
});
