/** The checksum of the internet over these bytes; 0 over bytes that hold their own, right one. Only the last may be odd. */
export function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const bytes of parts)
    for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum >>> 16) + (sum & 0xffff);
  return ~sum & 0xffff;
}

/** What is above IP is summed with: the addresses of both ends (8 or 32 bytes), its length and its protocol. */
export const pseudoHeader = (addresses: Uint8Array, length: number, protocol: number): Uint8Array =>
  Uint8Array.of(...addresses, length >> 8, length & 0xff, 0, protocol);
