import { type DomainEvent } from '../model/events.js';
import { type State } from '../model/state.js';

/** More than the end of a log that was lost may have used. */
const LEAP = 1_000_000;

/**
 * What must be said when a log goes on from an older copy of itself. Hosts remember bindings by port and epoch, and
 * migrations by their id: what they know of those that were lost must not be taken for what they know of new ones.
 */
export function reopen({ nextPort, nextMigration, epochsFrom }: State): readonly DomainEvent[] {
  return [{ type: 'NumbersRaised', to: Math.max(nextPort, nextMigration, epochsFrom) + LEAP }];
}
