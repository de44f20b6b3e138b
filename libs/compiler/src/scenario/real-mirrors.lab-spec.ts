import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Collector } from '../../../../test/lab/collector.js';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { diff } from '#openflow';
import { groupDoc, mac, switchDoc, type HostSpec } from '../documents.fixture.js';
import { IE, ipfixRecords, sflowSamples } from './datagrams.fixture.js';
import { MIRROR_VLAN, mirroredHost } from './mirrors.fixture.js';
import { BRIDGE, realHost, type RealHost } from './real-host.fixture.js';

const PPS = 1_000;
const COUNT = 100;
const switches = { lan: { uplink1: 'up0', uplink2: 'up1' } };
const LOOKING = 4;
const FAR = 6;

/** Frames of streams that a guest received, and their tags. */
const seen = async (vm: LabVm) => {
  const streams = Object.values((await vm.received()).streams);
  return {
    count: streams.reduce((n, s) => n + s.count, 0),
    tags: [...new Set(streams.flatMap((s) => s.vlans))],
  };
};

/** Who looks on, on real switches: by mirrors, and by collectors of IPFIX and sFlow. */
describe('mirrors and collectors on Open vSwitch', () => {
  let lab: Lab;
  let a: RealHost;
  let b: RealHost;
  let outsider: LabVm;
  const vms = new Map<number, LabVm>();
  const vm = (n: number): LabVm => vms.get(n) as LabVm;
  const all = () => [...vms.values(), outsider];
  const forget = async () => {
    await lab.host('a').drained('up0', 'up1');
    await lab.host('b').drained('up0', 'up1');
    await Promise.all(all().map((one) => one.resetReceived()));
  };
  const gets = (who: LabVm, count: number) =>
    until(`${count} frames at ${who.name}`, async () =>
      (await seen(who)).count >= count ? true : undefined,
    );
  const mirrored = (mirrors: readonly object[]): HostSpec => mirroredHost(mirrors, { switches });
  const atB: HostSpec = {
    ...mirrored([
      { sources: [{ uplink: 'uplink1', direction: 'in' }], to: { port: `p${FAR}` }, vlans: [MIRROR_VLAN] },
    ]),
    ports: [
      { n: FAR, group: 'look' },
      { n: 7, group: 'all' },
    ],
  };

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a', 'b'], uplinks: 2 });
    await lab.forgetMacs();
    [a, b] = await Promise.all([realHost(lab, 'a'), realHost(lab, 'b')]);
    await Promise.all([a.become({ ...mirrored([]), ports: [] }), b.become({ ...atB, ports: [] })]);
    for (const n of [1, 2, 3, 4, 5, FAR, 7]) {
      vms.set(n, await lab.addVm(n < FAR ? 'a' : 'b', { bridge: BRIDGE, ...numbered(n) }));
    }
    outsider = await lab.addOutsider({ name: 'out', mac: mac(99), ip: '10.0.0.99' });
    await Promise.all([
      a.become(mirrored([])),
      b.become({ ...atB, docs: [switchDoc('lan', ['uplink1', 'uplink2'])] }),
    ]);
  });

  afterAll(async () => {
    await a?.driver.close();
    await b?.driver.close();
    await lab?.destroy();
  });

  it('copies to a port what another sends and gets, cut, once, and holds nobody else up', async () => {
    const slow = { average: 8_000, peak: 8_000, burst: 2_000 };
    const spec = mirrored([
      { sources: [{ port: 'p1', direction: 'both' }], to: { port: `p${LOOKING}` }, snapLength: 64 },
      // A looker that is shaped to nothing takes nothing from the others.
      { sources: [{ port: 'p1', direction: 'both' }], to: { port: 'p5' } },
    ]);
    const ports = spec.ports.map((p) => (p.n === 5 ? { ...p, override: { shapingOut: slow } as never } : p));
    await a.become({ ...spec, ports });
    expect(a.compiled.exceptions).toEqual([]);
    await forget();
    const size = 300;
    await vm(1).send({ to: vm(2), count: COUNT, pps: PPS, size });
    await vm(2).send({ to: vm(1), count: COUNT, pps: PPS, size });
    await vm(3).send({ to: 'broadcast', count: 10, pps: PPS, size });
    await gets(vm(LOOKING), 2 * COUNT + 10);
    const { count, tags } = await seen(vm(LOOKING));
    expect([count, tags]).toEqual([2 * COUNT + 10, [null]]);
    expect((await vm(LOOKING).received()).bytes).toBe(64 * count);
    expect((await vm(2).receivedFrom(vm(1))).unique).toBe(COUNT);
    expect((await vm(1).receivedFrom(vm(2))).unique).toBe(COUNT);
    // What the looker was handed it counts.
    expect((await a.counts(LOOKING))[1]).toEqual([2 * COUNT, 0, 10]);
    expect((await a.dropped(LOOKING))[1]).toBe(0);
  });

  it('carries copies in a VLAN of their own to a port of another host, and to no other guest', async () => {
    const sources = [{ port: 'p1', direction: 'both' }];
    const to = { uplinks: ['uplink2', 'uplink1'], vlan: MIRROR_VLAN };
    await a.become(mirrored([{ sources, to }]));
    await b.become(atB);
    await forget();
    await vm(1).send({ to: vm(2), count: COUNT, pps: PPS });
    await vm(2).send({ to: vm(1), count: COUNT, pps: PPS });
    await gets(vm(FAR), 2 * COUNT);
    await gets(outsider, 2 * COUNT);
    expect(await seen(outsider)).toEqual({ count: 2 * COUNT, tags: [MIRROR_VLAN] });
    expect(await seen(vm(FAR))).toEqual({ count: 2 * COUNT, tags: [MIRROR_VLAN] });
    // Trunks of every VLAN, at both hosts; nor do copies that the fabric brings back to the other uplink reach anybody.
    for (const n of [3, 4, 5, 7]) expect([n, (await seen(vm(n))).count]).toEqual([n, 0]);
    expect((await seen(vm(2))).count).toBe(COUNT);
    // The first live uplink: here the second.
    await lab.host('a').setUplink('up1', 'down');
    await until('the link to be down', async () =>
      (await a.driver.interfaces()).find((i) => i.name === 'up1')?.linkUp === false ? true : undefined,
    );
    await lab.appctl('a', 'revalidator/wait');
    await vm(1).send({ to: vm(2), count: COUNT, pps: PPS });
    await gets(vm(FAR), 3 * COUNT);
    expect((await seen(vm(FAR))).count).toBe(3 * COUNT);
    await lab.host('a').setUplink('up1', 'up');
    // Also back to the uplink that brought the frame; the fabric brings it by the other one as well.
    await a.become(mirrored([{ sources, to: { uplinks: ['uplink1'], vlan: MIRROR_VLAN } }]));
    await forget();
    await outsider.send({ to: vm(1), count: COUNT, pps: PPS, vlan: 100 });
    await gets(vm(FAR), 2 * COUNT);
    expect(await seen(vm(FAR))).toEqual({ count: 2 * COUNT, tags: [MIRROR_VLAN] });
  });

  it('copies what an uplink takes and brings as it is on the wire', async () => {
    await a.become(
      mirrored([{ sources: [{ uplink: 'uplink1', direction: 'both' }], to: { port: `p${LOOKING}` } }]),
    );
    await forget();
    await vm(1).send({ to: outsider, count: 10, pps: PPS });
    await outsider.send({ to: vm(1), count: 10, pps: PPS, vlan: 100 });
    await gets(vm(LOOKING), 20);
    expect(await seen(vm(LOOKING))).toEqual({ count: 20, tags: [100] });
    expect((await seen(outsider)).count).toBe(10);
    // By both uplinks, from a fabric that brings everything everywhere.
    expect((await vm(1).receivedFrom(outsider)).unique).toBe(10);
  });

  it('tells a collector of what one port sends and gets, and another of all that passes', async () => {
    const { netns } = lab.host('a');
    const collectors = [4739, 6343].map((port) => new Collector(netns, '127.0.0.1', port));
    const [flows, frames] = collectors as [Collector, Collector];
    try {
      await Promise.all(collectors.map((c) => c.listens()));
      const doc = {
        ...switchDoc('lan', ['uplink1', 'uplink2']),
        ipfix: {
          collector: '127.0.0.1:4739',
          domain: 77,
          activeTimeout: 60,
          sampling: 1,
          internalOnly: false,
        },
        sflow: { collector: '127.0.0.1:6343', sampling: 1, pollingSeconds: 30, header: 128 },
      };
      const told = groupDoc('web', { vlan: { mode: 'access', id: 100 }, ipfix: true } as never);
      const spec = mirrored([]);
      const groups = [told, ...(spec.groups ?? []).slice(1)];
      const ports = spec.ports.map((p) => (p.n === 2 ? { ...p, override: { ipfix: false } } : p));
      const wanted = { ...spec, docs: [doc], groups, ports };
      await a.become(wanted);
      expect(a.compiled.exceptions).toEqual([]);
      await vm(1).send({ to: vm(2), count: COUNT, pps: PPS });
      await vm(2).send({ to: vm(1), count: COUNT, pps: PPS });
      await vm(3).send({ to: vm(2), count: COUNT, pps: PPS });
      const from = (n: number) => Buffer.from(mac(n).replaceAll(':', ''), 'hex');
      await until('samples of port 3', async () =>
        sflowSamples(frames.datagrams).some(({ head }) => head.subarray(6, 12).equals(from(3)))
          ? true
          : undefined,
      );
      expect(new Set(sflowSamples(frames.datagrams).map(({ rate }) => rate))).toEqual(new Set([1]));
      // Somebody takes the collector away: the difference is seen.
      await lab.vsctl('a', 'clear', 'Bridge', BRIDGE, 'sflow');
      await until('the change to be read', async () =>
        diff(a.compiled.state, await a.driver.read()).bridges.some((p) => p.exports !== undefined)
          ? true
          : undefined,
      );
      await a.become(wanted);
      expect(await lab.vsctl('a', 'get', 'Bridge', BRIDGE, 'sflow')).not.toContain('[]');
      // Flows that are put together are told when the collector goes, or after a time.
      await a.become({
        ...wanted,
        docs: [switchDoc('lan', ['uplink1', 'uplink2'])],
        groups: spec.groups ?? [],
      });
      const records = await until('records of the flows', async () => {
        const found = ipfixRecords(flows.datagrams).filter(({ values }) => values.has(IE.source));
        return found.length >= 2 ? found : undefined;
      });
      const rows = records.map(({ domain, values }) => [
        domain,
        values.get(IE.source)?.toString('hex'),
        values.get(IE.point)?.readUInt32BE(0),
        values.get(IE.direction)?.readUInt8(0),
      ]);
      // Port 1 alone: 0 is what it sent, 1 what it got.
      expect(rows.sort((x, y) => Number(x[3]) - Number(y[3]))).toEqual([
        [77, from(1).toString('hex'), 1, 0],
        [77, from(2).toString('hex'), 1, 1],
      ]);
    } finally {
      await Promise.all(collectors.map((c) => c.stop()));
    }
  });
});
