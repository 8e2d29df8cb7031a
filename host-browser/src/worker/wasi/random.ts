// `wasi:random`, from the browser's own generator.

/** The most that the browser gives at once. */
const MOST = 65_536;

function bytes(count: bigint): Uint8Array {
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
