/** A quick checksum of bytes: it finds damage, not malice. */

/**
 * 53 bits in base 36 (after cyrb53: two multiplying lanes), four bytes at a time, since it is over before V8 would compile
 * the loop. Loading `crypto` or `zlib` would cost more than the load that it guards.
 */
export function checksum(bytes: Uint8Array): string {
  const words = new Int32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  let high = 0xdeadbeef ^ bytes.length;
  let low = 0x41c6ce57;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    high = Math.imul(high ^ word, 2654435761);
    low = Math.imul(low ^ word ^ (low >>> 15), 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36);
}
