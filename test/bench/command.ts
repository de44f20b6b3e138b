import { withCluster } from './support/cluster.js';
import { atMost, type Bench } from './support/figure.js';
import { manifest } from './support/manifest.js';
import { spread } from './support/stats.js';

const REQUESTS = 500;
const WARM_UP = 200;

/** One command after the other over HTTP, to its answer: it is in the log then, and the API has read it. */
export const command: Bench = (say) =>
  withCluster({ say, hosts: () => [] }, async ({ api }) => {
    const group = { name: 'web', switch: 'prod', ports: 8, overridable: ['blocked'] };
    await api.apply(
      manifest({ hosts: ['a'], switch: { name: 'prod', hosts: ['a'], device: 'eth1' }, groups: [group] }),
      0,
    );
    const times: number[] = [];
    for (let i = 0; i < WARM_UP + REQUESTS; i++) {
      const begun = performance.now();
      await api.send('PUT', '/v1/ports/p1/override', { override: { blocked: i % 2 === 0 } });
      if (i >= WARM_UP) times.push(performance.now() - begun);
    }
    const figure = spread(times);
    return [
      {
        bench: 'command',
        what: 'one command, HTTP in to acknowledged',
        unit: 'ms',
        spread: figure,
        target: atMost(5, figure.p50, 'p50 '),
      },
    ];
  });
