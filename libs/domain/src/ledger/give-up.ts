import { type HostName, type PortId } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { settle } from '../migration/react.js';
import { type CounterCheckpoint, type Fact, type NumberedFact } from '../model/commands.js';
import { type Binding, type Port, type Segment, type State } from '../model/state.js';
import { livePort, retireIfClosed } from '../port/bind.js';
import { atLeast } from './counters.js';
import { findSegment, hasOpen, openSegments } from './ledger.js';

/** The reason that an inexact segment bears. */
export interface Why {
  readonly atCheckpoint: string;
  readonly without: string;
}

/** Closes a segment whose final values nobody can tell any more: at its checkpoint, or where it began. */
export function closeAtLastKnown(
  draft: Draft,
  port: PortId,
  s: Segment,
  checkpoints: readonly CounterCheckpoint[],
  why: Why,
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

/** Counters of retiring bindings that the host still owed close at their last checkpoint, or where they began. */
export function giveUpCounters(
  draft: Draft,
  id: PortId,
  host: HostName,
  checkpoints: readonly CounterCheckpoint[],
  why: Why,
): void {
  for (const { epoch } of livePort(draft, id).retiring.filter((b) => b.host === host)) {
    for (const segment of openSegments(livePort(draft, id).ledger, host, epoch))
      closeAtLastKnown(draft, id, segment, checkpoints, why);
    retireIfClosed(draft, id, host, epoch);
  }
  settle(draft, id);
}

/** Earlier bindings to the host that retire, of which it does not say, as it opens a later one, that it owes their counters. */
export function notOwed(
  { retiring }: Port,
  host: Segment['host'],
  { epoch, owes }: Extract<Fact, { type: 'SegmentOpened' }>,
): readonly Binding[] {
  return retiring.filter((b) => b.host === host && b.epoch < epoch && owes?.includes(b.epoch) !== true);
}

/**
 * Whether a host opens what can't be opened while another segment of it is open there, or says of one that is open at an
 * earlier epoch that it owes nothing: it has forgotten that one, and its close will never come.
 */
export function forgotSegments(state: State, host: Segment['host'], facts: readonly NumberedFact[]): boolean {
  return facts.some(({ fact }) => {
    if (fact.type !== 'SegmentOpened') return false;
    const { epoch, incarnation, owes } = fact;
    const port = state.ports.get(fact.port);
    if (port === undefined) return false;
    const { ledger } = port;
    if (findSegment(ledger, host, epoch, incarnation) === undefined && hasOpen(ledger, host, epoch))
      return true;
    return owes !== undefined && notOwed(port, host, fact).some((b) => hasOpen(ledger, host, b.epoch));
  });
}
