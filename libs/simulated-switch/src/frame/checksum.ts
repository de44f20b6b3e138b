/** The Internet checksum of `length` bytes from `at`; what does not fit the frame counts as zero. */
export function checksum(view: DataView, at: number, length: number): number {
  let sum = 0;
  for (let i = at; i + 1 < at + length && i + 1 < view.byteLength; i += 2) sum += view.getUint16(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
