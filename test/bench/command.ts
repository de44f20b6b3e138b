import { NatsLink } from '#platform';
import { credentialsPath } from '#platform/accounts';
import { join } from 'node:path';
import { withCluster } from './support/cluster.js';
import { atMost, type Bench } from './support/figure.js';
import { manifest } from './support/manifest.js';
import { publisher, Sender, timed } from './support/one-by-one.js';
import { round, spread } from './support/stats.js';

/** Commands, then publishes, turn about: load of the machine meets both. */
const ROUNDS = 10;
const EACH = 50;
/** Told apart: services that have just started run code that is not compiled yet. */
const FIRST = 200;
const WARM_UP = 2_000;

/**
 * One command after the other over HTTP, to its answer: it is in the log then, and the API has read it. Beside it, what
 * one publish to such a stream takes on the same server at the same time.
 */
export const command: Bench = (say) =>
  withCluster({ say, hosts: () => [] }, async ({ api, cluster, home }) => {
    const group = { name: 'web', switch: 'prod', ports: 8, overridable: ['blocked'] };
    await api.apply(
      manifest({ hosts: ['a'], switch: { name: 'prod', hosts: ['a'], device: 'eth1' }, groups: [group] }),
      0,
    );
    const link = NatsLink.open({
      servers: [`nats://127.0.0.1:${cluster.options.ports.nats}`],
      name: 'bench',
      credentialsFile: credentialsPath(join(home, 'credentials'), 'manager'),
    });
    const http = new Sender(cluster.api);
    try {
      const publish = await publisher(await link.connection());
      const ask = (i: number): Promise<unknown> =>
        http.send('PUT', '/v1/ports/p1/override', { override: { blocked: i % 2 === 0 } });
      const first = await timed(FIRST, ask);
      await timed(WARM_UP, ask);
      await timed(EACH, publish);
      const commands: number[] = [];
      const publishes: number[] = [];
      for (let i = 0; i < ROUNDS; i++) {
        commands.push(...(await timed(EACH, ask)));
        publishes.push(...(await timed(EACH, publish)));
      }
      const figure = spread(commands);
      const floor = spread(publishes);
      return [
        {
          bench: 'command',
          what: 'one command, HTTP in to acknowledged',
          unit: 'ms',
          spread: figure,
          target: atMost(5, figure.p50, 'p50 '),
          detail: { timesOnePublish: round(figure.p50 / floor.p50) },
        },
        { bench: 'command', what: 'the first commands after a start', unit: 'ms', spread: spread(first) },
        { bench: 'command', what: 'one raw publish to its ack, same run', unit: 'ms', spread: floor },
      ];
    } finally {
      http.close();
      await link.close();
    }
  });
