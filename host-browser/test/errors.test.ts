import { expect, it } from "vitest";
import { MountfsError } from "../src/errors.js";

it("says how to have a mount that somebody made with another id", () => {
  const error = MountfsError.of("mount", "/local", { tag: "already-mounted", val: "pyscript" });
  expect(error.message).toContain("mounted already, with id pyscript");
  expect(error.message).toContain(`{ id: "pyscript" }`);
});

it("says what else is mounted with the id that was wanted", () => {
  const { message } = MountfsError.of("mount", "/local", { tag: "already-mounted", val: "mine" }, "mine");
  expect(message).toBe("cannot mount /local: it is mounted already, with id mine, but another folder or access; unmount it first, or use another path");
});
