import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Addresses } from '#domain';
import { compile } from '../compile.js';
import { desiredOf, factsOf, mac, TOKEN, type HostSpec, type PortSpec } from '../documents.fixture.js';
import { advertise, arp, discover, ipv4, udp6 } from './addresses.fixture.js';
import { ALLOWED, CASES } from './address-cases.fixture.js';
import { BROADCAST_MAC, frame, rarp } from './frames.fixture.js';
import { join, ManualClock, settle, TestHost } from './world.fixture.js';

const VIRTUAL = '00:00:5e:00:01:0a';
const ports = (...list: PortSpec[]): HostSpec => ({ ports: list });
const macs = (extra: string[], shared: string[] = []) => ({ override: { macs: { extra, shared } } as never });
const addresses = (more: Partial<Addresses> = {}, others: object = {}) => ({
  override: { addresses: { ...ALLOWED, ...more }, ...others } as never,
});

describe('what a port may send as', () => {
  let a: TestHost;
  let b: TestHost;
  const sent = (f: Uint8Array): boolean => {
    a.forget();
    a.send(1, f);
    return a.got(2).length === 1;
  };

  beforeEach(() => {
    const clock = new ManualClock();
    a = new TestHost('h1', clock);
    b = new TestHost('h2', clock);
    join([a, b]);
  });

  describe('addresses', () => {
    it.each(CASES)('%s', async (_what, f, passes) => {
      await a.become(ports({ n: 1, ...addresses() }, { n: 2 }));
      expect(sent(f)).toBe(passes);
    });

    it('are not looked at where it is not asked for', async () => {
      await a.become(ports({ n: 1, ...addresses({ arp: false, nd: false, dhcp: false }) }, { n: 2 }));
      const foreign = { from: mac(1), sha: mac(7), spa: '10.0.0.9', tpa: '10.0.0.9' };
      expect(sent(arp(foreign))).toBe(true);
      expect(sent(advertise({ from: mac(1), src: 'fe80::1', target: 'fe80::9', options: [mac(7)] }))).toBe(
        true,
      );
      expect(sent(discover(mac(1)))).toBe(false);
      expect(sent(ipv4(mac(1), '10.0.0.9'))).toBe(false);
    });

    it('may be all of a kind, and none of another', async () => {
      await a.become(ports({ n: 1, ...addresses({ allow: ['0.0.0.0/0', '10.0.0.0/8'] }) }, { n: 2 }));
      expect([ipv4(mac(1), '1.2.3.4'), udp6(mac(1), 'fe80::1')].map(sent)).toEqual([true, false]);
    });

    it('are held for MACs that a guest may forge, but not what it says of them', async () => {
      await a.become(ports({ n: 1, ...addresses({}, { forgedTransmits: true }) }, { n: 2 }));
      expect(sent(arp({ from: mac(9), spa: '10.0.0.1', tpa: '10.0.0.5' }))).toBe(true);
      expect(sent(arp({ from: mac(9), spa: '10.0.0.9', tpa: '10.0.0.5' }))).toBe(false);
    });

    it('that are none close the port', () => {
      const desired = desiredOf(ports({ n: 1, ...addresses({ allow: ['10.0.0.1/8'] }) }, { n: 2 }));
      const { exceptions } = compile(desired, factsOf(desired));
      expect(exceptions.map((e) => [e.port, e.code])).toEqual([['p1', 'addresses-invalid']]);
    });

    it('let the announcement of an arriving guest open its port', async () => {
      const arriving = { n: 1, role: 'standby', epoch: 2, token: TOKEN } as const;
      await a.become(ports({ ...arriving, ...addresses() }, { n: 2 }));
      expect(sent(ipv4(mac(1), '10.0.0.9'))).toBe(false);
      expect(sent(rarp(mac(1)))).toBe(true);
      await settle();
      expect(a.notices.map((n) => n.kind)).toEqual(['activated']);
    });
  });

  describe('MACs', () => {
    const [extra, foreign] = [mac(50), mac(51)];

    it('beside its own are its as well: to send, to get, and against what comes round', async () => {
      await a.become(ports({ n: 1, ...macs([extra]) }, { n: 2 }));
      await b.become(ports({ n: 3 }));
      expect([extra, mac(1), foreign].map((from) => sent(frame({ to: mac(2), from })))).toEqual([
        true,
        true,
        false,
      ]);
      a.forget();
      a.send(2, frame({ to: extra, from: mac(2) }));
      b.send(3, frame({ to: extra, from: mac(3) }));
      expect([a.got(1).length, a.wire().length]).toEqual([2, 0]);
      a.forget();
      for (const from of [extra, foreign]) a.switch.inject('eth0', frame({ to: mac(2), from, vlan: 100 }));
      expect(a.got(2).length).toBe(1);
    });

    it('that are shared reach all that share them, wherever, and move with who uses them', async () => {
      const sharing = macs([], [VIRTUAL]);
      await a.become(ports({ n: 1, ...sharing }, { n: 2 }, { n: 4, override: { promiscuous: true } }));
      await b.become(ports({ n: 3, ...sharing }, { n: 5 }));
      const from = [a, b].map((host, i) => () => {
        a.forget();
        b.forget();
        host.send(i === 0 ? 1 : 3, frame({ to: BROADCAST_MAC, from: VIRTUAL }));
        return [a.got(2).length, b.got(5).length];
      });
      expect(from.map((send) => send())).toEqual([
        [1, 1],
        [1, 1],
      ]);
      a.forget();
      b.forget();
      a.send(2, frame({ to: VIRTUAL, from: mac(2) }));
      b.send(5, frame({ to: VIRTUAL, from: mac(5) }));
      expect([a.got(1).length, a.got(4).length, b.got(3).length]).toEqual([2, 2, 2]);
      expect([a.got(2).length, b.got(5).length]).toEqual([0, 0]);
      a.send(2, frame({ to: mac(1), from: VIRTUAL }));
      expect(a.got(1).length).toBe(2);
    });

    it('of others are refused, unless both share them', () => {
      const conflicts = (first: PortSpec, second: PortSpec) => {
        const desired = desiredOf(ports(first, second));
        return compile(desired, factsOf(desired)).exceptions.map((e) => [e.port, e.code]);
      };
      const refused = [['p2', 'mac-conflict']];
      expect(conflicts({ n: 1, ...macs([extra]) }, { n: 2, ...macs([extra]) })).toEqual(refused);
      expect(conflicts({ n: 1, ...macs([mac(2)]) }, { n: 2 })).toEqual(refused);
      expect(conflicts({ n: 1 }, { n: 2, ...macs([], [mac(1)]) })).toEqual(refused);
      expect(conflicts({ n: 1, ...macs([], [VIRTUAL]) }, { n: 2, ...macs([], [VIRTUAL]) })).toEqual([]);
      expect(conflicts({ n: 1, ...macs([mac(1)], [mac(1)]) }, { n: 2 })).toEqual([]);
    });

    it('open an arriving port under any of them, and the former host knows it', async () => {
      await a.become(ports({ n: 1, token: TOKEN, ...macs([extra]) }));
      await b.become(ports({ n: 1, role: 'standby', epoch: 2, token: TOKEN, ...macs([extra]) }));
      b.send(1, frame({ to: BROADCAST_MAC, from: extra }));
      await settle();
      expect([a, b].flatMap((host) => host.notices.map((n) => n.kind))).toEqual(['turned', 'activated']);
    });
  });
});
