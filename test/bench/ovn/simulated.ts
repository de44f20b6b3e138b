import { Lab } from '../../lab/net.js';
import { DEVICE } from '../scale/plan.js';
import { withCluster } from '../support/cluster.js';
import { whenEnded } from '../support/ending.js';
import { needing, type Figure } from '../support/figure.js';
import { alone, compare, type Round } from './compare.js';
import { OurHosts } from './our-hosts.js';
import { OurSide } from './our-side.js';
import { OvnSide } from './ovn-side.js';

interface Size {
  readonly hosts: number;
  readonly ports: number;
  readonly times: number;
  /** OVN 25.03 on a machine of this kind, for one rule, ms: it is not in Debian. */
  readonly newer?: number;
}

const SIZES: readonly Size[] = [
  { hosts: 10, ports: 1_000, times: 20, newer: 66 },
  { hosts: 50, ports: 1_000, times: 10 },
  { hosts: 10, ports: 10_000, times: 10, newer: 573 },
];
const MOST = 0.1;
/** As `10x1000`, hosts and ports: only this size. */
const ASKED = process.env['PORTOLAN_BENCH_SIZE'];

/**
 * Many ports on switches without a data plane. OVN's hosts are each an ovn-controller, an ovsdb-server and an
 * ovs-vswitchd with dummy devices, which does take in all flows. Ours are each an agent with a simulated switch, several
 * to a process. Both centres are whole and run as in production.
 */
export const ovnSimulated = needing('ovn', async (say) => {
  say('OVN: all processes of production, dummy devices; ours: agents share processes, simulated switches');
  const figures: Figure[] = [];
  for (const size of SIZES)
    if (ASKED === undefined || ASKED === `${size.hosts}x${size.ports}`)
      figures.push(...(await onSize(size, say)));
  return figures;
});

async function onSize(size: Size, say: (line: string) => void): Promise<readonly Figure[]> {
  const names = Array.from({ length: size.hosts }, (_, i) => `h${i}`);
  const portsEach = size.ports / size.hosts;
  const lab = await Lab.create({ hosts: names, uplinks: 0, switchOptions: ['--enable-dummy=override'] });
  const settled = whenEnded(() => lab.destroy());
  try {
    const begun = performance.now();
    const peer = await startPeer(lab, names, portsEach, say);
    if (peer !== null) say(`OVN: ${size.ports} ports on ${size.hosts} hosts up after ${seconds(begun)}`);
    try {
      return await withOurs(names, portsEach, say, (side) => measure(side, peer, size, say));
    } finally {
      await peer?.stop();
    }
  } finally {
    settled();
    await lab.destroy();
  }
}

/** Null: it did not come up, which is said, and ours is measured alone. */
async function startPeer(
  lab: Lab,
  names: readonly string[],
  portsEach: number,
  say: (line: string) => void,
): Promise<OvnSide | null> {
  try {
    return await OvnSide.start(lab, names, portsEach, false, say);
  } catch (cause) {
    say(`OVN did not come up, so there is nothing to compare with: ${String(cause)}`);
    return null;
  }
}

function withOurs<T>(
  names: readonly string[],
  portsEach: number,
  say: (line: string) => void,
  work: (side: OurSide) => Promise<T>,
): Promise<T> {
  return withCluster({ say, hosts: () => [], accounts: names }, async (it) => {
    const begun = performance.now();
    await OurSide.define(it, names, DEVICE, portsEach);
    const server = `nats://127.0.0.1:${it.cluster.options.ports.nats}`;
    const shapes = names.map((name, number) => ({ name, number }));
    const hosts = await OurHosts.start({ home: it.home, server, portsEach, hosts: shapes });
    const side = new OurSide(it, names, portsEach, hosts.pids);
    try {
      await side.connected(names.length * portsEach);
      say(`ours: ${names.length * portsEach} ports on ${names.length} hosts up after ${seconds(begun)}`);
      return await work(side);
    } finally {
      side.close();
      await hosts.stop();
    }
  });
}

async function measure(
  side: OurSide,
  peer: OvnSide | null,
  { hosts, ports, times, newer }: Size,
  say: (line: string) => void,
): Promise<readonly Figure[]> {
  const rounds: readonly Round[] = [
    { change: 'rule', warmUp: 2, ourWarmUp: ports > 1_000 ? 40 : 100, times },
    { change: 'portRule', warmUp: 2, ourWarmUp: 30, times: 10 },
    { change: 'eachRule', warmUp: 1, ourWarmUp: ports > 1_000 ? 3 : 10, times: ports > 1_000 ? 5 : 10 },
  ];
  const figures: Figure[] = [];
  for (const round of rounds) {
    say(`${ports} ports on ${hosts} hosts: ${round.change}`);
    const where = `${ports} ports on ${hosts} hosts`;
    const found =
      peer === null
        ? await alone(side, round, where)
        : await compare(side, [{ side: peer, most: MOST }, { side: peer.byCommand }], round, where);
    const [ours, ...rest] = found;
    const isBelow = ours !== undefined && newer !== undefined && round.change === 'rule';
    const target = isBelow ? { text: `p50 < ${newer} (25.03)`, met: ours.spread.p50 < newer } : undefined;
    if (ours !== undefined) figures.push({ ...ours, ...(target && { target }) }, ...rest);
  }
  return figures;
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;
