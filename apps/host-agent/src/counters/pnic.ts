import { type PnicCounts } from '#compiler';

/** Counts of flows that may be made anew, and begin at nothing then: what was seen of the earlier ones stays. */
export interface GoneOn {
  readonly last: PnicCounts;
  readonly sum: PnicCounts;
}

export function goneOn(before: GoneOn | undefined, now: PnicCounts): GoneOn {
  if (before === undefined) return { last: now, sum: now };
  const way = (of: 'from' | 'to') => {
    const [last, sum] = [before.last[of], before.sum[of]];
    const isAnew = now[of].packets < last.packets;
    const more = (unit: 'packets' | 'bytes') => sum[unit] + now[of][unit] - (isAnew ? 0 : last[unit]);
    return { packets: more('packets'), bytes: more('bytes') };
  };
  return { last: now, sum: { from: way('from'), to: way('to') } };
}
