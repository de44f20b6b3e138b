/** The checksum of the internet over these bytes; 0 over bytes that hold their own, right one. */
export function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const bytes of parts)
    for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum >>> 16) + (sum & 0xffff);
  return ~sum & 0xffff;
}

const ICMPV6 = 58;

/** What an ICMPv6 message is summed with: both addresses (32 bytes), its length and its protocol. */
export function pseudoHeader(addresses: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(40);
  bytes.set(addresses);
  new DataView(bytes.buffer).setUint32(32, length);
  bytes[39] = ICMPV6;
  return bytes;
}
