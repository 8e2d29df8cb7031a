/** Does `work` for all items, at most `parallel` at a time. The first error ends it, after what is under way. */
export async function inParallel<T>(
  items: Iterable<T>,
  parallel: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const failed: unknown[] = [];
  const worker = async () => {
    for (let next = iterator.next(); !next.done && failed.length === 0; next = iterator.next()) {
      await work(next.value).catch((error: unknown) => void failed.push(error));
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  if (failed.length > 0) {
    throw failed[0];
  }
}
