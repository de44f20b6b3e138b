import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LabHost } from '../lab/host.js';
import { documentsOf, LabAgent } from '../lab/agent.js';
import { numbered } from '../lab/net.js';
import { plug, type PortPlan } from './ovn/ports.js';
import { cpuSeconds } from './support/cluster.js';
import { needing, ratioOf, type Figure } from './support/figure.js';
import { SHORT } from './support/short.js';
import { spread } from './support/stats.js';
import { Traffic, type Flow } from './support/traffic.js';
import { withLab } from './support/with-lab.js';

const BRIDGE = 'pt-lan';
const TURNS = SHORT ? 2 : 20;
const SAMPLE_MS = 1_000;
const GUESTS = [1, 2].map((n) => ({ ...numbered(n), host: 'h1', device: `tap${n}` }));
/** Which flows the bridge has: its own, by policy, or one that has it learn and forward by itself. */
const VARIANTS = ['NORMAL', 'ours', 'ours without counting', 'ours, stateful'] as const;
type Variant = (typeof VARIANTS)[number];

interface Sample {
  readonly pps: number;
  /** Processor time of the switch for a packet that it delivered, µs. */
  readonly cpuUs: number;
}

/**
 * From one guest to another of its host, as many packets as the switch takes: how many arrive. One flow, so that every
 * packet finds its decision cached: what is compared is what the decision has the switch do. Sender and switch have a
 * processor each where there are two, and the switch's is what limits.
 */
export const datapath = needing('lab', async () => {
  return withLab({ hosts: ['h1'] }, async (lab) => {
    const host = lab.host('h1');
    const files = await compiled(host);
    const traffic = new Traffic(host.netns);
    try {
      const seen = Object.fromEntries(VARIANTS.map((v) => [v, [] as Sample[]])) as Record<Variant, Sample[]>;
      for (let n = 0; n < TURNS; n++)
        for (const variant of n % 2 === 0 ? VARIANTS : [...VARIANTS].reverse()) {
          await host.ofctl('--bundle', 'replace-flows', BRIDGE, files[variant]);
          seen[variant].push(await sample(host, traffic));
        }
      return figures(seen);
    } finally {
      await traffic.close();
    }
  });
});

/** Flows as the agent made them, which then ends: what stands is exchanged for others, and nobody is to repair it. */
async function compiled(host: LabHost): Promise<Record<Variant, string>> {
  const agent = new LabAgent(host);
  const dump = (): Promise<string> => host.ofctl('--no-stats', '--no-names', 'dump-flows', BRIDGE);
  const bindings = (override: object) => GUESTS.map((_, i) => ({ n: i + 1, override }));
  const file = async (name: string, flows: string): Promise<string> => {
    const path = join(host.rundir, name);
    const lines = flows.split('\n').filter((line) => line.includes('actions='));
    await writeFile(path, `${lines.join('\n')}\n`);
    return path;
  };
  try {
    await agent.start();
    await agent.become(documentsOf(1, []));
    await plug(host, BRIDGE, GUESTS, ids, true);
    await agent.become(documentsOf(2, bindings({})));
    const ours = await dump();
    const filter = { stateful: true, default: 'allow', rules: [] };
    await agent.become(documentsOf(3, bindings({ filter })));
    const stateful = await dump();
    return {
      NORMAL: await file('normal', 'actions=NORMAL'),
      ours: await file('ours', ours),
      'ours without counting': await file('uncounted', ours.replaceAll(/meter:\d+,/g, '')),
      'ours, stateful': await file('stateful', stateful),
    };
  } finally {
    await agent.stop();
  }
}

const ids = ({ name, mac }: PortPlan) => ({
  'iface-id': name.replace('vm', 'if-'),
  'attached-mac': mac,
  'vm-id': name,
  'port-profile': 'web',
  'iface-status': 'active',
});

async function sample(host: LabHost, traffic: Traffic): Promise<Sample> {
  const [from, to] = [`${GUESTS[0]!.device}g`, `${GUESTS[1]!.device}g`];
  // Both are known to a switch that learns, and a connection is one of both sides.
  await traffic.flood(flow(0, 1, from), 50, 1_000);
  await traffic.flood(flow(1, 0, to), 50, 1_000);
  await traffic.flood(flow(0, 1, from), 50, 1_000);
  const pid = Number(await readFile(join(host.rundir, 'ovs-vswitchd.pid'), 'utf8'));
  const before = { packets: await received(host, to), cpu: (await cpuSeconds(pid)) ?? NaN };
  const { ms } = await traffic.flood(flow(0, 1, from), SAMPLE_MS);
  await host.drained(GUESTS[0]!.device);
  const packets = (await received(host, to)) - before.packets;
  if (packets < 1_000) throw new Error(`${packets} packets came through`);
  return {
    pps: (packets * 1_000) / ms,
    cpuUs: ((((await cpuSeconds(pid)) ?? NaN) - before.cpu) * 1e6) / packets,
  };
}

const received = async (host: LabHost, device: string): Promise<number> =>
  Number(await host.exec('cat', `/sys/class/net/${device}/statistics/rx_packets`));

function flow(from: number, to: number, device: string): Flow {
  const [sender, receiver] = [GUESTS[from]!, GUESTS[to]!];
  return {
    device,
    srcMac: sender.mac,
    dstMac: receiver.mac,
    srcIp: sender.ip,
    dstIp: receiver.ip,
    srcPort: 4_000 + from,
    dstPort: 4_000 + to,
  };
}

function figures(seen: Readonly<Record<Variant, readonly Sample[]>>): readonly Figure[] {
  return [...compared(seen, 'pps', 'packets/s', 'rate'), ...compared(seen, 'cpuUs', 'µs', 'processor time')];
}

function compared(
  seen: Readonly<Record<Variant, readonly Sample[]>>,
  key: keyof Sample,
  unit: string,
  of: string,
): readonly Figure[] {
  const all = VARIANTS.map((variant): Figure => ({
    bench: 'datapath',
    what: `one flow between two guests, ${of}: ${variant}`,
    unit,
    spread: spread(seen[variant].map((s) => s[key])),
  }));
  const [normal, ...ours] = all;
  const ratios = ours.map((it, i) =>
    ratioOf('datapath', `${of}: ${VARIANTS[i + 1]} ÷ NORMAL`, it.spread, normal!.spread),
  );
  return [...all, ...ratios];
}
