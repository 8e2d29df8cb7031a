// `wasi:io/poll.poll`, for every kind of pollable: those of file streams, timers and the standard streams.
import type { Pollable } from "../../files/index.js";
import { breath } from "../breath.js";

/** Waits until one of them is ready, and answers which are. */
export async function poll(list: Pollable[]): Promise<Uint32Array> {
  // There is nothing that could ever be ready: WASI has a trap for it.
  if (list.length === 0) throw new Error("the app polls nothing");
  if (indices(list).length) {
    // A guest that polls in a loop must not keep timers and messages from coming in.
    await breath();
  }
  for (;;) {
    const ready = indices(list);
    if (ready.length) return ready;
    await Promise.race(list.map((pollable) => pollable.block()));
  }
}

function indices(list: Pollable[]): Uint32Array {
  return Uint32Array.from(list.flatMap((pollable, index) => (pollable.ready() ? [index] : [])));
}
