import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { groupDoc, mac, TOKEN, type HostSpec, type PortSpec } from '../documents.fixture.js';
import { rarp } from './frames.fixture.js';
import { ALL, AT, hears, privateHost } from './private-vlan.fixture.js';
import { BRIDGE, realHost, type RealHost } from './real-host.fixture.js';

const PPS = 200;
const BROADCASTS = 5;
const [TRUNK, OWN, MARK] = [21, 22, 23];
const OTHERS = [
  groupDoc('trunk', { vlan: { mode: 'trunk', ranges: [{ from: 200, to: 210 }], native: 7 } as never }),
  groupDoc('own', { vlan: { mode: 'access', id: 7 } as never }),
];
const host = (at: 'a' | 'b', ...more: PortSpec[]): HostSpec => {
  const spec = privateHost(at, { uplink1: 'up0' });
  return { ...spec, groups: [...(spec.groups ?? []), ...OTHERS], ports: [...spec.ports, ...more] };
};

/** What a guest may send and hear by its VLAN policy, on real switches and over a wire. */
describe('VLANs on Open vSwitch', () => {
  let lab: Lab;
  let a: RealHost;
  let b: RealHost;
  const vms = new Map<number, LabVm>();
  const vm = (n: number): LabVm => vms.get(n) as LabVm;
  const trunk: PortSpec = { n: TRUNK, group: 'trunk' };
  const atB = host('b', { n: OWN, group: 'own' }, { n: MARK, group: 'own' });
  const got = async (to: number, from: number, kind: 'me' | 'broadcast' = 'me') =>
    await vm(to).receivedFrom(vm(from), kind);
  const all = (what: string, count: number, to: number, from: number, kind: 'me' | 'broadcast' = 'me') =>
    until(what, async () => ((await got(to, from, kind)).unique === count ? true : undefined));

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a', 'b'] });
    [a, b] = await Promise.all([realHost(lab, 'a'), realHost(lab, 'b')]);
    await Promise.all([a.become({ ...host('a'), ports: [] }), b.become({ ...host('b'), ports: [] })]);
    const add = async (at: string, n: number) => {
      vms.set(n, await lab.addVm(at, { bridge: BRIDGE, ...numbered(n) }));
    };
    const plug = async (at: 'a' | 'b', ...more: number[]) => {
      for (const n of [...Object.keys(AT[at]).map(Number), ...more]) await add(at, n);
    };
    await plug('a', TRUNK);
    await plug('b', OWN, MARK);
    await Promise.all([a.become(host('a', trunk)), b.become(atB)]);
  });

  afterAll(async () => {
    await a?.driver.close();
    await b?.driver.close();
    await lab?.destroy();
  });

  it('lets each port of a private VLAN hear exactly whom it may, within a host and across', async () => {
    expect([...a.compiled.exceptions, ...b.compiled.exceptions]).toEqual([]);
    await Promise.all(
      ALL.map(async (from) => {
        for (const to of ALL) if (to !== from) await vm(from).send({ to: vm(to), count: 1, pps: PPS });
        await vm(from).send({ to: 'broadcast', count: BROADCASTS, pps: PPS });
      }),
    );
    const pairs = ALL.flatMap((to) => ALL.map((from) => [to, from] as const)).filter(([to, f]) => to !== f);
    for (const [to, from] of pairs) {
      if (!hears(to, from)) continue;
      await all(`${to} to hear ${from}`, 1, to, from);
      await all(`${to} to hear the broadcasts of ${from}`, BROADCASTS, to, from, 'broadcast');
    }
    const heard = await Promise.all(
      pairs.map(async ([to, from]) => {
        const [unicast, broadcast] = [await got(to, from), await got(to, from, 'broadcast')];
        return { to, from, counts: [unicast.count, broadcast.count] };
      }),
    );
    expect(heard).toEqual(
      pairs.map(([to, from]) => ({ to, from, counts: hears(to, from) ? [1, BROADCASTS] : [0, 0] })),
    );
  });

  it('gives a trunk its native VLAN without a tag, both ways over the wire', async () => {
    await vm(TRUNK).send({ to: vm(OWN), count: 20, pps: PPS });
    await vm(OWN).send({ to: vm(TRUNK), count: 20, pps: PPS });
    await all('frames from the trunk', 20, OWN, TRUNK);
    await all('frames to the trunk', 20, TRUNK, OWN);
    expect((await got(TRUNK, OWN)).vlans).toEqual([null]);
    expect((await b.counts(OWN, 'bytesIn'))[1][0]).toBe(20 * 60);
    await vm(TRUNK).send({ to: vm(OWN), count: 5, pps: PPS, vlan: 7 });
    await vm(TRUNK).send({ to: vm(OWN), count: 1, pps: PPS });
    await all('the one after the tagged', 21, OWN, TRUNK);
  });

  it('blocks a trunk in both directions, and a standby does not open while it is blocked', async () => {
    const blocked = { override: { blocked: true } };
    await a.become(host('a', { ...trunk, ...blocked }));
    const before = (await a.counts(TRUNK))[1];
    await vm(TRUNK).send({ to: vm(OWN), count: 5, pps: PPS });
    await vm(TRUNK).send({ to: 'broadcast', count: 5, pps: PPS, vlan: 200 });
    await vm(OWN).send({ to: 'broadcast', count: 5, pps: PPS });
    await all('broadcasts to another', 5, MARK, OWN, 'broadcast');
    expect((await got(OWN, TRUNK)).unique).toBe(21);
    expect((await a.counts(TRUNK))[1]).toEqual(before);
    const standby = { ...trunk, role: 'standby', epoch: 2, token: TOKEN } as const;
    await a.become(host('a', { ...standby, ...blocked }));
    const sent = (await a.counts(TRUNK))[0][2] ?? 0;
    await vm(TRUNK).sendRaw(rarp(mac(TRUNK)));
    await until('the announcement to be counted', async () =>
      (await a.counts(TRUNK))[0][2] === sent + 1 ? true : undefined,
    );
    expect(await a.learned()).toBe(0);
    // The native VLAN takes what a hypervisor announces, which is untagged.
    await a.become(host('a', standby));
    await vm(TRUNK).sendRaw(rarp(mac(TRUNK)));
    await until('the notice', async () => (a.notices.length > 0 ? true : undefined));
    expect(a.notices[0]).toMatchObject({ kind: 'activated', epoch: 2 });
    expect(await a.learned()).toBe(1);
  });
});
