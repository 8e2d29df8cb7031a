// `getFile`, with a time of modification that stays the same for as long as the file does.

/** Later than the clock was by at least one step of it, in milliseconds. */
const STEP = 2;

/**
 * A file as it is now. Chromium takes a file of the time 0, the first of January 1970, for one without a time; of those
 * `lastModified` is the time at which it is asked, each time anew. Here it is 0.
 */
export async function snapshotOf(handle: FileSystemFileHandle): Promise<File> {
  const began = Date.now();
  const file = await handle.getFile();
  const told = file.lastModified;
  if (told >= began) {
    // It may also have been written in this very moment.
    await new Promise((resolve) => setTimeout(resolve, STEP));
    if (file.lastModified !== told) {
      Object.defineProperty(file, "lastModified", { value: 0 });
    }
  }
  return file;
}
