import { expect, it } from "vitest";
import { MountfsError } from "../src/errors.js";

it("says how to have a mount that somebody made with another id", () => {
  const error = MountfsError.of("mount", "/local", { tag: "already-mounted", val: "pyscript" });
  expect(error.message).toContain("mounted already, with id pyscript");
  expect(error.message).toContain(`{ id: "pyscript" }`);
});
