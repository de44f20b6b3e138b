import { type PortId } from '#kernel';
import { type DomainEvent } from '../model/events.js';
import { type State } from '../model/state.js';
import { ledgerTotals } from './ledger.js';
import { LedgerRecount, nothing, VALUE_NAMES, vector, type RecomputedLedger } from './recount.js';

/**
 * Every ledger from the log alone. A close without its open, or one that fell, throws: such a log is not one that the
 * rules could have written.
 */
export function recomputeLedgers(events: Iterable<DomainEvent>): ReadonlyMap<PortId, RecomputedLedger> {
  const recount = new LedgerRecount();
  for (const e of events) {
    const wrong = recount.take(e);
    if (wrong !== null) throw new Error(wrong);
  }
  return recount.ledgers;
}

export interface LedgerDifference {
  readonly port: PortId;
  readonly what: string;
  readonly log: number;
  readonly state: number;
}

/** What the state's ledgers say otherwise than the log; empty: they agree. */
export function verifyLedger(events: Iterable<DomainEvent>, state: State): readonly LedgerDifference[] {
  return compareLedgers(recomputeLedgers(events), state);
}

export function compareLedgers(
  log: ReadonlyMap<PortId, RecomputedLedger>,
  state: State,
): readonly LedgerDifference[] {
  const found: LedgerDifference[] = [];
  for (const port of state.ports.values()) {
    const expected = log.get(port.id) ?? nothing();
    const compare = (what: string, a: number, b: number): void => {
      if (a !== b) found.push({ port: port.id, what, log: a, state: b });
    };
    const total = vector(ledgerTotals(port.ledger, () => undefined));
    VALUE_NAMES.forEach((name, i) => compare(name, expected.closed[i] ?? 0, total[i] ?? 0));
    const { segments, foldedInexact } = port.ledger;
    compare('open segments', expected.open, segments.filter((s) => s.close === null).length);
    compare('inexact', expected.inexact, foldedInexact + segments.filter((s) => s.inexact !== null).length);
  }
  for (const [id, { deleted, open }] of log) {
    if (state.ports.has(id)) continue;
    if (!deleted) found.push({ port: id, what: 'port', log: 1, state: 0 });
    if (open > 0) found.push({ port: id, what: 'open segments', log: open, state: 0 });
  }
  return found;
}
