import { until } from '../../deploy/quickstart/api.js';
import { bridgeName } from '#compiler';
import { Lab } from '../lab/net.js';
import { onSwitch } from '../lab/on-switch.js';
import { residentMb, withCluster, type BenchCluster } from './support/cluster.js';
import { atMost, needing } from './support/figure.js';
import { dropping, manifest } from './support/manifest.js';
import { spread } from './support/stats.js';

const PORTS = 100;
const SAMPLES = 10;
const CHANGES = 20;
const HOST = 'a';
const SWITCH = 'prod';
const SETTLING_MS = 10_000;

/** Resident memory of one agent with a hundred ports on a real switch, after their policy changed a few times. */
export const agentMemory = needing('lab', async (say) => {
  const lab = await Lab.create({ hosts: [HOST] });
  try {
    const env = onSwitch(lab.host(HOST));
    return await withCluster({ say, hosts: () => [{ name: HOST, env }], managers: 1 }, (it) =>
      measure(it, lab, say),
    );
  } finally {
    await lab.destroy();
  }
});

async function measure({ api, cluster }: BenchCluster, lab: Lab, say: (line: string) => void) {
  const group = (n: number) => ({ name: 'web', switch: SWITCH, ports: 0, policy: dropping(n) });
  const resident = () => residentMb(cluster.children.pidOf(`host-agent-${HOST}`));
  await api.apply(
    manifest({
      hosts: [HOST],
      switch: { name: SWITCH, hosts: [HOST], device: 'up0' },
      groups: [group(0)],
    }),
    30,
  );
  const atFirst = await resident();
  await lab.vsctl(HOST, ...Array.from({ length: PORTS }, (_, i) => plug(i)).flat());
  await until(
    'every guest to be connected',
    async () => (await api.status()).counts.connected >= PORTS,
    60_000,
  );
  const connected = await resident();
  for (let i = 1; i <= CHANGES; i++) await api.apply(manifest({ groups: [group(i)] }), 30);
  const changed = await resident();
  say(`${atFirst} MB without ports, ${connected} MB with ${PORTS}, ${changed} MB after ${CHANGES} changes`);
  await pause(SETTLING_MS);
  const samples: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    await pause(500);
    const now = await resident();
    if (now !== null) samples.push(now);
  }
  const figure = spread(samples);
  return [
    {
      bench: 'agent-memory',
      what: `resident memory of one agent with ${PORTS} ports on Open vSwitch`,
      unit: 'MB',
      spread: figure,
      target: atMost(100, figure.p50),
      detail: { atFirst, connected, changed },
    },
  ];
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** As a hypervisor does it, for `ovs-vsctl`. */
function plug(i: number): string[] {
  const name = `vnic${i}`;
  const marks = {
    'iface-id': `vm-${i}-eth0`,
    'attached-mac': `02:00:00:00:01:${i.toString(16).padStart(2, '0')}`,
    'vm-id': `vm-${i}`,
    'port-profile': 'web',
    'iface-status': 'active',
  };
  const ids = Object.entries(marks).map(([key, value]) => `external_ids:${key}="${value}"`);
  return [
    '--',
    'add-port',
    bridgeName(SWITCH),
    name,
    '--',
    'set',
    'Interface',
    name,
    'type=internal',
    ...ids,
  ];
}
