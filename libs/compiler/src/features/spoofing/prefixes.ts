import { parseCidr } from '#kernel';
import { type Wanted } from '../../pipeline/actions.js';

export type Family = 4 | 6;
const BITS = { 4: 32, 6: 128 } as const;

/**
 * Prefixes of a family as values of a field that exclude each other; undefined is any address at all. Two prefixes
 * are apart or one holds the other: those that are within another one say nothing.
 */
export function prefixesOf(allow: readonly string[], family: Family): (Wanted | undefined)[] {
  const bits = BITS[family];
  const found = new Map<string, { address: bigint; prefix: number }>();
  for (const text of allow) {
    const cidr = parseCidr(text);
    if (cidr.ok && cidr.value.family === family)
      found.set(`${cidr.value.address}/${cidr.value.prefix}`, cidr.value);
  }
  const all = [...found.values()].sort((a, b) => a.prefix - b.prefix || (a.address < b.address ? -1 : 1));
  const kept: typeof all = [];
  for (const one of all) {
    const within = kept.some(
      (k) => one.address >> BigInt(bits - k.prefix) === k.address >> BigInt(bits - k.prefix),
    );
    if (!within) kept.push(one);
  }
  return kept.map(({ address, prefix }) => {
    if (prefix === 0) return undefined;
    if (prefix === bits) return address;
    return { value: address, mask: ((1n << BigInt(prefix)) - 1n) << BigInt(bits - prefix) };
  });
}

/** What is no prefix; null: all are. Documents are validated where they are made: this keeps a bad one from closing little. */
export function malformed(allow: readonly string[]): string | null {
  const bad = allow.find((text) => !parseCidr(text).ok);
  return bad === undefined ? null : `${bad} is no IP prefix`;
}
