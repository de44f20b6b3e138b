import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatFlows, type Flow } from '#openflow';
import { OvsDriver } from '#ovs';
import { type LabHost } from '../lab/host.js';
import { needing, ratioOf, type Figure } from './support/figure.js';
import { SHORT } from './support/short.js';
import { spread } from './support/stats.js';
import { withLab } from './support/with-lab.js';

const FLOWS = 10_000;
const TURNS = SHORT ? 3 : 20;
const WARM_UP = SHORT ? 2 : 5;
const [OURS, THEIRS] = ['ours', 'theirs'];
const TCP_OVER_IP = { eth_type: { value: 0x800n }, ip_proto: { value: 6n } };

/** What a list of rules looks like: a port of a host, an address, a TCP port. */
const flows: readonly Flow[] = Array.from({ length: FLOWS }, (_, i) => ({
  table: 64,
  priority: 1_000 + (i % 500),
  match: {
    reg1: { value: BigInt(i % 20) },
    ...TCP_OVER_IP,
    ipv4_src: { value: 0x0a000000n + BigInt(i) },
    tcp_dst: { value: BigInt(1_000 + i) },
  },
  actions: i % 2 === 0 ? [] : [{ kind: 'goto', table: 68 }],
  cookie: 0xbe0000n + BigInt(i),
}));

/** Ways to fill a bridge and to read it; each on a bridge of its own, so that neither hears of the other's flows. */
interface Side {
  fill(): Promise<unknown>;
  read(): Promise<number>;
  readonly bridge: string;
}

/** Flows through one atomic bundle, and all of them read back, against `ovs-ofctl`, which starts a process for it. */
export const bundle = needing('lab', async () => {
  return withLab({ hosts: ['h1'], uplinks: 0 }, async (lab) => {
    const host = lab.host('h1');
    const driver = new OvsDriver({ rundir: host.rundir, datapathType: 'netdev' });
    try {
      await driver.start();
      return await measure(host, [await ours(driver), await theirs(host)]);
    } finally {
      await driver.close();
    }
  });
});

async function ours(driver: OvsDriver): Promise<Side> {
  const add = { op: 'add-bridge', bridge: OURS!, switch: 'lan', mtu: 1_500 } as const;
  await driver.apply({ kind: 'ovsdb', changes: [add] });
  const mods = flows.map((flow) => ({ op: 'add-flow', flow }) as const);
  return {
    bridge: OURS!,
    fill: () => driver.apply({ kind: 'bundle', bridge: OURS!, mods }),
    read: async () => (await driver.read()).bridges[0]?.flows.length ?? 0,
  };
}

async function theirs(host: LabHost): Promise<Side> {
  const values = ['fail_mode=secure', 'datapath_type=netdev'];
  await host.vsctl('add-br', THEIRS!, '--', 'set', 'Bridge', THEIRS!, ...values);
  const file = join(host.rundir, 'flows');
  await writeFile(file, formatFlows(flows, { cookies: true }));
  const dump = async (): Promise<number> =>
    (await host.ofctl('dump-flows', THEIRS!)).split('\n').filter((line) => line.includes('actions=')).length;
  return { bridge: THEIRS!, fill: () => host.ofctl('--bundle', 'add-flows', THEIRS!, file), read: dump };
}

async function measure(host: LabHost, sides: readonly [Side, Side]): Promise<readonly Figure[]> {
  const rates = sides.map(() => ({ fill: [] as number[], read: [] as number[] }));
  for (let n = 0; n < WARM_UP + TURNS; n++)
    for (const i of n % 2 === 0 ? [0, 1] : [1, 0]) {
      const side = sides[i]!;
      const filled = await perSecond(() => side.fill());
      const read = await perSecond(async () => {
        const count = await side.read();
        if (count !== FLOWS) throw new Error(`${side.bridge} has ${count} flows`);
      });
      await host.ofctl('del-flows', side.bridge);
      if (n < WARM_UP) continue;
      rates[i]!.fill.push(filled);
      rates[i]!.read.push(read);
    }
  const [our, their] = rates;
  return [
    ...compared(`${FLOWS} flows in one bundle`, 'ovs-ofctl --bundle add-flows', our!.fill, their!.fill),
    ...compared(`${FLOWS} flows read back`, 'ovs-ofctl dump-flows', our!.read, their!.read),
  ];
}

async function perSecond(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (FLOWS * 1_000) / (performance.now() - begun);
}

function compared(what: string, tool: string, our: readonly number[], their: readonly number[]): Figure[] {
  const figure = (name: string, values: readonly number[]): Figure => ({
    bench: 'bundle',
    what: `${what}: ${name}`,
    unit: 'flows/s',
    spread: spread(values),
  });
  const [a, b] = [figure('ours', our), figure(tool, their)];
  return [a, b, ratioOf('bundle', `${what}: ours ÷ ${tool}`, a.spread, b.spread)];
}
