/** Addresses in feeds, which may be relative. */

/** Against what it is relative to; as it is where that gives no address. */
export function resolved(address: string | null, base: string | null): string | null {
  if (address === null || base === null) return address;
  try {
    return new URL(address, base).href;
  } catch {
    return address;
  }
}
