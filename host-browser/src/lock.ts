// Locks of this origin: the browser lets them go when the tab or worker that holds them dies.

/** Waits for a lock, and answers what lets it go; nothing when it is held, and only wanted if not. */
export function lock(name: string, options: LockOptions = {}): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const held = (lock: Lock | null) => {
      if (lock) {
        return new Promise<void>((release) => resolve(release));
      }
      resolve(undefined);
    };
    navigator.locks.request(name, options, held).catch(reject);
  });
}
