import { describe, expect, test, vi } from "vitest";
import { type Asked, codeOf, Failure, reasonOf, translate } from "../../src/files/errors.js";

const long = "x".repeat(250);

describe("what the browser throws becomes", () => {
  const table: [name: string, asked: Asked, code: string][] = [
    ["AbortError", { to: "write" }, "no-entry"],
    ["InvalidModificationError", { to: "remove", name: "d" }, "not-empty"],
    ["InvalidModificationError", { to: "create", name: "d" }, "exist"],
    ["InvalidStateError", { to: "remove", name: "a" }, "access"],
    ["InvalidStateError", { to: "create", name: "a" }, "name-too-long"],
    ["InvalidStateError", { to: "write" }, "name-too-long"],
    ["NoModificationAllowedError", { to: "create", name: "a" }, "access"],
    ["NoModificationAllowedError", { to: "list" }, "access"],
    ["NoModificationAllowedError", { to: "write" }, "busy"],
    ["NotAllowedError", { to: "write" }, "not-permitted"],
    ["NotFoundError", { to: "look-up", name: "a" }, "no-entry"],
    ["NotReadableError", { to: "read" }, "access"],
    ["QuotaExceededError", { to: "write" }, "insufficient-space"],
    ["SecurityError", { to: "write" }, "not-permitted"],
    ["TypeMismatchError", { to: "look-up", name: "a", wants: "file" }, "is-directory"],
    ["TypeMismatchError", { to: "look-up", name: "a", wants: "directory" }, "not-directory"],
  ];
  test.each(table)("%s, asked to %o: %s", (name, asked, code) => {
    expect(translate(new DOMException("", name), asked).code).toBe(code);
  });

  test("AbortError: busy when there are too many swap files, access when the file is refused", () => {
    const thrown = (message: string) => translate(new DOMException(message, "AbortError"), { to: "write" }).code;
    expect(thrown("Failed to execute 'createWritable' on 'FileSystemFileHandle': Failed to create swap file.")).toBe("busy");
    expect(thrown("Write operation blocked by Safe Browsing.")).toBe("access");
    expect(thrown("Failed to perform Safe Browsing check.")).toBe("no-entry");
  });

  test("a refused name: invalid where it would be made, else nothing is there", () => {
    expect(translate(new TypeError(), { to: "create", name: "a?" }).code).toBe("invalid");
    expect(translate(new TypeError(), { to: "create", name: long }).code).toBe("name-too-long");
    expect(translate(new TypeError(), { to: "look-up", name: "a?" }).code).toBe("no-entry");
  });

  test("io for what it never should throw, and the console is told", () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    for (const error of [new TypeError("ours"), new DOMException("", "DataError"), "text", undefined]) {
      expect(translate(error, { to: "write" }).code).toBe("io");
    }
    expect(codeOf(new RangeError())).toBe("io");
    expect(log).toHaveBeenCalledTimes(5);
    log.mockRestore();
  });
});

test("only a stale snapshot is worth a second look", () => {
  expect(translate(new DOMException("", "NotReadableError"), { to: "read" }).stale).toBe(true);
  expect(translate(new DOMException("", "NotFoundError"), { to: "read" }).stale).toBe(false);
});

test("a refusal keeps its code on the way, and has words for a person", () => {
  const failure = new Failure("insufficient-space");
  expect(translate(failure, { to: "write" })).toBe(failure);
  expect(reasonOf(failure)).toBe("there is no space left");
});
