import { macToBigint } from '#kernel';
import { type PrivateVlan } from '#domain';
import { type SetDocument } from '#contracts';
import { type FieldMatch, type Match } from '#openflow';
import { match } from '../../pipeline/actions.js';
import { REG } from '../../pipeline/registers.js';
import { segmentMatches } from '../../pipeline/segments.js';
import { fnv32 } from '../../hash.js';
import { prefixOf, WIDTH, type Prefix } from '../../prefixes.js';
import { regions, type Range } from '../../ranges.js';
import { type BridgePlan, type SetPlan } from '../../resolve/plan.js';
import { segmentsOf } from '../../resolve/segments.js';
import { type End } from './uses.js';

/** One flow of a table of sets: who is in which of them. */
export interface Row {
  /** What it is about, unique in its table. */
  readonly key: string;
  /** Of the key. */
  readonly hash: number;
  readonly bits: bigint;
  readonly priority: number;
  match(end: End): Match;
}

const ETHER = { 4: 0x0800, 6: 0x86dd } as const;

const parsed = new WeakMap<SetDocument, readonly Prefix[]>();

function prefixesOf(document: SetDocument): readonly Prefix[] {
  let found = parsed.get(document);
  if (found !== undefined) return found;
  const { members } = document;
  found = members.kind === 'addresses' ? members.addresses.flatMap((text) => prefixOf(text) ?? []) : [];
  parsed.set(document, found);
  return found;
}

/**
 * The prefixes of all these sets, each with the bits of every set that has it or one around it: the longest one that an
 * address is in says all. So a member that comes or goes is a row, and those of others that lie within it.
 */
export function addressRows(sets: readonly SetPlan[]): Row[] {
  const bits = new Map<string, { readonly at: Prefix; bits: bigint }>();
  for (const { bit, document } of sets)
    for (const at of prefixesOf(document)) {
      const one = bits.get(at.key);
      if (one === undefined) bits.set(at.key, { at, bits: 1n << BigInt(bit) });
      else one.bits |= 1n << BigInt(bit);
    }
  const around: { readonly at: Prefix; readonly bits: bigint }[] = [];
  return [...bits.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { at, bits: own }]) => {
      while (around.length > 0 && !holds(around.at(-1)!.at, at)) around.pop();
      const all = own | (around.at(-1)?.bits ?? 0n);
      around.push({ at, bits: all });
      return addressRow(at, all);
    });
}

const holds = (outer: Prefix, inner: Prefix): boolean => {
  if (outer.family !== inner.family || outer.prefix >= inner.prefix) return false;
  const rest = BigInt(WIDTH[outer.family] - outer.prefix);
  return outer.address >> rest === inner.address >> rest;
};

function addressRow({ key, hash, family, address, prefix }: Prefix, bits: bigint): Row {
  const within = (): FieldMatch => {
    const width = WIDTH[family];
    if (prefix === width) return { value: address };
    return { value: address, mask: ((1n << BigInt(prefix)) - 1n) << BigInt(width - prefix) };
  };
  return {
    key,
    hash,
    bits,
    priority: 1 + prefix,
    match: (end) => ({
      ...match({ eth_type: ETHER[family] }),
      ...(prefix === 0 ? {} : { [`ipv${family}_${end}`]: within() }),
    }),
  };
}

interface Home {
  readonly ranges: readonly Range[];
  readonly bits: bigint;
}

/** MACs of members, in the segments where they mean them. */
export function portRows(
  sets: readonly SetPlan[],
  bridge: Pick<BridgePlan, 'switch' | 'privateVlans'>,
): Row[] {
  const homes = new Map<string, Home[]>();
  for (const { bit, document } of sets) {
    const { members } = document;
    if (members.kind !== 'ports') continue;
    for (const place of members.places ?? []) {
      const ranges = place.switch === bridge.switch ? rangesOf(place.vlan, bridge.privateVlans) : [];
      if (ranges.length === 0) continue;
      for (const mac of place.macs) {
        const home = { ranges, bits: 1n << BigInt(bit) };
        const others = homes.get(mac);
        if (others === undefined) homes.set(mac, [home]);
        else others.push(home);
      }
    }
  }
  return [...homes].flatMap(([mac, all]) => macRows(mac, all));
}

/** The MAC of one of the ports of a set that are members of it in a segment. */
export function aMember(
  { members }: SetDocument,
  bridge: Pick<BridgePlan, 'switch' | 'privateVlans'>,
  segment: number,
): bigint | undefined {
  if (members.kind !== 'ports') return undefined;
  const isHere = ({ from, to }: Range): boolean => from <= segment && segment <= to;
  const place = members.places?.find(
    ({ switch: sw, vlan, macs }) =>
      macs.length > 0 && sw === bridge.switch && rangesOf(vlan, bridge.privateVlans).some(isHere),
  );
  const [mac] = place?.macs ?? [];
  return mac === undefined ? undefined : macToBigint(mac);
}

/** A port whose VLAN can't be carried out is closed everywhere. */
function rangesOf(vlan: Parameters<typeof segmentsOf>[0], map: readonly PrivateVlan[]): readonly Range[] {
  const segments = segmentsOf(vlan, map);
  return 'code' in segments ? [] : segments.ranges;
}

/** Where a MAC is in more than one of the sets, its segments are cut up by which they are. */
function macRows(mac: string, homes: readonly Home[]): Row[] {
  const [only] = homes;
  const parts = homes.length === 1 && only !== undefined ? [only] : cut(homes);
  const value = macToBigint(mac);
  return parts.flatMap(({ ranges, bits }) =>
    segmentMatches(ranges).map((segment): Row => {
      const key = `${mac} ${typeof segment === 'object' ? `${segment.value}/${segment.mask}` : segment}`;
      return {
        key,
        hash: fnv32(key),
        bits,
        priority: 1,
        match: (end) => match({ [REG.segment]: segment, [`eth_${end}`]: value }),
      };
    }),
  );
}

const cut = (homes: readonly Home[]): Home[] =>
  regions(homes, ({ ranges }) => ranges).map(({ ranges, members }) => ({
    ranges,
    bits: members.reduce((bits, home) => bits | home.bits, 0n),
  }));
