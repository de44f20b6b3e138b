import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeBytes, type CarriedConnection, type ConnectionsMessage } from '#contracts';
import { packet, type PacketSpec } from '../../../../libs/compiler/src/scenario/packets.fixture.js';
import { AgentHost, mac, settle, type BindingSpec } from '../agent.fixture.js';
import { Arriving } from './arriving.js';
import { type ConnectionsChannel } from './channel.js';
import { MOST_OF_A_PORT } from './leaving.js';
import { connections } from './service.js';

const TOKEN = '03:00:00:00:00:99';
const rule = (name: string, direction: string, protocol: number, port: number) => ({
  ...{ name, direction, action: 'allow', tier: 1, enabled: true },
  match: { ipVersion: 4, ipProtocol: protocol, dstPort: { from: port, to: port } },
});
const ASKS = rule('asks', 'in', 17, 53);
const SERVES = rule('serves', 'out', 6, 443);
const filter = (...rules: object[]) => ({ filter: { stateful: true, default: 'drop', rules } as never });
const active: BindingSpec = { n: 1, override: filter(ASKS, SERVES) };
const armed: BindingSpec = { ...active, token: TOKEN };
const standby: BindingSpec = { ...armed, epoch: 2, role: 'standby' };
const KEY = 'p1@2';

