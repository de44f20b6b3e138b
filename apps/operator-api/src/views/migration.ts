import { stayedAtSource, subtractCounters, type Migration, type Segment, type State } from '#domain';
import { type MigrationDescription } from '#contracts/http';
import { migrationView } from './resources.js';
import { iso, isoOrNull } from './time.js';

type Handover = MigrationDescription['handover'][number];

/** A migration with what happened in the data plane when the guest went over. */
export function migrationDescription(state: State, m: Migration, now: number): MigrationDescription {
  return {
    ...migrationView(m, now),
    pauseMs: m.pauseMs ?? null,
    handover: stayedAtSource(m) ? [] : m.ports.map((p) => handover(state, m, p)),
  };
}

function handover(state: State, m: Migration, p: Migration['ports'][number]): Handover {
  const segments = state.ports.get(p.port)?.ledger.segments ?? [];
  const last = segments.findLast((s) => s.host === m.source && s.epoch < p.epoch);
  const first = segments.find((s) => s.host === m.destination && s.epoch === p.epoch);
  const { activatedAt: opened, turnedAt: turned } = p;
  return {
    port: p.port,
    firstFrameAt: isoOrNull(opened ?? null),
    turnedAt: isoOrNull(turned ?? null),
    gapMs: opened === undefined || turned === undefined ? null : turned - opened,
    granted: m.history[0]?.revision ?? 0,
    realised: p.realised ?? null,
    carried: p.carried ?? null,
    source: last === undefined ? null : closing(last),
    destination:
      first === undefined
        ? null
        : { epoch: first.epoch, openedAt: iso(first.openedAt), from: structuredClone(first.open) },
  };
}

const closing = ({ epoch, open, close, closedAt, inexact }: Segment): Handover['source'] =>
  close === null || closedAt === null
    ? null
    : {
        epoch,
        closedAt: iso(closedAt),
        counted: subtractCounters(close, open),
        inexact: inexact?.reason ?? null,
      };
