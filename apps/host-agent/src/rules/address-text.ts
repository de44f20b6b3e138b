/** An IP address of 4 or 16 octets as people write it; of IPv6 the longest run of zeros is left out. */
export function addressText(address: Uint8Array): string {
  if (address.length === 4) return address.join('.');
  const view = new DataView(address.buffer, address.byteOffset, address.length);
  const words = Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i));
  const text = (from: number, to: number): string =>
    words
      .slice(from, to)
      .map((word) => word.toString(16))
      .join(':');
  const { at, length } = longestZeros(words);
  return length < 2 ? text(0, 8) : `${text(0, at)}::${text(at + length, 8)}`;
}

function longestZeros(words: readonly number[]): { readonly at: number; readonly length: number } {
  let longest = { at: 0, length: 0 };
  let length = 0;
  for (const [i, word] of words.entries()) {
    length = word === 0 ? length + 1 : 0;
    if (length > longest.length) longest = { at: i + 1 - length, length };
  }
  return longest;
}
