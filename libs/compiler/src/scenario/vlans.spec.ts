import { beforeEach, describe, expect, it } from '@jest/globals';
import { compile } from '../compile.js';
import { desiredOf, factsOf, groupDoc, mac, switchDoc, TOKEN, type HostSpec } from '../documents.fixture.js';
import { BROADCAST_MAC, frame, rarp, vlanOf } from './frames.fixture.js';
import { ALL, AT, hears, MAP, privateHost } from './private-vlan.fixture.js';
import { join, ManualClock, TestHost } from './world.fixture.js';

const vlan = (policy: object) => ({ vlan: policy }) as never;
const trunk = { mode: 'trunk', ranges: [{ from: 90, to: 110 }] };

describe('VLANs of ports', () => {
  let a: TestHost;
  let b: TestHost;

  beforeEach(() => {
    const clock = new ManualClock();
    a = new TestHost('h1', clock);
    b = new TestHost('h2', clock);
    join([a, b]);
  });

  describe('a native VLAN on a trunk', () => {
    const groups = (native: number) => [
      groupDoc('web', vlan({ mode: 'access', id: 100 })),
      groupDoc('own', vlan({ mode: 'access', id: 7 })),
      groupDoc('trunk', vlan({ ...trunk, native })),
    ];

    it('takes untagged frames for it and gives it out untagged, on one host and over the wire', async () => {
      await a.become({
        groups: groups(7),
        ports: [{ n: 1, group: 'own' }, { n: 2, group: 'trunk' }, { n: 3 }],
      });
      await b.become({
        groups: groups(7),
        ports: [
          { n: 4, group: 'trunk' },
          { n: 5, group: 'own' },
        ],
      });
      a.send(2, frame({ to: BROADCAST_MAC, from: mac(2) }));
      a.send(2, frame({ to: mac(4), from: mac(2) }), frame({ to: mac(4), from: mac(2), vlan: 100 }));
      expect([1, 3].map((n) => a.got(n).length)).toEqual([1, 0]);
      expect(a.wire().map(vlanOf)).toEqual([7, 7, 100]);
      expect(b.got(4).map(vlanOf)).toEqual([undefined, undefined, 100]);
      expect(b.got(5).length).toBe(1);
      a.forget();
      a.send(1, frame({ to: mac(2), from: mac(1) }));
      a.send(3, frame({ to: mac(2), from: mac(3) }));
      expect(a.got(2).map(vlanOf)).toEqual([undefined, 100]);
    });

    it('takes its tag only where the ranges hold it too', async () => {
      const send = async (native: number) => {
        a.forget();
        await a.become({ groups: groups(native), ports: [{ n: 2, group: 'trunk' }] });
        a.send(2, frame({ to: BROADCAST_MAC, from: mac(2), vlan: native }));
        return a.wire().map(vlanOf);
      };
      expect([await send(7), await send(100)]).toEqual([[], [100]]);
    });

    it('lets the untagged announcement of an arriving guest open its port', async () => {
      const arriving = { n: 2, group: 'trunk', role: 'standby', epoch: 2, token: TOKEN } as const;
      await a.become({ groups: groups(7), ports: [arriving] });
      a.send(2, rarp(mac(2)));
      expect(a.wire().map(vlanOf)).toEqual([7, 7]);
    });
  });

  describe('private VLANs', () => {
    const place = (n: number): TestHost => (n in AT.a ? a : b);

    it.each([
      ['broadcast', () => BROADCAST_MAC],
      ['unicast', (n: number) => mac(n)],
    ])('let each port hear exactly whom it may, by %s, within a host and across', async (_what, to) => {
      await a.become(privateHost('a', { uplink1: 'eth0' }));
      await b.become(privateHost('b', { uplink1: 'eth0' }));
      expect([...a.compiled.exceptions, ...b.compiled.exceptions]).toEqual([]);
      for (const from of ALL) {
        a.forget();
        b.forget();
        const dsts = new Set(ALL.filter((n) => n !== from).map(to));
        for (const dst of dsts) place(from).send(from, frame({ to: dst, from: mac(from) }));
        for (const n of ALL) {
          const got = place(n).got(n);
          expect([from, n, got.length]).toEqual([from, n, hears(n, from) ? 1 : 0]);
          expect(got.map(vlanOf).every((tag) => tag === undefined)).toBe(true);
        }
      }
    });

    it('bear the tag of the secondary on the wire, and promiscuous ports that of the primary', async () => {
      await a.become(privateHost('a', { uplink1: 'eth0' }));
      for (const n of [1, 2, 4, 6]) a.send(n, frame({ to: mac(99), from: mac(n) }));
      expect(a.wire().map(vlanOf)).toEqual([100, 101, 102, 103]);
    });

    it('know whom they hear also of promiscuous listeners and of what a filter lets through', async () => {
      const spec = privateHost('a', { uplink1: 'eth0' });
      const filter = [{ name: 'r', direction: 'out', action: 'drop', match: { etherType: 0x0806 } }];
      const ports = spec.ports.map((p) =>
        p.n === 3 ? { ...p, override: { promiscuous: true, filter } as never } : p,
      );
      await a.become({ ...spec, ports });
      a.send(2, frame({ to: mac(1), from: mac(2) }));
      a.send(1, frame({ to: mac(2), from: mac(1) }), frame({ to: mac(2), from: mac(1), type: 0x0806 }));
      expect([a.got(1).length, a.got(2).length, a.got(3).length]).toEqual([1, 2, 1]);
    });

    it('take an access port in the primary for promiscuous, and no port into a secondary', async () => {
      const spec = (policy: object): HostSpec => ({
        docs: [{ ...switchDoc(), privateVlans: MAP }],
        groups: [groupDoc('web', vlan(policy)), ...(privateHost('a', {}).groups ?? [])],
        ports: [{ n: 9 }, { n: 2, group: 'alone' }, { n: 3, group: 'alone' }],
      });
      await a.become(spec({ mode: 'access', id: 100 }));
      a.send(9, frame({ to: BROADCAST_MAC, from: mac(9) }));
      a.send(2, frame({ to: BROADCAST_MAC, from: mac(2) }));
      expect([9, 2, 3].map((n) => a.got(n).length)).toEqual([1, 1, 1]);
      a.forget();
      await a.become(spec(trunk));
      a.send(9, frame({ to: BROADCAST_MAC, from: mac(9), vlan: 101 }));
      a.send(9, frame({ to: BROADCAST_MAC, from: mac(9), vlan: 100 }));
      expect(a.got(3).length).toBe(1);
      expect(a.wire().map(vlanOf)).toEqual([100]);
      for (const bad of [
        { mode: 'access', id: 101 },
        { ...trunk, native: 102 },
        { mode: 'private', primary: 100, secondary: 104 },
      ]) {
        const desired = desiredOf(spec(bad));
        const { exceptions } = compile(desired, factsOf(desired));
        expect(exceptions.map((e) => [e.port, e.code])).toEqual([['p9', 'vlan-private']]);
      }
    });
  });
});