/** One end of a channel: what was told by it, and what it hears. */
class End implements ConnectionsChannel {
  readonly told: ConnectionsMessage[] = [];
  #listener: (key: string, data: Uint8Array) => void = () => undefined;
  tell(message: ConnectionsMessage): void {
    this.told.push(message);
  }
  hear(listener: (key: string, data: Uint8Array) => void): () => void {
    this.#listener = listener;
    return () => (this.#listener = () => undefined);
  }
  async hears(data: Uint8Array, key = KEY): Promise<void> {
    this.#listener(key, data);
    for (let turn = 0; turn < 5; turn += 1) await settle();
  }
  async says(known: readonly CarriedConnection[], gone: readonly CarriedConnection[] = []): Promise<void> {
    await this.hears(encodeBytes({ schema: 1, port: 'p1', epoch: 2, known, gone } as never));
  }
}

const between = (from: number, to: number, more: Partial<PacketSpec> = {}): Uint8Array =>
  packet({
    from: mac(from),
    to: mac(to),
    src: `10.0.0.${from}`,
    dst: `10.0.0.${to}`,
    protocol: 'udp',
    ...more,
  });
const UDP: CarriedConnection = {
  ...{ way: 'in', protocol: 17, src: '10.0.0.1', dst: '10.0.0.2', srcPort: 9, dstPort: 53 },
};
const TCP: CarriedConnection = {
  ...{ way: 'out', protocol: 6, src: '10.0.0.2', dst: '10.0.0.1', srcPort: 8, dstPort: 443 },
};

describe('connections of a port that moves', () => {
  let host: AgentHost;
  let end: End;

  beforeEach(async () => {
    host = new AgentHost();
    end = new End();
    host.services = [connections(end)];
    await host.start();
  });

  afterEach(() => host.agent.close());

  const entered = (): string[] =>
    host.switch.conntrack
      .all()
      .map(({ original: { protocol, srcPort }, replied }) => `${protocol} ${srcPort} ${replied}`);
  const frame = async (device: string, bytes: Uint8Array): Promise<void> => {
    host.switch.inject(device, bytes);
    await settle();
  };

  describe('at the host that it leaves', () => {
    beforeEach(async () => {
      await host.become(1, [active, { n: 2 }]);
      for (const n of [1, 2]) await host.plug(n);
      await frame('tap1', between(1, 2, { sport: 9, dport: 53 }));
    });

    const later = async (): Promise<void> => {
      host.clock.advance(1_000);
      await settle();
    };

    it('are told from when it is to leave, then what is new, and what is no more', async () => {
      expect(end.told).toEqual([]);
      await host.become(2, [armed, { n: 2 }]);
      expect(end.told).toEqual([{ schema: 1, port: 'p1', epoch: 2, known: [UDP], gone: [] }]);
      await later();
      expect(end.told).toHaveLength(1);
      await frame('tap2', between(2, 1, { protocol: 'tcp', sport: 8, dport: 443 }));
      await later();
      expect(end.told.slice(1)).toMatchObject([{ known: [{ ...TCP, opening: true }], gone: [] }]);
      await frame('tap1', between(1, 2, { protocol: 'tcp', sport: 443, dport: 8, flags: 20, ack: 101 }));
      await later();
      expect(end.told.slice(2)).toMatchObject([{ known: [], gone: [TCP] }]);
      await host.become(3, [active, { n: 2 }]);
      host.clock.advance(60_000);
      await settle();
      expect(end.told).toHaveLength(3);
    });

    it('are told all again now and then, and once more when it has gone', async () => {
      await host.become(2, [armed, { n: 2 }]);
      host.clock.advance(10_000);
      await settle();
      expect(end.told.slice(1)).toMatchObject([{ known: [UDP] }]);
      await frame('tap1', between(1, 2, { sport: 10, dport: 53 }));
      const turns = Buffer.alloc(60);
      turns.write(TOKEN.replaceAll(':', '') + mac(1).replaceAll(':', ''), 0, 'hex');
      await frame('eth0', new Uint8Array(turns));
      expect(end.told.slice(2)).toMatchObject([{ known: [{ ...UDP, srcPort: 10 }] }]);
      host.clock.advance(60_000);
      await settle();
      expect(end.told).toHaveLength(3);
    });
  });

  describe('at the host that it comes to', () => {
    const arrives = (): Promise<void> => host.become(1, [standby]);

    it('are entered before the guest is there, and nothing leaves or is counted for it', async () => {
      await arrives();
      await end.says([UDP, TCP, { ...TCP, srcPort: 7, opening: true }]);
      expect(entered()).toEqual(['17 9 false', '6 8 true', '6 7 false']);
      expect(host.out).toEqual([]);
      const [counted] = (await host.agent.checkpoint()).counters;
      expect(counted?.raw.in.unicast).toEqual({ packets: 0, bytes: 0 });
      expect(counted?.dropped).toEqual({ in: 0, out: 0 });
      await end.says([], [TCP]);
      expect(host.switch.conntrack.all()[1]?.ended).toEqual({ original: true, reply: true });
    });

    it('are not, if no rule here lets them begin, whatever the other host says', async () => {
      await arrives();
      await end.says([
        { ...UDP, dstPort: 54 },
        { ...UDP, way: 'out' },
        { ...TCP, way: 'in' },
        { ...UDP, protocol: 47 },
        { ...UDP, src: '10.0.0.256' },
      ]);
      expect(entered()).toEqual([]);
      for (let i = 0; i < 3; i += 1) await end.hears(new TextEncoder().encode('{"schema":1'));
      await end.says([UDP]);
      await end.hears(
        encodeBytes({ schema: 1, port: 'p1', epoch: 2, known: [TCP], gone: [] } as never),
        'p9@2',
      );
      expect(entered()).toEqual(['17 9 false']);
      expect(host.warnings).toEqual(Array(2).fill('what another host said of connections makes no sense'));
    });

    it('are entered by rules on the other end: its MAC, or that it is of a set of ports', async () => {
      const from = (match: object) => filter({ ...SERVES, match: { ...SERVES.match, ...match } });
      const all: [rule: object, members: number[], is: string[]][] = [
        [{ srcMac: mac(7) }, [], ['6 8 true']],
        [{ srcMac: '02:00:00:00:00:00/ff:00:00:00:00:00' }, [], ['6 8 true']],
        [{ srcSet: 'peers' }, [7, 8], ['6 8 true']],
        [{ srcSet: 'peers' }, [], []],
        // It is the port itself that is to be of them.
        [{ dstSet: 'peers' }, [7], []],
      ];
      let revision = 0;
      for (const [match, members, is] of all) {
        await host.become((revision += 1), [{ ...standby, override: from(match) }], { peers: members });
        await end.says([TCP]);
        expect(entered()).toEqual(is);
        await host.become((revision += 1), []);
      }
    });

    it('wait for the port, and are asked anew of other rules', async () => {
      await end.says([UDP, TCP]);
      expect(entered()).toEqual([]);
      await host.become(1, [{ ...standby, override: filter(ASKS) }]);
      for (let turn = 0; turn < 5; turn += 1) await settle();
      expect(entered()).toEqual(['17 9 false']);
      await host.become(2, [standby]);
      for (let turn = 0; turn < 5; turn += 1) await settle();
      expect(entered()).toEqual(['17 9 false', '6 8 true']);
    });

    it('go again with a standby that is revoked', async () => {
      await arrives();
      await end.says([UDP, TCP]);
      await host.become(2, []);
      expect(entered()).toEqual([]);
    });

    it('are no more than a port may have', async () => {
      await arrives();
      const [binding] = host.agent.compiled?.bindings ?? [];
      let sent = 0;
      const packetOut = (_: string, __: object, ...frames: Uint8Array[]) =>
        Promise.resolve(void (sent += frames.length));
      const driver = { packetOut } as never;
      const arriving = new Arriving({ driver, clock: host.clock, log: console });
      if (binding !== undefined) arriving.at(binding, { in: [], out: [] });
      const one = (n: number): CarriedConnection => ({
        ...UDP,
        srcPort: n % 65_536,
        dst: `10.0.${n >> 8}.9`,
      });
      for (let at = 0; at < MOST_OF_A_PORT + 1_000; at += 500)
        arriving.hear({ known: Array.from({ length: 500 }, (_, i) => one(at + i)), gone: [] } as never);
      for (let turn = 0; turn < 50; turn += 1) await settle();
      expect(sent).toBe(MOST_OF_A_PORT);
    });
  });
});
