import { countersSince, ledgerTotals, type Port, type RawCounters, type Segment } from '#domain';
import { type LedgerView } from '#contracts/http';
import { type LiveStore } from '../live/live-store.js';
import { iso, isoOrNull } from './time.js';

const NOTHING = { packets: 0, bytes: 0 };
const NO_DIRECTION = { unicast: NOTHING, multicast: NOTHING, broadcast: NOTHING };
const ZERO: RawCounters = { in: NO_DIRECTION, out: NO_DIRECTION };

/** A port's ledger with what its open segments have counted so far, as the hosts last told. */
export function ledgerView(port: Port, live: LiveStore): LedgerView {
  const segments = port.ledger.segments.map((s) => segmentView(port, s, live));
  const open = port.ledger.segments.filter((s) => s.close === null);
  const times = open.map((s) => live.sampled(port.id, s)?.time).filter((t) => t !== undefined);
  return {
    total: portTotals(port, live),
    folded: port.ledger.folded,
    segments,
    exact: isExact(port),
    countedAt: times.length === 0 ? null : iso(Math.max(...times)),
  };
}

export const portTotals = (port: Port, live: LiveStore): RawCounters =>
  ledgerTotals(port.ledger, (s) => live.sampled(port.id, s)?.sample.raw);

/** What is shown: what came since the counters were reset, if they were. An inexact close may take back what was seen. */
export function shownTotals(port: Port, live: LiveStore): RawCounters {
  const totals = portTotals(port, live);
  return port.reset === undefined ? totals : countersSince(totals, port.reset.at);
}

/** Hosts of open segments whose counters are not known just now: the totals lack them. */
export const untold = (port: Port, live: LiveStore): readonly string[] =>
  port.ledger.segments
    .filter((s) => s.close === null && live.sampled(port.id, s) === undefined)
    .map((s) => s.host);

export const isExact = (port: Port): boolean =>
  port.ledger.foldedInexact === 0 && port.ledger.segments.every((s) => s.inexact === null);

function segmentView(port: Port, s: Segment, live: LiveStore): LedgerView['segments'][number] {
  const raw = s.close ?? live.sampled(port.id, s)?.sample.raw;
  const alone = {
    segments: [{ ...s, close: raw ?? s.open }],
    folded: null,
    foldedCount: 0,
    foldedInexact: 0,
  };
  return {
    host: s.host,
    epoch: s.epoch,
    incarnation: s.incarnation,
    openedAt: iso(s.openedAt),
    closedAt: isoOrNull(s.closedAt),
    counted: raw === undefined ? ZERO : ledgerTotals(alone, () => undefined),
    live: s.close === null,
    inexact:
      s.inexact === null ? null : { checkpointAt: iso(s.inexact.checkpointAt), reason: s.inexact.reason },
  };
}
