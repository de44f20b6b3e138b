import { macFromBigint, type HostName, type Mac, type MigrationId } from '#kernel';
import { type Draft } from '../decider/draft.js';
import { type Migration, type Port } from '../model/state.js';
import { nextEpoch } from '../port/bind.js';
import { deadlineOf } from './phases.js';

const LOCAL_MULTICAST = 0x030000000000n;
const BROADCAST = 0xffffffffffffn;

/** A locally administered multicast MAC with 46 random bits. */
export function newToken(random48: () => bigint): Mac {
  for (;;) {
    const value = (random48() & BROADCAST) | LOCAL_MULTICAST;
    if (value !== BROADCAST) return macFromBigint(value);
  }
}

export interface Start {
  readonly origin: Migration['origin'];
  readonly owner: string;
  readonly source: HostName;
  readonly destination: HostName;
  readonly ports: readonly Port[];
  readonly attempt: number;
  readonly requestedBy: string;
}

/** Begins an admitted migration: every port gets its standby, with the next epoch and a token of its own. */
export function start(draft: Draft, { ports, ...what }: Start): MigrationId {
  const id = `m${draft.state.nextMigration}` as MigrationId;
  const { now, random48 } = draft.ctx;
  draft.emit({
    type: 'MigrationStarted',
    migration: {
      id,
      ...what,
      ports: ports.map((p) => ({ port: p.id, epoch: nextEpoch(p), activated: false })),
      phase: 'admitted',
      episode: 1,
      outcome: null,
      deadline: deadlineOf('admitted', now),
      history: [],
      reason: null,
    },
  });
  for (const port of ports) {
    const standby = {
      host: what.destination,
      epoch: nextEpoch(port),
      migration: id,
      token: newToken(random48),
    };
    draft.emit({ type: 'StandbyGranted', port: port.id, standby });
  }
  return id;
}
