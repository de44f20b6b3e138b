import { type Lineage } from '#kernel';
import { type DomainEvent } from '../model/events.js';
import { type State } from '../model/state.js';

/** More than the end of a log that was lost may have used. */
const LEAP = 1_000_000;
const LEAPS = 0x10000;

/**
 * What must be said when a log goes on from an older copy of itself. Hosts remember bindings by port and epoch, and
 * migrations by their id: what they know of those that were lost must not be taken for what they know of new ones. The
 * same copy may be put back twice, and knows nothing of the first time: how far it is, the new lineage says.
 */
export function reopen(
  { nextPort, nextMigration, epochsFrom }: State,
  lineage: Lineage,
): readonly DomainEvent[] {
  let leaps = 0;
  for (const c of lineage) leaps = (leaps * 31 + c.charCodeAt(0)) % LEAPS;
  return [{ type: 'NumbersRaised', to: Math.max(nextPort, nextMigration, epochsFrom) + LEAP * (leaps + 1) }];
}
