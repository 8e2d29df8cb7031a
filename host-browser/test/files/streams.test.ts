import { expect, it } from "vitest";
import { OutputStream } from "../../src/files/streams.js";

it("has nothing to wait for after a failure, of which the next call tells", () => {
  const stream = new OutputStream({
    write: () => undefined,
    room: () => {
      throw "no-device";
    },
    wait: () => undefined,
  });
  expect(stream.subscribe().ready()).toBe(true);
  expect(() => stream.checkWrite()).toThrow(expect.objectContaining({ tag: "last-operation-failed" }));
});
