import { type Flow, type Match } from './model.js';
import { isEmptyDelta, type Delta } from './plan.js';

/** Pairs of flows that are compared before it is simply assumed that the change tightens. */
const MOST_PAIRS = 100_000;

/**
 * Whether some frame that passes now may have to stop passing. Only a change that adds flows, each of them over
 * nothing but drops, surely doesn't; every doubt says that it does, and costs only the wait until it is effective. `have`:
 * what stands, of these tables at least.
 */
export function tightens(
  flows: Delta<Flow>,
  have: (tables: Pick<ReadonlySet<number>, 'has'>) => Iterable<Flow>,
): boolean {
  if (isEmptyDelta(flows)) return false;
  if (flows.change.length > 0 || flows.remove.length > 0) return true;
  const passing = new Map<number, Flow[]>(flows.add.map(({ table }) => [table, []]));
  for (const flow of have(passing)) {
    if (flow.actions.length === 0 && flow.opaque === undefined) continue;
    passing.get(flow.table)?.push(flow);
  }
  let pairs = 0;
  for (const added of flows.add) {
    const under = passing.get(added.table) ?? [];
    pairs += under.length;
    if (pairs > MOST_PAIRS) return true;
    if (under.some((flow) => flow.priority <= added.priority && overlap(flow.match, added.match)))
      return true;
  }
  return false;
}

/** Whether one frame can match both. */
export function overlap(a: Match, b: Match): boolean {
  for (const name in a) {
    const field = name as keyof Match;
    const x = a[field];
    const y = b[field];
    if (x === undefined || y === undefined) continue;
    const bits = (x.mask ?? -1n) & (y.mask ?? -1n);
    if (((x.value ^ y.value) & bits) !== 0n) return false;
  }
  return true;
}
