import { type SetName } from '#kernel';
import { type Filter, type FilterRule } from '#domain';
import { type Match } from '#openflow';
import { match } from '../../pipeline/actions.js';
import { REG } from '../../pipeline/registers.js';
import { TABLES } from '../../pipeline/tables.js';
import { type SetPlan } from '../../resolve/plan.js';
import { concerns, type Way } from '../filter/sides.js';

export const ENDS = ['src', 'dst'] as const;
export type End = (typeof ENDS)[number];
const OTHER = { src: 'dst', dst: 'src' } as const;

/** The sets of a bridge, by name. */
export type Sets = ReadonlyMap<SetName, SetPlan>;

/** Where it is found out, and said, which sets an end of a frame is in. */
export const PLACES = {
  addresses: {
    src: { table: TABLES.SET_SRC_ADDR, register: REG.setsSrc },
    dst: { table: TABLES.SET_DST_ADDR, register: REG.setsDst },
  },
  ports: {
    src: { table: TABLES.SET_SRC_PORT, register: REG.setsSrcPorts },
    dst: { table: TABLES.SET_DST_PORT, register: REG.setsDstPorts },
  },
} as const;

const nameAt = ({ match: said }: FilterRule, end: End): SetName | undefined =>
  end === 'src' ? said.srcSet : said.dstSet;

/**
 * Sets that have to be known of an end of frames of one direction. In a stateful list answers are asked of the rules of
 * the other direction, with their ends changed.
 */
export function asked({ rules, stateful }: Filter, way: Way, end: End): readonly SetName[] {
  const other = way === 'in' ? 'out' : 'in';
  const names = rules.flatMap((rule) => [
    concerns(rule, way) ? nameAt(rule, end) : undefined,
    stateful && concerns(rule, other) ? nameAt(rule, OTHER[end]) : undefined,
  ]);
  return [...new Set(names.filter((name) => name !== undefined))];
}

export const asksSets = (filter: Filter, way: Way): boolean =>
  ENDS.some((end) => asked(filter, way, end).length > 0);

/** Tables that a frame of this direction is looked up in, at most. */
export const setLookups = (filter: Filter, way: Way): number =>
  asksSets(filter, way) ? 1 + 2 * ENDS.filter((end) => asked(filter, way, end).length > 0).length : 0;

/** What a rule's match says of sets: the bit of each. Null: of one that is not here, so it matches nothing. */
export function inSets(rule: FilterRule, sets: Sets): Match | null {
  const fields: Record<string, { value: bigint; mask: bigint }> = {};
  for (const end of ENDS) {
    const name = nameAt(rule, end);
    if (name === undefined) continue;
    const set = sets.get(name);
    if (set === undefined) return null;
    const bit = 1n << BigInt(set.bit);
    fields[PLACES[set.kind][end].register] = { value: bit, mask: bit };
  }
  return match(fields);
}

/** What of the bridge's sets a list of rules depends on. */
export const setsText = ({ rules }: Filter, sets: Sets): string =>
  rules
    .flatMap((rule) => (rule.enabled ? ENDS.map((end) => nameAt(rule, end)) : []))
    .map((name) => {
      const set = name === undefined ? undefined : sets.get(name);
      return set === undefined ? '' : `${set.kind === 'ports' ? 'p' : 'a'}${set.bit}`;
    })
    .join();

const known = new WeakMap<readonly SetPlan[], Sets>();

export function byName(sets: readonly SetPlan[]): Sets {
  let found = known.get(sets);
  if (found === undefined) known.set(sets, (found = new Map(sets.map((set) => [set.name, set]))));
  return found;
}
