import { type DomainEvent, type EventMeta } from '../model/events.js';
import { type Segment } from '../model/state.js';
import { portOf, type Next } from '../state/next.js';
import { folded } from './ledger.js';

type Of<T extends DomainEvent['type']> = Extract<DomainEvent, { type: T }>;

export function segmentOpened(next: Next, e: Of<'SegmentOpened'>, meta: EventMeta): void {
  const port = portOf(next, e.port);
  const segment: Segment = {
    host: e.host,
    epoch: e.epoch,
    incarnation: e.incarnation,
    open: e.raw,
    close: null,
    openedAt: meta.time,
    closedAt: null,
    inexact: null,
  };
  const ledger = folded({ ...port.ledger, segments: [...port.ledger.segments, segment] });
  next.ports = next.ports.set(port.id, { ...port, ledger });
}

export function countersReset(next: Next, e: Of<'CountersReset'>, meta: EventMeta): void {
  const port = portOf(next, e.port);
  const { at, by, reason } = e;
  const reset = { at, by, reason, time: meta.time, revision: meta.revision };
  next.ports = next.ports.set(port.id, { ...port, reset });
}

export function segmentClosed(next: Next, e: Of<'SegmentClosed'>, meta: EventMeta): void {
  const port = portOf(next, e.port);
  const isIt = (s: Segment): boolean =>
    s.close === null && s.host === e.host && s.epoch === e.epoch && s.incarnation === e.incarnation;
  const segments = port.ledger.segments.map((s) =>
    isIt(s) ? { ...s, close: e.raw, closedAt: meta.time, inexact: e.inexact ?? null } : s,
  );
  next.ports = next.ports.set(port.id, { ...port, ledger: folded({ ...port.ledger, segments }) });
}
