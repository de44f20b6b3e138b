import { until } from '../../deploy/quickstart/api.js';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { residentMb, withCluster } from './support/cluster.js';
import { atMost, type Bench } from './support/figure.js';
import { dropping, manifest } from './support/manifest.js';
import { spread } from './support/stats.js';

const PORTS = 100;
const SAMPLES = 10;
const CHANGES = 20;
const HOST = 'a';

/** Resident memory of one agent with a hundred ports, after their policy changed a few times. */
export const agentMemory: Bench = (say) => {
  const plan = async (home: string) => {
    const file = join(home, 'simulation.json');
    await writeFile(file, JSON.stringify({ uplinks: ['eth1'], guests: guests() }));
    return [{ name: HOST, env: { PORTOLAN_DRIVER: 'simulated', PORTOLAN_SIMULATION: file } }];
  };
  return withCluster({ say, hosts: plan, managers: 1 }, async ({ api, cluster }) => {
    const group = (n: number) => ({ name: 'web', switch: 'prod', ports: 0, policy: dropping(n) });
    const net = { name: 'prod', hosts: [HOST], device: 'eth1' };
    await api.apply(manifest({ hosts: [HOST], switch: net, groups: [group(0)] }), 30);
    await until(
      'every guest to be connected',
      async () => (await api.status()).counts.connected >= PORTS,
      60_000,
    );
    for (let i = 1; i <= CHANGES; i++) await api.apply(manifest({ groups: [group(i)] }), 30);
    const samples: number[] = [];
    for (let i = 0; i < SAMPLES; i++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const now = await residentMb(cluster.children.pidOf(`host-agent-${HOST}`));
      if (now !== null) samples.push(now);
    }
    const figure = spread(samples);
    return [
      {
        bench: 'agent-memory',
        what: `resident memory of one agent with ${PORTS} ports, switch simulated in it`,
        unit: 'MB',
        spread: figure,
        target: atMost(100, figure.p50),
      },
    ];
  });
};

const guests = (): object[] =>
  Array.from({ length: PORTS }, (_, i) => ({
    owner: `vm-${i}`,
    ifaceId: `vm-${i}-eth0`,
    mac: `02:00:00:00:01:${i.toString(16).padStart(2, '0')}`,
    profile: 'web',
    switch: 'prod',
    pps: 0,
  }));
