import { type PortId } from '#kernel';
import { type DomainEvent } from '../model/events.js';
import { type RawCounters } from '../model/state.js';
import { DELETED_KEPT } from '../port/deleted.js';

/** The twelve values of RawCounters: in/out × unicast/multicast/broadcast × packets/bytes. */
export type Vector = readonly number[];

const DIRECTIONS = ['in', 'out'] as const;
const KINDS = ['unicast', 'multicast', 'broadcast'] as const;
const UNITS = ['packets', 'bytes'] as const;

export const vector = (raw: RawCounters): Vector =>
  DIRECTIONS.flatMap((d) => KINDS.flatMap((k) => UNITS.map((u) => raw[d][k][u])));
/** `in.unicast.packets`, in the order of a vector. */
export const VALUE_NAMES = DIRECTIONS.flatMap((d) =>
  KINDS.flatMap((k) => UNITS.map((u) => `${d}.${k}.${u}`)),
);

export interface RecomputedLedger {
  /** Σ (close − open) of every closed segment. */
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

export const nothing = (): Recomputing => ({
  closed: new Array<number>(VALUE_NAMES.length).fill(0),
  open: 0,
  inexact: 0,
  deleted: false,
});

type Told = Extract<DomainEvent, { type: 'SegmentOpened' | 'SegmentClosed' }>;

/**
 * Every ledger from the log alone, event by event, on a code path of its own: no state, no folding. Ports that were
 * deleted so long ago that the state has forgotten them are let go.
 */
export class LedgerRecount {
  readonly #openings = new Map<string, Vector>();
  readonly #ledgers = new Map<PortId, Recomputing>();
  readonly #deleted = new Set<PortId>();
  #segments = 0;

  get ledgers(): ReadonlyMap<PortId, RecomputedLedger> {
    return this.#ledgers;
  }
  /** Opened so far. */
  get segments(): number {
    return this.#segments;
  }

  /** What of an event the rules could not have written, and is not counted; null: it is as it should be. */
  take(e: DomainEvent): string | null {
    if (e.type === 'PortDeleted') this.#forget(e.port);
    if (e.type !== 'SegmentOpened' && e.type !== 'SegmentClosed') return null;
    const key = JSON.stringify([e.port, e.host, e.epoch, e.incarnation]);
    const ledger = this.#ledgers.get(e.port) ?? nothing();
    this.#ledgers.set(e.port, ledger);
    const wrong = e.type === 'SegmentOpened' ? this.#opened(e, key, ledger) : this.#closed(e, key, ledger);
    return wrong === null ? null : `segment ${key} ${wrong}`;
  }

  #opened({ raw }: Told, key: string, ledger: Recomputing): string | null {
    if (this.#openings.has(key)) return 'opens twice';
    this.#openings.set(key, vector(raw));
    this.#segments++;
    ledger.open++;
    return null;
  }

  #closed(e: Extract<Told, { type: 'SegmentClosed' }>, key: string, ledger: Recomputing): string | null {
    const from = this.#openings.get(key);
    if (from === undefined) return 'closes without having opened';
    this.#openings.delete(key);
    ledger.open--;
    if (e.inexact !== undefined) ledger.inexact++;
    const counted = vector(e.raw).map((v, i) => v - (from[i] ?? 0));
    const fell = counted.findIndex((n) => n < 0);
    if (fell >= 0) return `fell by ${-(counted[fell] ?? 0)} in ${VALUE_NAMES[fell]}`;
    counted.forEach((n, i) => (ledger.closed[i] = (ledger.closed[i] ?? 0) + n));
    return null;
  }

  #forget(port: PortId): void {
    const ledger = this.#ledgers.get(port);
    if (ledger === undefined) return;
    ledger.deleted = true;
    this.#deleted.add(port);
    const [eldest] = this.#deleted;
    if (this.#deleted.size <= DELETED_KEPT || eldest === undefined) return;
    this.#deleted.delete(eldest);
    // What is still open of a deleted port is a difference, and stays to be told.
    if (this.#ledgers.get(eldest)?.open === 0) this.#ledgers.delete(eldest);
  }
}
