// `wasi:random`, from the browser's own generator.

/** The most that the browser gives at once. */
const MOST = 65_536;

/** The most that a guest may ask for at once; more is a trap. */
const LARGEST = 64n * 1024n * 1024n;

function bytes(count: bigint): Uint8Array {
  if (count > LARGEST) throw new Error(`the app asked for ${count} random bytes at once`);
  const all = new Uint8Array(Number(count));
  for (let at = 0; at < all.length; at += MOST) crypto.getRandomValues(all.subarray(at, at + MOST));
  return all;
}

function u64(): bigint {
  return new BigUint64Array(bytes(8n).buffer)[0]!;
}

export const random = { getRandomBytes: bytes, getRandomU64: u64 };
export const insecure = { getInsecureRandomBytes: bytes, getInsecureRandomU64: u64 };
export const insecureSeed = { insecureSeed: (): [bigint, bigint] => [u64(), u64()] };
