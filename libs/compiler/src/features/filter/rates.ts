import { type FilterRule } from '#domain';
import { type Meter } from '#openflow';
import { fnv32 } from '../../hash.js';
import { HOST_METERS } from '../../meters.js';
import { type RuleList } from './lists.js';

/** Meters of a list's rules, by index. */
export type Rates = ReadonlyMap<number, Meter>;

const { from, to } = HOST_METERS.ruleRate;
const IDS = to - from + 1;
/** The largest frame there is, in kbit: a bucket that holds less passes nothing. */
const FRAME_KBIT = 73;

/**
 * One meter for a rule, whatever the number of its ports and in both directions. An id hangs on what the rule says, so that a change of
 * another moves it only where both want the same one. A rule that finds none left lets nothing pass.
 */
export function rateMeters(lists: readonly RuleList[]): ReadonlyMap<number, Rates> {
  const wanted = lists.flatMap(({ number, filter: { rules } }) =>
    rules.flatMap((rule, index) => {
      const { rate, enabled, name } = rule;
      return rate === undefined || !enabled ? [] : [{ key: `${number} ${name}`, number, index, rate }];
    }),
  );
  const taken = new Set<number>();
  const meters = new Map<number, Map<number, Meter>>();
  for (const { key, number, index, rate } of wanted.sort(byKey)) {
    if (taken.size === IDS) break;
    let place = fnv32(key) % IDS;
    while (taken.has(place)) place = (place + 1) % IDS;
    taken.add(place);
    const of = meters.get(number) ?? new Map<number, Meter>();
    meters.set(number, of.set(index, rateMeter(from + place, rate)));
  }
  return meters;
}

/** A tenth of a second at once where nothing is said; never so small a bucket that it can not refill. */
function rateMeter(id: number, { unit, rate, burst }: NonNullable<FilterRule['rate']>): Meter {
  const least = unit === 'kbps' ? FRAME_KBIT : 1;
  const wanted = burst ?? Math.ceil(rate / 10);
  const size = Math.max(wanted, least, Math.ceil(rate / 1000));
  return { id, unit: unit === 'kbps' ? 'kbps' : 'pktps', rate, burst: size };
}

export const ratesText = (rates: Rates): string => [...rates].map(([i, { id }]) => `${i}:${id}`).join();

const byKey = (a: { readonly key: string }, b: { readonly key: string }): number =>
  a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
