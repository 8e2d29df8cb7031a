// Messages of the page and timers come in only while nothing runs here. An app that is answered at once each time, and
// never waits for a disk, would keep them out for as long as it is busy: so it is held for a moment now and then.

/** How long the page may be kept out. Holding the app takes a small part of that. */
const EVERY_MS = 10;

let last = performance.now();

/** Whether it is time for another. */
export function isBreathDue(): boolean {
  return performance.now() - last > EVERY_MS;
}

/** Lets in what waits. Not by a timer: browsers make each of those that follow one another wait for 4 ms. */
export async function breath(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  await new Promise((resolve) => {
    port1.onmessage = resolve;
    port2.postMessage(undefined);
  });
  port1.close();
  last = performance.now();
}
