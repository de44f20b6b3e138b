import { connect, type NatsConnection } from '@nats-io/transport-node';
import { ok, unwrap } from '#kernel';
import { flatCodec, Upcasters, type StoredMessage } from '#event-store';
import { sha256 } from '#event-store/jetstream';
import { clusterRules } from '#runtime';
import { startNatsServer } from '#testing';
import { populate, portChange } from './support/cluster-log.js';
import { atLeast, type Bench, type Figure } from './support/figure.js';
import { appendRaw, dropStreams, newLog, publishRaw, readAll, sequencerOn, WINDOW } from './support/log.js';
import { pump } from './support/pump.js';
import { round, spread } from './support/stats.js';

const COMMITS = 20_000;
const ROUNDS = 5;
const WARM_UP = 4_000;

// A small decider: what is left is the store's own work.
interface Counted {
  readonly type: 'Counted';
  readonly port: string;
  readonly host: string;
  readonly epoch: number;
  readonly policy: { readonly vlan: number; readonly blocked: boolean; readonly filter: readonly string[] };
}

const upcasters = new Upcasters({ Counted: 1 });
const trivialRules = {
  decider: {
    initial: 0,
    decide: (_sum: number, epoch: number) =>
      ok<Counted[]>([
        {
          type: 'Counted',
          port: `p${epoch}`,
          host: 'host-17',
          epoch,
          policy: { vlan: 100, blocked: false, filter: ['allow tcp 443', 'allow udp 53', 'drop any'] },
        },
      ]),
    evolve: (sum: number, event: Counted) => sum + event.epoch,
  },
  hash: sha256,
  codec: flatCodec<Counted>(upcasters),
  upcasters,
};

/** Commits through a sequencer of its own; seconds, and what is in the log then. */
interface Committed {
  readonly seconds: number;
  readonly stored: readonly StoredMessage[];
}

async function commitTrivial(nc: NatsConnection, commits: number): Promise<Committed> {
  const log = await newLog(nc);
  const sequencer = await sequencerOn(log, trivialRules);
  const seconds = await pump(commits, WINDOW, (i) =>
    sequencer.submit({ commandId: `c${i}`, actor: 'bench', command: i }).then(unwrap),
  );
  const stored = await readAll(log);
  log.close();
  return { seconds, stored: stored.slice(-commits) };
}

async function commitCluster(nc: NatsConnection, commits: number): Promise<Committed> {
  const log = await newLog(nc);
  const sequencer = await sequencerOn(log, clusterRules);
  await populate(sequencer);
  const seconds = await pump(commits, WINDOW, (i) =>
    sequencer
      .submit({ commandId: `c${i}`, actor: 'bench', subject: 'Port/p1', command: portChange(i) })
      .then(unwrap),
  );
  const stored = await readAll(log);
  log.close();
  return { seconds, stored: stored.slice(-commits) };
}

/**
 * Commits through the sequencer against the same client's publishing of the same bodies with the same headers to an
 * equal stream, turn about in one process, so that both meet the same machine.
 */
async function compare(
  nc: NatsConnection,
  what: string,
  commit: (nc: NatsConnection, commits: number) => Promise<Committed>,
  least?: number,
): Promise<Figure> {
  const warm = await commit(nc, WARM_UP);
  await publishRaw(nc, warm.stored);
  await appendRaw(nc, warm.stored);
  const [ratios, floors, ours, raws]: number[][] = [[], [], [], []];
  for (let i = 0; i < ROUNDS; i++) {
    await dropStreams(nc);
    const { seconds, stored } = await commit(nc, COMMITS);
    const raw = await publishRaw(nc, stored);
    const floor = await appendRaw(nc, stored);
    ratios!.push(raw / seconds);
    floors!.push(floor / seconds);
    ours!.push(COMMITS / seconds);
    raws!.push(COMMITS / raw);
  }
  const figure = spread(ratios!);
  return {
    bench: 'append',
    what: `${what}: sequencer ÷ raw publish`,
    unit: '×',
    spread: figure,
    ...(least === undefined ? {} : { target: atLeast(least, figure.p50) }),
    detail: {
      commits: COMMITS,
      rounds: ROUNDS,
      commitsPerSecond: round(spread(ours!).p50),
      rawPerSecond: round(spread(raws!).p50),
      againstOwnAppend: spread(floors!).p50,
    },
  };
}

export const append: Bench = async () => {
  const server = await startNatsServer();
  const nc = await connect({ servers: server.url });
  try {
    return [
      // What the sequencer adds has a target; what the cluster's rules cost on top of it is told beside.
      await compare(nc, 'a trivial decider', commitTrivial, 0.8),
      await compare(nc, "with the cluster's rules", commitCluster),
    ];
  } finally {
    await nc.close();
    await server.stop();
  }
};
