import { type PortId } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { type CounterCheckpoint, type NumberedFact } from '../model/commands.js';
import { type Segment, type State } from '../model/state.js';
import { atLeast } from './counters.js';
import { findSegment, openSegments } from './ledger.js';

/** Closes a segment whose final values nobody can tell any more: at its checkpoint, or where it began. */
export function closeAtLastKnown(
  draft: Draft,
  port: PortId,
  s: Segment,
  checkpoints: readonly CounterCheckpoint[],
  why: { readonly atCheckpoint: string; readonly without: string },
): void {
  const { host, epoch, incarnation } = s;
  const last = checkpoints.find(
    (c) => c.port === port && c.epoch === epoch && c.incarnation === incarnation && atLeast(c.raw, s.open),
  );
  const known =
    last === undefined
      ? { raw: s.open, inexact: { checkpointAt: s.openedAt, reason: why.without } }
      : { raw: last.raw, inexact: { checkpointAt: last.at, reason: why.atCheckpoint } };
  draft.emit({ type: 'SegmentClosed', port, host, epoch, incarnation, ...known });
}

/**
 * Whether a host opens what can't be opened while another segment of it is open there: it has forgotten that one, and
 * its close will never come.
 */
export function forgotSegments(state: State, host: Segment['host'], facts: readonly NumberedFact[]): boolean {
  return facts.some(({ fact }) => {
    if (fact.type !== 'SegmentOpened') return false;
    const ledger = state.ports.get(fact.port)?.ledger;
    return (
      ledger !== undefined &&
      openSegments(ledger, host, fact.epoch).length > 0 &&
      findSegment(ledger, host, fact.epoch, fact.incarnation) === undefined
    );
  });
}
