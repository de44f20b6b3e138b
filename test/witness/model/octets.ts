import { addressOf } from './frame.js';

export const word = (n: number): number[] => [(n >>> 8) & 0xff, n & 0xff];
export const long = (n: number): number[] => [...word(n >>> 16), ...word(n & 0xffff)];

export function addressBytes(text: string): number[] {
  const { value, bits } = addressOf(text);
  return Array.from({ length: bits / 8 }, (_, i) => Number((value >> BigInt(bits - 8 - i * 8)) & 0xffn));
}

/** Of the Internet. */
export function checksum(bytes: readonly number[]): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i += 2) total += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (total > 0xffff) total = (total >>> 16) + (total & 0xffff);
  return ~total & 0xffff;
}
