import { connect, type NatsConnection } from '@nats-io/transport-node';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { systemClock, unwrap, type Clock } from '#kernel';
import { openSequencer, type CommitLog } from '#event-store';
import { ensureStream, JetStreamLog, LOG_STREAM } from '#event-store/jetstream';
import { clusterRules } from '#runtime';
import { startNatsServer, type NatsServer } from '#testing';
import { type ClusterSequencer } from '../support/cluster-log.js';
import { COMMITS_A_DAY } from '../support/life.js';

/** A server with a log that a sequencer in this process writes. */
export interface World {
  readonly server: NatsServer;
  readonly nc: NatsConnection;
  readonly log: JetStreamLog;
  /** A directory that goes with the world. */
  readonly home: string;
}

export async function withWorld<T>(work: (world: World) => Promise<T>): Promise<T> {
  const server = await startNatsServer();
  const home = await mkdtemp(join(tmpdir(), 'portolan-bench-'));
  const nc = await connect({ servers: server.url });
  try {
    unwrap(await ensureStream(nc, LOG_STREAM));
    const log = await JetStreamLog.open(nc);
    try {
      return await work({ server, nc, log, home });
    } finally {
      log.close();
    }
  } finally {
    await nc.close();
    await server.stop();
    await rm(home, { recursive: true, force: true });
  }
}

const BEGAN = Date.parse('2026-01-01T00:00:00Z');

/** Goes on by an equal part of a day with each look: what is kept for a day is then a day's, however fast it is written. */
export function fastClock(): Clock {
  let commits = 0;
  const now = (): number => BEGAN + Math.floor((commits++ * 86_400_000) / COMMITS_A_DAY);
  return { ...systemClock, now };
}

/** By its clock, a day of the cluster's life is `COMMITS_A_DAY` commits. */
export async function writerOf(log: CommitLog): Promise<ClusterSequencer> {
  const onFault = (cause: unknown): never => {
    throw cause;
  };
  const ids = { next: () => randomUUID() as string };
  const options = {
    log,
    rules: clusterRules,
    clock: fastClock(),
    ids,
    cluster: 'bench',
    actor: 'bench',
    onFault,
  };
  return unwrap(await openSequencer(options));
}
