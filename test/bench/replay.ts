import { connect } from '@nats-io/transport-node';
import { unwrap } from '#kernel';
import { catchUp, Replica, stateDigest } from '#event-store';
import { clusterRules, stateCodec } from '#runtime';
import { startNatsServer } from '#testing';
import { populate, portChange } from './support/cluster-log.js';
import { atLeast, type Bench } from './support/figure.js';
import { newLog, sequencerOn, WINDOW } from './support/log.js';
import { pump } from './support/pump.js';
import { round, spread } from './support/stats.js';

const COMMITS = 40_000;
const ROUNDS = 5;

/** Reading the log into the domain's state against reading and parsing it alone, turn about. */
export const replay: Bench = async () => {
  const server = await startNatsServer();
  const nc = await connect({ servers: server.url });
  try {
    const log = await newLog(nc);
    const sequencer = await sequencerOn(log, clusterRules);
    await populate(sequencer);
    await pump(COMMITS, WINDOW, (i) =>
      sequencer.submit({ commandId: `c${i}`, actor: 'bench', command: portChange(i) }).then(unwrap),
    );
    const utf8 = new TextDecoder();
    const parse = async (): Promise<number> => {
      let objects = 0;
      const begun = performance.now();
      for await (const batch of log.read(1)) {
        for (const { bytes } of batch) objects += typeof JSON.parse(utf8.decode(bytes)) === 'object' ? 1 : 0;
      }
      if (objects < COMMITS) throw new Error('the log was not read to its end');
      return (performance.now() - begun) / 1000;
    };
    const toState = async (): Promise<number> => {
      const begun = performance.now();
      const replica = new Replica(clusterRules);
      const read = await catchUp(log, replica);
      if (!read.ok) throw new Error(`the log can't be read: ${read.error.problem.message}`);
      const seconds = (performance.now() - begun) / 1000;
      const digest = stateDigest(replica.state, stateCodec, clusterRules.hash);
      if (digest !== stateDigest(sequencer.state, stateCodec, clusterRules.hash))
        throw new Error('the replay differs from the state that the log was written from');
      return seconds;
    };
    await parse();
    await toState();
    const [ratios, replays, parses]: number[][] = [[], [], []];
    for (let i = 0; i < ROUNDS; i++) {
      const [p, r] = [await parse(), await toState()];
      ratios!.push(p / r);
      replays!.push(COMMITS / r);
      parses!.push(COMMITS / p);
    }
    log.close();
    const figure = spread(ratios!);
    return [
      {
        bench: 'replay',
        what: 'replay to state ÷ reading and parsing',
        unit: '×',
        spread: figure,
        target: atLeast(0.6, figure.p50),
        detail: {
          commits: COMMITS,
          commitsPerSecond: round(spread(replays!).p50),
          parsedPerSecond: round(spread(parses!).p50),
        },
      },
    ];
  } finally {
    await nc.close();
    await server.stop();
  }
};
