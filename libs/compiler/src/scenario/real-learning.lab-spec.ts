import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Lab, until, type LabVm } from '../../../../test/lab/net.js';
import { groupDoc, mac, switchDoc, type HostSpec, type PortSpec } from '../documents.fixture.js';
import { TABLES } from '../pipeline/tables.js';
import { BROADCAST_MAC, frame } from './frames.fixture.js';
import { hearing } from './hearing.fixture.js';
import { BRIDGE, realHost, type RealHost } from './real-host.fixture.js';

const LEARNING = { limit: 2, atLimit: 'drop', ageSeconds: 300, floodUnknown: false } as const;
const learns = (more: object = {}) => ({ override: { macLearning: { ...LEARNING, ...more } } as never });
/** Behind the guests of ports that learn. */
const [ONE, TWO, THREE, FOUR, LAST] = [61, 62, 63, 64, 65].map(mac) as [
  string,
  string,
  string,
  string,
  string,
];
const teamed = (group: string, active: string[]) =>
  groupDoc(group, { vlan: { mode: 'access', id: 100 }, teaming: { active, standby: [] } } as never);
const UPLINKS = ['uplink1', 'uplink2'];
const host = (...ports: readonly PortSpec[]): HostSpec => ({
  switches: { lan: { uplink1: 'up0', uplink2: 'up1' } },
  docs: [switchDoc('lan', UPLINKS)],
  groups: [teamed('web', UPLINKS), teamed('second', [...UPLINKS].reverse())],
  ports,
});
const NESTED: PortSpec = { n: 1, ...learns() };
const AT_A: readonly PortSpec[] = [
  { n: 2, group: 'second' },
  { n: 3 },
  { n: 5, ...learns() },
  { n: 4, ...learns({ atLimit: 'flood', limit: 1, floodUnknown: true }) },
];
const AT_B: readonly PortSpec[] = [{ n: 11 }, { n: 12, ...learns() }];
const says = (from: string, to = BROADCAST_MAC) => frame({ from, to });

/** MACs behind a port, on real switches with two uplinks each into one segment. */
describe('MAC learning on Open vSwitch', () => {
  let lab: Lab;
  let a: RealHost;
  let b: RealHost;
  const vms = new Map<number, LabVm>();
  const { hears, reaches } = hearing(vms);
  /** Rows that lead to a port of the first host, as another program reads them. */
  const rows = async (n: number): Promise<number> => {
    const slot = a.compiled.bindings.find(({ port }) => port === `p${n}`)?.slot ?? 0;
    const dump = await lab.ofctl('a', 'dump-flows', BRIDGE, `table=${TABLES.LEARNED_DST}`);
    return dump.split('\n').filter((line) => line.includes(`set_field:0x${slot.toString(16)}->reg15`)).length;
  };

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a', 'b'], uplinks: 2 });
    [a, b] = await Promise.all([realHost(lab, 'a'), realHost(lab, 'b')]);
    await Promise.all([a.become(host()), b.become(host())]);
    const add = async (at: string, n: number) => {
      const options = { bridge: BRIDGE, name: `vm${n}`, mac: mac(n), ip: `10.0.0.${n}`, ifaceId: `if-${n}` };
      vms.set(n, await lab.addVm(at, options));
    };
    for (const { n } of [NESTED, ...AT_A]) await add('a', n);
    for (const { n } of AT_B) await add('b', n);
    await Promise.all([a.become(host(NESTED, ...AT_A)), b.become(host(...AT_B))]);
  });

  afterAll(async () => {
    await a?.driver.close();
    await b?.driver.close();
    await lab?.destroy();
  });

  it('brings answers to MACs behind a port to that port alone, and its broadcasts to each once', async () => {
    expect([...a.compiled.exceptions, ...b.compiled.exceptions]).toEqual([]);
    // Nobody knows it yet: it goes to who wants what is for nobody.
    await reaches(3, says(mac(3), ONE), 4);
    await reaches(1, says(ONE), 2, 3, 4, 5, 11, 12);
    await reaches(3, says(mac(3), ONE), 1);
    await reaches(11, says(mac(11), ONE), 1);
    await reaches(2, says(mac(2), ONE), 1);
    expect(await rows(1)).toBe(1);
  });

  it('learns as many as it may, and drops what is beyond or lets it pass', async () => {
    await reaches(1, says(TWO), 2, 3, 4, 5, 11, 12);
    await reaches(1, says(THREE));
    await reaches(1, says(ONE), 2, 3, 4, 5, 11, 12);
    await reaches(4, says(FOUR), 1, 2, 3, 5, 11, 12);
    // What is not learned is not known either when it comes back by the other uplink.
    await hears(4, [says(LAST)], (n) => (n === 2 ? [0, 0] : [0]));
    expect([await rows(1), await rows(4)]).toEqual([2, 1]);
    await reaches(3, says(mac(3), FOUR), 4);
  });

  it('follows a MAC to another port, here and on another host, and makes room', async () => {
    await reaches(5, says(TWO), 1, 2, 3, 4, 11, 12);
    await reaches(3, says(mac(3), TWO), 5);
    // The first one may meet the row yet, where it comes by the other uplink.
    await vms.get(12)?.sendRaw(says(ONE));
    await until('the row to go', async () => ((await rows(1)) === 0 ? true : undefined));
    await reaches(12, says(ONE), 1, 2, 3, 4, 5, 11);
    await reaches(11, says(mac(11), ONE), 12);
    await reaches(3, says(mac(3), ONE), 4, 12);
    // What was decided on already is learned, or forgotten, when the switch next looks at its statistics: here, now.
    await Promise.all(['a', 'b'].map((at) => lab.appctl(at, 'revalidator/purge')));
    await reaches(1, says(ONE), 2, 3, 4, 5, 11, 12);
    await reaches(11, says(mac(11), ONE), 1);
  });

  it('does not let it take the MAC of another port', async () => {
    await reaches(1, says(mac(3)), 2, 3, 4, 5, 11, 12);
    await reaches(2, says(mac(2), mac(3)), 3);
  });

  it('forgets who is silent, and everything where it is not to learn any more', async () => {
    await a.become(host({ n: 1 }, ...AT_A));
    expect(await rows(1)).toBe(0);
    await reaches(1, says(THREE));
    await a.become(host({ ...NESTED, ...learns({ ageSeconds: 3 }) }, ...AT_A));
    await vms.get(1)?.sendRaw(says(THREE));
    await until('the row', async () => ((await rows(1)) === 1 ? true : undefined));
    await until('the row to age', async () => ((await rows(1)) === 0 ? true : undefined));
    await reaches(3, says(mac(3), THREE), 4);
  });

  it('knows it at the host where the port goes on', async () => {
    await a.become(host(NESTED, ...AT_A));
    await reaches(1, says(ONE), 2, 3, 4, 5, 11, 12);
    await vms.get(1)?.moveTo('b', { rarps: 0 });
    await Promise.all([a.become(host(...AT_A)), b.become(host({ ...NESTED, epoch: 2 }, ...AT_B))]);
    await reaches(1, says(ONE), 2, 3, 4, 5, 11, 12);
    await reaches(11, says(mac(11), ONE), 1);
    await reaches(3, says(mac(3), ONE), 1, 4);
  });
});
