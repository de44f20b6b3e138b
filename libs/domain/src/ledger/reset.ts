import { type Problem } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, refuse } from '../decider/refusal.js';
import { type Command } from '../model/commands.js';
import { type RawCounters } from '../model/state.js';
import { atLeast, equalCounters, ZERO_COUNTERS } from './counters.js';
import { ledgerTotals } from './ledger.js';
import { badReason } from './reason.js';

/**
 * From now on what is shown of a port's counters is what came since: who wanted it and why stands in the log. Nothing of
 * the ledger changes. `at` must be what the ledger can have come to: no less than its closed segments and the reset
 * before, and no more than them where nothing counts any more.
 */
export function resetCounters(
  draft: Draft,
  { port: id, at, reason }: Extract<Command, { type: 'ResetCounters' }>,
): Problem | null {
  const port = draft.state.ports.get(id);
  if (port === undefined || port.deleted)
    return refuse('not-found', refusal('no-port', 'port', id, 'is not a known port'));
  const bad = badReason(reason);
  if (bad !== null) return bad;
  const closed = ledgerTotals(port.ledger, () => undefined);
  if (!atLeast(at, closed) || !atLeast(at, port.reset?.at ?? ZERO_COUNTERS))
    return wrongAt(at, 'is less than what the port has counted by now', 'its totals as they are now');
  const counts = port.ledger.segments.some((s) => s.close === null);
  if (!counts && !equalCounters(at, closed))
    return wrongAt(at, 'is more than what the port has counted, and nothing counts now', 'its totals');
  draft.emit({ type: 'CountersReset', port: id, at, by: draft.ctx.actor, reason });
  return null;
}

/** The counters moved on while somebody looked: worth another try. */
const wrongAt = (at: RawCounters, reason: string, expected: string): Problem =>
  refuse('conflict', refusal('counters-moved', 'at', at, reason, expected));
