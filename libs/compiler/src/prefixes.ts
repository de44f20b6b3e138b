import { parseCidr } from '#kernel';
import { fnv32 } from './hash.js';

/** A prefix that a set has. */
export interface Prefix {
  /** Sorts a prefix before all that lie within it. */
  readonly key: string;
  /** Of the key. */
  readonly hash: number;
  readonly family: 4 | 6;
  readonly address: bigint;
  readonly prefix: number;
}

export const WIDTH = { 4: 32, 6: 128 } as const;

/** More than all sets of a host have, mostly. */
const KEPT = 100_000;
const known = new Map<string, Prefix | null>();

/** A set that changed by one member comes as a list of the same texts again: each of them is read once. Null: it is none. */
export function prefixOf(text: string): Prefix | null {
  let found = known.get(text);
  if (found !== undefined) return found;
  if (known.size >= KEPT) known.clear();
  found = read(text);
  known.set(text, found);
  return found;
}

function read(text: string): Prefix | null {
  const cidr = parseCidr(text);
  if (!cidr.ok) return null;
  const { family, address, prefix } = cidr.value;
  const bits = address.toString(16).padStart(WIDTH[family] / 4, '0');
  const key = `${family}${bits}/${String(prefix).padStart(3, '0')}`;
  return { key, hash: fnv32(key), family, address, prefix };
}
