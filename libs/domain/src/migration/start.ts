import { type EvacuationId, type HostName, type MigrationId } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { type Migration, type Port } from '../model/state.js';
import { nextEpoch } from '../port/bind.js';
import { deadlineOf } from './phases.js';

export interface Start {
  readonly origin: Migration['origin'];
  readonly owner: string;
  readonly source: HostName;
  readonly destination: HostName;
  readonly ports: readonly Port[];
  readonly attempt: number;
  readonly requestedBy: string;
  /** Why it goes there. */
  readonly reason?: string;
  readonly evacuation?: EvacuationId;
}

/** Begins an admitted migration: every port gets its standby, with the next epoch. */
export function start(draft: Draft, { ports, reason, ...what }: Start): MigrationId {
  const id = `m${draft.state.nextMigration}` as MigrationId;
  draft.emit({
    type: 'MigrationStarted',
    migration: {
      id,
      ...what,
      ports: ports.map((p) => ({ port: p.id, epoch: nextEpoch(draft, p), activated: false })),
      phase: 'admitted',
      episode: 1,
      outcome: null,
      deadline: deadlineOf('admitted', draft.ctx.now),
      history: [],
      reason: reason ?? null,
    },
  });
  for (const port of ports) {
    const standby = { host: what.destination, epoch: nextEpoch(draft, port), migration: id };
    draft.emit({ type: 'StandbyGranted', port: port.id, standby });
  }
  return id;
}
