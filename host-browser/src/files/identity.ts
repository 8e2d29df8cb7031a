// What a libc takes for device and inode.
import type { Node } from "./node.js";
import type { Volume } from "./volume.js";

/** `wasi:filesystem/types.metadata-hash-value`. */
export interface MetadataHash {
  lower: bigint;
  upper: bigint;
}

/** The same for a node as long as its folder is in use, whatever it is renamed to; different from all others'. */
export function hashOf(volume: Volume, node: Node): MetadataHash {
  const [lower = 0n, upper = 0n] = volume.seed;
  return { lower: mix(lower + BigInt(node.id)), upper: mix(upper + BigInt(node.id)) };
}

/** SplitMix64's mixing step: a bijection, so that no two ids of one seed meet. */
function mix(value: bigint): bigint {
  value = BigInt.asUintN(64, value * 0x9e3779b97f4a7c15n);
  value = BigInt.asUintN(64, (value ^ (value >> 30n)) * 0xbf58476d1ce4e5b9n);
  value = BigInt.asUintN(64, (value ^ (value >> 27n)) * 0x94d049bb133111ebn);
  return value ^ (value >> 31n);
}
