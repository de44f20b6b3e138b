import { Set as Ids } from 'immutable';
import { type HostName, type PortId, type Problem } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, refuse } from '../decider/refusal.js';
import { gone } from '../facts/interfaces.js';
import { settle } from '../migration/react.js';
import { type Command, type CounterCheckpoint, type NumberedFact } from '../model/commands.js';
import { type Segment, type State } from '../model/state.js';
import { livePort, retireIfClosed } from '../port/bind.js';
import { atLeast } from './counters.js';
import { findSegment, openSegments } from './ledger.js';
import { badReason } from './reason.js';

/** The reason that an inexact segment bears. */
interface Why {
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

/**
 * The operator's word that a host will not tell what it owes. What it still holds, or is to hold, is touched only if it
 * is the word, too, that nothing runs there: of a host that was alive all the same, the next inventory binds it anew.
 */
export function giveUpHost(
  draft: Draft,
  { host, reason, dead = false, checkpoints = [] }: Extract<Command, { type: 'GiveUpCounters' }>,
): Problem | null {
  if (!draft.state.hosts.has(host))
    return refuse('not-found', refusal('no-host', 'host', host, 'is not a known host'));
  const bad = badReason(reason);
  if (bad !== null) return bad;
  const why = {
    atCheckpoint: `given up, closed at the last checkpoint: ${reason}`,
    without: `given up without a checkpoint: ${reason}`,
  };
  const ids = draft.state.byHost.get(host) ?? Ids<PortId>();
  if (dead) for (const id of ids) gone(draft, host, id, true);
  for (const id of ids) giveUpCounters(draft, id, host, checkpoints, why);
  return null;
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
