import { type PortId } from '#kernel';
import { type DomainEvent } from '../model/events.js';
import { type RawCounters, type State } from '../model/state.js';
import { ledgerTotals } from './ledger.js';

/** The twelve values of RawCounters in one fixed order. */
type Vector = readonly number[];

const DIRECTIONS = ['in', 'out'] as const;
const KINDS = ['unicast', 'multicast', 'broadcast'] as const;

function vector(raw: RawCounters): Vector {
  return DIRECTIONS.flatMap((d) => KINDS.flatMap((k) => [raw[d][k].packets, raw[d][k].bytes]));
}

export interface RecomputedLedger {
  /** Σ (close − open) of every closed segment, in the order in/out × unicast/multicast/broadcast × packets/bytes. */
  readonly closed: Vector;
  readonly open: number;
  readonly inexact: number;
  /** The port was deleted: in time the state forgets it, and the log alone has its ledger. */
  readonly deleted: boolean;
}

interface Recomputing {
  readonly closed: number[];
  open: number;
  inexact: number;
  deleted: boolean;
}

const nothing = (): Recomputing => ({
  closed: new Array<number>(12).fill(0),
  open: 0,
  inexact: 0,
  deleted: false,
});

/**
 * Every ledger from the log alone, on a code path of its own: one pass over segments' events, no state, no folding.
 * A close without its open, or one that fell, throws: such a log is not one that the rules could have written.
 */
export function recomputeLedgers(events: Iterable<DomainEvent>): ReadonlyMap<PortId, RecomputedLedger> {
  const openings = new Map<string, Vector>();
  const ledgers = new Map<PortId, Recomputing>();
  for (const e of events) {
    const gone = e.type === 'PortDeleted' ? ledgers.get(e.port) : undefined;
    if (gone !== undefined) gone.deleted = true;
    if (e.type !== 'SegmentOpened' && e.type !== 'SegmentClosed') continue;
    const key = JSON.stringify([e.port, e.host, e.epoch, e.incarnation]);
    const ledger = ledgers.get(e.port) ?? nothing();
    ledgers.set(e.port, ledger);
    const values = vector(e.raw);
    if (e.type === 'SegmentOpened') {
      if (openings.has(key)) throw new Error(`segment ${key} opens twice`);
      openings.set(key, values);
      ledger.open++;
      continue;
    }
    const from = openings.get(key);
    if (from === undefined) throw new Error(`segment ${key} closes without having opened`);
    openings.delete(key);
    ledger.open--;
    if (e.inexact !== undefined) ledger.inexact++;
    values.forEach((v, i) => {
      const delta = v - (from[i] ?? 0);
      if (delta < 0) throw new Error(`segment ${key} fell by ${-delta}`);
      ledger.closed[i] = (ledger.closed[i] ?? 0) + delta;
    });
  }
  return ledgers;
}

export interface LedgerDifference {
  readonly port: PortId;
  readonly what: string;
  readonly log: number;
  readonly state: number;
}

/** What the state's ledgers say otherwise than the log; empty: they agree. */
export function verifyLedger(events: Iterable<DomainEvent>, state: State): readonly LedgerDifference[] {
  const log = recomputeLedgers(events);
  const found: LedgerDifference[] = [];
  for (const port of state.ports.values()) {
    const expected = log.get(port.id) ?? nothing();
    const compare = (what: string, a: number, b: number): void => {
      if (a !== b) found.push({ port: port.id, what, log: a, state: b });
    };
    vector(ledgerTotals(port.ledger, () => undefined)).forEach((v, i) => {
      const [d, k, unit] = [DIRECTIONS[Math.floor(i / 6)], KINDS[Math.floor(i / 2) % 3], i % 2];
      compare(`${d}.${k}.${unit === 0 ? 'packets' : 'bytes'}`, expected.closed[i] ?? 0, v);
    });
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
