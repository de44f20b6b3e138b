import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Lab, numbered, until, type LabVm } from '../../../../test/lab/net.js';
import { bridgeName } from '../bridge-name.js';
import { groupDoc, mac, switchDoc, type HostSpec } from '../documents.fixture.js';
import { realHost, type RealHost } from './real-host.fixture.js';

/** Three standard switches of one host: one with an uplink, two without any. All of them untagged. */
const NAMES = ['lan', 'inside', 'apart'] as const;
const standard = (name: string, uplinks: string[]) => ({
  ...switchDoc(name, uplinks),
  kind: 'standard' as const,
});
const PORTS = [
  { n: 1, switch: 'lan', group: 'g-lan' },
  { n: 2, switch: 'lan', group: 'g-lan' },
  { n: 3, switch: 'inside', group: 'g-inside' },
  { n: 4, switch: 'inside', group: 'g-inside' },
  // The same MAC once more: it belongs to a switch.
  { n: 5, switch: 'apart', group: 'g-apart', mac: mac(1) },
  { n: 6, switch: 'apart', group: 'g-apart' },
];
const spec = (ports: HostSpec['ports']): HostSpec => ({
  switches: { lan: { uplink1: 'up0' }, inside: {}, apart: {} },
  docs: [standard('lan', ['uplink1']), standard('inside', []), standard('apart', [])],
  groups: NAMES.map((name) => groupDoc(`g-${name}`, {}, name)),
  ports,
});

describe('standard switches of one host on Open vSwitch', () => {
  let lab: Lab;
  let host: RealHost;
  let wire: LabVm;
  const vms = new Map<number, LabVm>();
  const vm = (n: number): LabVm => vms.get(n) as LabVm;

  beforeAll(async () => {
    lab = await Lab.create({ hosts: ['a'] });
    host = await realHost(lab, 'a');
    await host.become(spec([]));
    for (const port of PORTS) {
      const { n, mac: own = mac(n) } = port;
      const bridge = bridgeName(port.switch);
      vms.set(n, await lab.addVm('a', { bridge, ...numbered(n), mac: own }));
    }
    wire = await lab.addOutsider({ name: 'wire', mac: mac(9), ip: '10.0.0.9' });
    await host.become(spec(PORTS));
  });

  afterAll(async () => {
    await host?.driver.close();
    await lab?.destroy();
  });

  const got = async (at: LabVm, from: LabVm, to?: 'broadcast') => (await at.receivedFrom(from, to)).unique;
  const reaches = (at: LabVm, from: LabVm, to?: 'broadcast') =>
    until('20 frames', async () => ((await got(at, from, to)) === 20 ? true : undefined));

  it('keeps broadcasts within each, and those of an internal one off the wire', async () => {
    expect(host.compiled.exceptions).toEqual([]);
    for (const from of [vm(1), vm(3), vm(6), wire])
      await from.send({ to: 'broadcast', count: 20, pps: 1_000 });
    await reaches(vm(2), vm(1), 'broadcast');
    await reaches(wire, vm(1), 'broadcast');
    await reaches(vm(4), vm(3), 'broadcast');
    await reaches(vm(5), vm(6), 'broadcast');
    await reaches(vm(2), wire, 'broadcast');
    const elsewhere = [
      [vm(1), [3, 4, 5, 6]],
      [vm(3), [1, 2, 5, 6]],
      [vm(6), [1, 2, 3, 4]],
      [wire, [3, 4, 5, 6]],
    ] as const;
    for (const [from, others] of elsewhere)
      for (const n of others) expect([n, await got(vm(n), from, 'broadcast')]).toEqual([n, 0]);
    expect([await got(wire, vm(3), 'broadcast'), await got(wire, vm(6), 'broadcast')]).toEqual([0, 0]);
  });

  it('knows a MAC by its switch: who has it in one is not reached from another', async () => {
    for (const from of [vm(2), vm(4), vm(6)]) await from.send({ to: vm(1), count: 20, pps: 1_000 });
    await reaches(vm(1), vm(2));
    // To the same address there.
    await until('20 frames', async () => ((await vm(5).received()).frames >= 40 ? true : undefined));
    expect([await got(vm(1), vm(4)), await got(vm(1), vm(6)), await got(wire, vm(4))]).toEqual([0, 0, 0]);
  });
});
