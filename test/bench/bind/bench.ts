import { bridgeName } from '#compiler';
import { BRIDGE } from '../ovn/controller.js';
import { SWITCH } from '../ovn/our-manifest.js';
import { ids } from '../ovn/our-lab.js';
import { definePorts, GROUP } from '../ovn/ovn-words.js';
import { type OvnSide } from '../ovn/ovn-side.js';
import { withPair, type Pair } from '../ovn/pair.js';
import { portsOf, type PortPlan } from '../ovn/ports.js';
import { needing, ratioOf, type Figure } from '../support/figure.js';
import { SHORT } from '../support/short.js';
import { spread } from '../support/stats.js';
import { Plugger } from './plugger.js';

const HOSTS = ['h1', 'h2'];
const PORTS_EACH = 10;
const SIZES = [
  { count: 1, times: SHORT ? 2 : 20, warmUp: SHORT ? 3 : 10 },
  { count: 100, times: SHORT ? 1 : 10, warmUp: SHORT ? 1 : 3 },
] as const;
type Size = (typeof SIZES)[number];

/** How one side gets new ports; what the other calls its centre knows of them before. */
interface Side {
  readonly name: string;
  readonly plugger: Plugger;
  prepare(ports: readonly PortPlan[]): Promise<void>;
  forget(ports: readonly PortPlan[]): Promise<void>;
}

/**
 * New interfaces are plugged at one host: until the last flow of its switch that came of it stood. OVN's ports are
 * defined before, as its users do it; ours come to be by the plugging, which is a commit of its own.
 */
export const bind = needing('ovn', async (say) => {
  return withPair(HOSTS, PORTS_EACH, say, async (pair) => {
    const sides = await sidesOf(pair);
    try {
      const figures: Figure[] = [];
      for (const size of SIZES) {
        say(`${size.count} at once`);
        figures.push(...(await compare(sides, size)));
      }
      return figures;
    } finally {
      for (const { plugger } of sides) await plugger.close();
    }
  });
});

async function sidesOf({ peer, labs }: Pair): Promise<readonly [Side, Side]> {
  const host = HOSTS[0]!;
  const peerIds = ({ name, mac }: PortPlan) => ({ 'iface-id': name, 'attached-mac': mac });
  return [
    {
      name: 'ours',
      plugger: await Plugger.on(labs.ours.host(host), bridgeName(SWITCH), ids),
      prepare: () => Promise.resolve(),
      forget: () => Promise.resolve(),
    },
    {
      name: 'OVN',
      plugger: await Plugger.on(labs.peer.host(host), BRIDGE, peerIds),
      prepare: (ports) => define(peer, ports),
      forget: (ports) => peer.commit([members([]), ...ports.map(({ name }) => ['lsp-del', name])]),
    },
  ];
}

const define = (peer: OvnSide, ports: readonly PortPlan[]): Promise<void> =>
  peer.commit([...definePorts(ports), members(ports)]);

const members = (more: readonly PortPlan[]): readonly string[] => [
  'pg-set-ports',
  GROUP,
  ...[...portsOf(HOSTS, PORTS_EACH), ...more].map((p) => p.name),
];

async function compare(
  sides: readonly [Side, Side],
  { count, times, warmUp }: Size,
): Promise<readonly Figure[]> {
  const taken: number[][] = [[], []];
  for (let n = 0; n < warmUp + times; n++)
    for (const i of n % 2 === 0 ? [0, 1] : [1, 0]) {
      const ms = await once(sides[i]!, newPorts(n, count));
      if (n >= warmUp) taken[i]!.push(ms);
    }
  const what = `${count === 1 ? 'a new port' : `${count} new ports`}, plugged to flows installed`;
  const figures = sides.map(({ name }, i): Figure => ({
    bench: 'bind',
    what: `${what}: ${name}`,
    unit: 'ms',
    spread: spread(taken[i]!),
  }));
  return [...figures, ratioOf('bind', `${what}: ours ÷ OVN`, figures[0]!.spread, figures[1]!.spread)];
}

async function once({ plugger, prepare, forget }: Side, ports: readonly PortPlan[]): Promise<number> {
  await prepare(ports);
  const ms = await plugger.plug(ports);
  await plugger.unplug(ports);
  await forget(ports);
  return ms;
}

/** Others each time: who comes and goes often is held to flap. */
function newPorts(n: number, count: number): PortPlan[] {
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  return Array.from({ length: count }, (_, i) => ({
    name: `new-${count}-${n}-${i}`,
    host: HOSTS[0]!,
    device: `new${i}`,
    mac: `02:00:0${count === 1 ? 1 : 2}:${hex(n)}:00:${hex(i)}`,
    ip: `10.9.${n}.${i + 1}`,
  }));
}
