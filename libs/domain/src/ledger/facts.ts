import { equalJson, type Epoch, type HostName } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { refusal, type Refusal, type Refuse } from '../decider/refusal.js';
import { settle } from '../migration/react.js';
import { type CounterCheckpoint, type Fact } from '../model/commands.js';
import { type Ledger, type Port, type RawCounters } from '../model/state.js';
import { livePort, retireIfClosed } from '../port/bind.js';
import { atLeast } from './counters.js';
import { closeAtLastKnown, notOwed } from './give-up.js';
import { findSegment, openSegments } from './ledger.js';

type Of<T extends Fact['type']> = Extract<Fact, { type: T }>;

/** Whether the host holds the port at this epoch, in any role. */
export function holds(port: Port, host: HostName, epoch: Epoch): boolean {
  const is = (b: { host: HostName; epoch: Epoch } | null): boolean =>
    b !== null && b.host === host && b.epoch === epoch;
  return is(port.active) || is(port.standby) || port.retiring.some(is);
}

export function fenced(port: Port | undefined, host: HostName, id: string, epoch: Epoch): Refusal | null {
  if (port === undefined) return refusal('fenced', 'port', id, 'is not a known port');
  if (holds(port, host, epoch)) return null;
  const reason = `is not an epoch at which ${host} holds port ${port.id} (now ${port.epoch})`;
  return refusal('fenced', 'epoch', epoch, reason);
}

const FORGOTTEN = {
  atCheckpoint: 'the host has lost what it knew of it: closed at its last checkpoint',
  without: 'the host has lost what it knew of it, and there is no checkpoint',
};

/**
 * `checkpoints`: given when the host is known to have forgotten what it had open. Without, what is open at the same epoch
 * has the opening refused, and what is open at earlier ones stays so.
 */
export function segmentOpened(
  draft: Draft,
  host: HostName,
  fact: Of<'SegmentOpened'>,
  refuse: Refuse,
  checkpoints?: readonly CounterCheckpoint[],
): void {
  const { port: id, epoch, incarnation, raw } = fact;
  const port = draft.state.ports.get(id);
  const fence = fenced(port, host, id, epoch);
  if (port === undefined || fence !== null) return refuse(fence as Refusal);
  if (findSegment(port.ledger, host, epoch, incarnation) !== undefined) {
    // Told again. What it owes is news all the same: the log may have come back from before the last of it was closed.
    if (fact.owes !== undefined) settleEarlier(draft, host, fact, checkpoints);
    return;
  }
  const others = openSegments(port.ledger, host, epoch);
  const open = others[0];
  if (open !== undefined && checkpoints === undefined) {
    const reason = `opens while ${open.incarnation} is open at the same epoch`;
    return refuse(refusal('segment-open', 'incarnation', incarnation, reason, 'its close first'));
  }
  const twice = countedTwice(port.ledger, host, incarnation, raw);
  if (twice !== null) return refuse(twice);
  for (const other of others) closeAtLastKnown(draft, id, other, checkpoints ?? [], FORGOTTEN);
  draft.emit({ type: 'SegmentOpened', port: id, host, epoch, incarnation, raw });
  settleEarlier(draft, host, fact, checkpoints);
}

/**
 * A host's facts come in order: what it opened at earlier epochs is known, so without an open segment nothing is owed. An
 * open one is owed only as long as the host says so: one that was closed in a history that is no more it has forgotten.
 */
function settleEarlier(
  draft: Draft,
  host: HostName,
  fact: Of<'SegmentOpened'>,
  checkpoints: readonly CounterCheckpoint[] | undefined,
): void {
  const { port: id, owes } = fact;
  for (const { epoch } of notOwed(livePort(draft, id), host, fact)) {
    if (owes !== undefined && checkpoints !== undefined)
      for (const open of openSegments(livePort(draft, id).ledger, host, epoch))
        closeAtLastKnown(draft, id, open, checkpoints, FORGOTTEN);
    retireIfClosed(draft, id, host, epoch);
  }
  settle(draft, id);
}

/** The same meters under two epochs must not count one packet in both. */
function countedTwice(ledger: Ledger, host: HostName, incarnation: string, raw: RawCounters): Refusal | null {
  for (const s of ledger.segments) {
    if (s.host !== host || s.incarnation !== incarnation) continue;
    if (s.close === null) {
      const reason = `is open at epoch ${s.epoch}`;
      return refusal('segment-open', 'incarnation', incarnation, reason, 'its close first');
    }
    if (!atLeast(raw, s.close)) {
      const reason = `is below what the same meters had at the close of epoch ${s.epoch}`;
      return refusal('counter-fell', 'raw', raw, reason, 'a new incarnation');
    }
  }
  return null;
}

export function segmentClosed(draft: Draft, host: HostName, fact: Of<'SegmentClosed'>, refuse: Refuse): void {
  const { port: id, epoch, incarnation, raw, inexact, turnedAt } = fact;
  const port = draft.state.ports.get(id);
  const segment = port === undefined ? undefined : findSegment(port.ledger, host, epoch, incarnation);
  if (port === undefined || segment === undefined) {
    const fence = fenced(port, host, id, epoch);
    return refuse(fence ?? refusal('no-segment', 'incarnation', incarnation, 'has no segment to close'));
  }
  if (segment.close !== null) {
    if (equalJson(segment.close, raw)) {
      // Said again by one that is asked for it only now: the log came back from before it asked.
      retireIfClosed(draft, id, host, epoch);
      return settle(draft, id);
    }
    const reason = 'differs from the values that this segment closed with';
    return refuse(refusal('closed', 'raw', raw, reason));
  }
  if (!atLeast(raw, segment.open)) {
    return refuse(refusal('counter-fell', 'raw', raw, 'is below the value at opening', 'a new incarnation'));
  }
  draft.emit({
    type: 'SegmentClosed',
    port: id,
    host,
    epoch,
    incarnation,
    raw,
    ...(inexact === undefined ? {} : { inexact }),
    ...(turnedAt === undefined ? {} : { turnedAt }),
  });
  retireIfClosed(draft, id, host, epoch);
  settle(draft, id);
}
