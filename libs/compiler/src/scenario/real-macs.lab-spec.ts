import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { mac, TOKEN, type HostSpec, type PortSpec } from '../documents.fixture.js';
import { ALLOWED, CASES } from './address-cases.fixture.js';
import { arp } from './addresses.fixture.js';
import { BROADCAST_MAC, frame, rarp } from './frames.fixture.js';
import { hearing } from './hearing.fixture.js';
import { BRIDGE, realHost, type RealHost } from './real-host.fixture.js';

const VIRTUAL = '00:00:5e:00:01:0a';
const EXTRA = mac(50);
const policy = (override: object) => ({ override: override as never });
const shared = policy({ macs: { extra: [], shared: [VIRTUAL] } });
const checked = { n: 1, ...policy({ addresses: ALLOWED }) };
const OTHERS: readonly PortSpec[] = [
  { n: 2 },
  { n: 3, ...policy({ promiscuous: true }) },
  { n: 4, ...policy({ macChanges: true }) },
  { n: 5, ...shared },
  { n: 6, ...policy({ macs: { extra: [EXTRA], shared: [] } }) },
];
const AT_B: readonly PortSpec[] = [{ n: 11, ...shared }, { n: 12 }];
const host = (...ports: readonly PortSpec[]): HostSpec => ({ switches: { lan: { uplink1: 'up0' } }, ports });

/** Which MACs and addresses a guest may use, on real switches and over a wire. */
describe('MACs and addresses on Open vSwitch', () => {
  let lab: Lab;
  let a: RealHost;
  let b: RealHost;
  const vms = new Map<number, LabVm>();
  const vm = (n: number): LabVm => vms.get(n) as LabVm;
  const { hears, reaches } = hearing(vms);

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a', 'b'] });
    [a, b] = await Promise.all([realHost(lab, 'a'), realHost(lab, 'b')]);
    await Promise.all([a.become(host()), b.become(host())]);
    const add = async (at: string, n: number) => {
      vms.set(n, await lab.addVm(at, { bridge: BRIDGE, ...numbered(n) }));
    };
    for (const { n } of [checked, ...OTHERS]) await add('a', n);
    for (const { n } of AT_B) await add('b', n);
    await Promise.all([a.become(host(checked, ...OTHERS)), b.become(host(...AT_B))]);
  });

  afterAll(async () => {
    await a?.driver.close();
    await b?.driver.close();
    await lab?.destroy();
  });

  it('lets a guest use its own addresses only, and announce itself', async () => {
    expect([...a.compiled.exceptions, ...b.compiled.exceptions]).toEqual([]);
    const passes = CASES.flatMap(([, , pass], i) => (pass ? [i] : []));
    await hears(
      1,
      CASES.map(([, f]) => f),
      () => passes,
    );
  });

  it('delivers by MAC: to listeners what is for others, to who may change its MAC what is for nobody', async () => {
    await reaches(2, frame({ to: mac(6), from: mac(2) }), 3, 6);
    await reaches(12, frame({ to: mac(6), from: mac(12) }), 3, 6);
    await reaches(2, frame({ to: mac(99), from: mac(2) }), 3, 4);
    const forbidden = [
      frame({ to: '01:80:c2:00:00:00', from: mac(2), type: 0x0026 }),
      frame({ to: BROADCAST_MAC, from: mac(2), vlan: 100 }),
      frame({ to: BROADCAST_MAC, from: mac(9) }),
      frame({ to: BROADCAST_MAC, from: '03:00:00:00:00:09' }),
    ];
    const [before] = await a.counts(2);
    await hears(2, forbidden, () => []);
    const [after] = await a.counts(2);
    // What is dropped was sent, and counts, as does the last.
    expect(after.map((n, i) => n - (before[i] ?? 0))).toEqual([0, 1, 4]);
  });

  it('takes an extra MAC for the port, both ways', async () => {
    const both = [frame({ to: mac(12), from: EXTRA }), frame({ to: mac(12), from: mac(51) })];
    await hears(6, both, (n) => ([3, 4, 12].includes(n) ? [0] : []));
    await reaches(12, frame({ to: EXTRA, from: mac(12) }), 3, 6);
  });

  it('lets a shared MAC move between hosts with who uses it', async () => {
    // The wire brings a frame to the host that announced the MAC last; there, and at home, all that share it get it.
    for (const [master, fromA, fromB] of [
      [5, [3, 4, 5], [3, 4, 5, 11]],
      [11, [3, 4, 5, 11], [11]],
      [5, [3, 4, 5], [3, 4, 5, 11]],
    ] as const) {
      const announced = arp({ from: VIRTUAL, spa: '10.0.0.254', tpa: '10.0.0.254', reply: true });
      await reaches(master, announced, ...vms.keys());
      await reaches(2, frame({ to: VIRTUAL, from: mac(2) }), ...fromA);
      await reaches(12, frame({ to: VIRTUAL, from: mac(12) }), ...fromB);
    }
  });

  it('lets an arriving guest open its port by its announcement, though its addresses are checked', async () => {
    const arriving = { ...checked, role: 'standby', epoch: 2, token: TOKEN } as const;
    // It arrives where it was not: what it sent here a moment ago would open the port as the switch counts it.
    await a.become(host(...OTHERS));
    await a.become(host(arriving, ...OTHERS));
    const forged = CASES.flatMap(([, f, pass]) => (pass ? [] : [f]));
    const sent = async () => (await a.counts(1))[0].reduce((sum, n) => sum + n, 0);
    const before = await sent();
    for (const f of forged) await vm(1).sendRaw(f);
    await until('the forged frames to be counted', async () =>
      (await sent()) === before + forged.length ? true : undefined,
    );
    expect(await a.learned()).toBe(0);
    await vm(1).sendRaw(rarp(mac(1)));
    await until('the notice', async () => (a.notices.length > 0 ? true : undefined));
    expect(a.notices[0]).toMatchObject({ kind: 'activated', epoch: 2 });
  });
});
