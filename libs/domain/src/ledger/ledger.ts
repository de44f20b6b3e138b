import { type Epoch, type HostName } from '#kernel';
import { type Ledger, type RawCounters, type Segment } from '../model/state.js';
import { addCounters, atLeast, subtractCounters, ZERO_COUNTERS } from './counters.js';

/**
 * Longer lists have their oldest closed segments folded into one sum; the log has all of them. A port that is moved
 * every week fills this within two months: at 100,000 ports each one kept costs 90 MB of memory and 65 MB a snapshot.
 */
export const SEGMENTS_KEPT = 8;

export function openSegments(ledger: Ledger, host: HostName, epoch: Epoch): readonly Segment[] {
  return ledger.segments.filter((s) => s.close === null && s.host === host && s.epoch === epoch);
}

export function hasOpen(ledger: Ledger, host: HostName, epoch: Epoch): boolean {
  return ledger.segments.some((s) => s.close === null && s.host === host && s.epoch === epoch);
}

export function findSegment(
  ledger: Ledger,
  host: HostName,
  epoch: Epoch,
  incarnation: string,
): Segment | undefined {
  return ledger.segments.find((s) => s.host === host && s.epoch === epoch && s.incarnation === incarnation);
}

/** What a closed segment counted. */
function counted(segment: Segment): RawCounters {
  return segment.close === null ? ZERO_COUNTERS : subtractCounters(segment.close, segment.open);
}

/** Takes the oldest closed segments off a list that has grown too long. Open ones are never folded. */
export function folded(ledger: Ledger): Ledger {
  let excess = ledger.segments.length - SEGMENTS_KEPT;
  if (excess <= 0) return ledger;
  let sum = ledger.folded ?? ZERO_COUNTERS;
  let { foldedCount, foldedInexact } = ledger;
  const segments = ledger.segments.filter((s) => {
    if (excess <= 0 || s.close === null) return true;
    excess--;
    sum = addCounters(sum, counted(s));
    foldedCount++;
    if (s.inexact !== null) foldedInexact++;
    return false;
  });
  return { segments, folded: foldedCount === 0 ? null : sum, foldedCount, foldedInexact };
}

/**
 * The totals of a port: Σ closed (close − open) + (current raw − open). `current` gives the raw values of an open
 * segment as last read, or undefined when nobody read them. A reading below the segment's opening is of another
 * incarnation and counts as none: totals never go backwards for it.
 */
export function ledgerTotals(
  ledger: Ledger,
  current: (segment: Segment) => RawCounters | undefined,
): RawCounters {
  let sum = ledger.folded ?? ZERO_COUNTERS;
  for (const segment of ledger.segments) {
    if (segment.close !== null) sum = addCounters(sum, counted(segment));
    else {
      const raw = current(segment);
      if (raw !== undefined && atLeast(raw, segment.open))
        sum = addCounters(sum, subtractCounters(raw, segment.open));
    }
  }
  return sum;
}

/** Segments, folded ones included, that closed at a checkpoint: how often "exact" is not the whole truth. */
export function inexactSegments(ledger: Ledger): number {
  return ledger.foldedInexact + ledger.segments.filter((s) => s.inexact !== null).length;
}
