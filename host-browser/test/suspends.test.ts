import { expect, it } from "vitest";
import { suspending } from "../src/build/suspends.js";

it("names what may suspend with the versions that the app uses", () => {
  const io = "wasi:io/streams@0.2.12#[method]";
  const files = "wasi:filesystem/types@0.2.12#";
  const used = {
    imports: [
      `${io}input-stream.read`, `${io}input-stream.blocking-read`, `${io}input-stream.subscribe`,
      `${io}output-stream.check-write`, `${io}output-stream.write`, `${io}output-stream.blocking-flush`,
      "wasi:io/poll@0.2.9#poll", "wasi:io/poll@0.2.9#[method]pollable.block", "wasi:io/poll@0.2.9#[method]pollable.ready",
      `${files}[method]descriptor.open-at`, `${files}[method]descriptor.get-type`, `${files}filesystem-error-code`,
      `${files}[method]descriptor.read-via-stream`, `${files}[method]directory-entry-stream.read-directory-entry`,
      "mountfs:fs/grants@0.1.0#acquire", "mountfs:fs/grants@0.1.0#[method]grant.label", "wasi:random/random@0.2.9#get-random-bytes",
    ],
    exports: ["wasi:cli/run@0.2.12#run", "mountfs:fs/mounts@0.1.0#sync", "exports#init"],
  };
  expect(suspending(used)).toEqual({
    imports: [
      `${io}input-stream.read`, `${io}input-stream.blocking-read`, `${io}output-stream.blocking-flush`,
      "wasi:io/poll@0.2.9#poll", "wasi:io/poll@0.2.9#[method]pollable.block",
      `${files}[method]descriptor.open-at`, "mountfs:fs/grants@0.1.0#acquire",
    ],
    exports: ["wasi:cli/run@0.2.12#run", "mountfs:fs/mounts@0.1.0#sync"],
  });
});
