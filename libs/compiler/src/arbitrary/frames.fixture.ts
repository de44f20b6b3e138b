import fc from 'fast-check';
import { mac } from '../documents.fixture.js';
import { BROADCAST_MAC, frame, rarp } from '../scenario/frames.fixture.js';
import { packet, type PacketSpec } from '../scenario/packets.fixture.js';

/** A frame, and the device that it comes by. */
export interface Sent {
  readonly device: string;
  readonly frame: Uint8Array;
}

const PORTS = [1, 2, 3, 4, 5];
/** MACs that are extra or shared ones of some ports, and one that is somewhere beyond the uplinks. */
const OTHERS = [50, 51, 99];
const someone = fc.constantFrom(...PORTS, ...PORTS, ...OTHERS);
const vlan = fc.constantFrom(undefined, undefined, undefined, 0, 3, 100, 101, 102, 999);
const address = fc.constantFrom('10.1.2.3', '10.1.9.9', '10.9.9.9', '192.0.2.1', '0.0.0.0');
const protocol = fc.constantFrom('tcp' as const, 'udp' as const, 'icmp' as const);

const arp = (from: number, sender: string): number[] => [
  ...[0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, from],
  ...sender.split('.').map(Number),
  ...[0, 0, 0, 0, 0, 0, 10, 1, 2, 3],
];

/** By the port whose MAC it is, by another that forges it, or by the wire. */
const device = (from: number): fc.Arbitrary<string> =>
  fc.constantFrom(...Array.from({ length: 6 }, () => `tap${from > 5 ? 1 : from}`), 'tap2', 'eth0', 'eth1');

/** What has no connection: announcements, ARP, and what no rule names. */
const single: fc.Arbitrary<Sent> = someone.chain((from) =>
  fc
    .record({
      device: device(from),
      to: fc.oneof(someone.map(mac), fc.constantFrom(BROADCAST_MAC, '01:00:5e:01:02:03')),
      kind: fc.constantFrom('plain', 'arp', 'rarp'),
      vlan,
      address,
    })
    .map(({ kind, address: sender, vlan: id, to, device: by }) => {
      const tag = id === undefined ? {} : { vlan: id };
      if (kind === 'rarp') return { device: by, frame: rarp(mac(from)) };
      const payload = kind === 'arp' ? { type: 0x0806, payload: arp(from, sender) } : {};
      return { device: by, frame: frame({ to, from: mac(from), ...tag, ...payload }) };
    }),
);

/** A packet and what may be the answer to it. `turn`: begun anew under another port, where it has one. */
const exchange = fc
  .record({
    from: someone,
    to: someone,
    protocol,
    src: address,
    dst: address,
    dport: fc.constantFrom(22, 80, 40_000),
    vlan,
    dscp: fc.constantFrom(0, 0, 46),
  })
  .chain((p) =>
    fc.tuple(device(p.from), device(p.to)).map(([there, back]) => (turn: number): readonly Sent[] => {
      const tag = p.vlan === undefined ? {} : { vlan: p.vlan };
      const sport = 1_000 + turn;
      const { vlan: _, ...rest } = p;
      const asked: PacketSpec = { ...rest, ...tag, from: mac(p.from), to: mac(p.to), sport };
      const turned = { ...asked, from: asked.to, to: asked.from, src: p.dst, dst: p.src };
      const answer =
        p.protocol === 'icmp'
          ? { ...turned, sport: 0, dport: 0 }
          : { ...turned, sport: p.dport, dport: sport, flags: 18 };
      const ask = p.protocol === 'icmp' ? { ...asked, sport: 8, dport: 0 } : asked;
      return [
        { device: there, frame: packet(ask) },
        { device: back, frame: packet(answer) },
      ];
    }),
  );

/** What guests and the wire send, one round after the other: the same again, and as another conversation. */
export const traffic = fc
  .tuple(
    fc.array(single, { minLength: 4, maxLength: 10 }),
    fc.array(exchange, { minLength: 8, maxLength: 16 }),
  )
  .map(([singles, exchanges]) => (round: number): readonly Sent[] => [
    ...singles,
    ...exchanges.flatMap((turn) => (round === 0 ? turn(0) : [...turn(0), ...turn(round)])),
  ]);
