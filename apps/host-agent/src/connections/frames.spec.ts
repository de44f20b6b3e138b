import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MOST_CONNECTIONS, parseConnections, type CarriedConnection } from '#contracts';
import { type KeepsState } from '#compiler';
import { checksum, pseudoHeader } from '../frames/checksum.js';
import { portsOf, readHead } from '../rules/frame.js';
import { beginningOf } from './frames.js';
import { keyOf, toldOf } from './told.js';

const STATE: KeepsState = {
  ...{ zone: 0x8001, mac: 0x020000000001n, segment: 10, addresses: null },
  marks: { in: [5], out: [7] },
};
const UDP: CarriedConnection = {
  ...{ way: 'in', protocol: 17, src: '10.0.0.1', dst: '10.0.0.2', srcPort: 7, dstPort: 53 },
};
const TCP6: CarriedConnection = {
  ...{ way: 'out', protocol: 6, src: '2001:db8::2', dst: '2001:db8::1', srcPort: 9, dstPort: 443 },
};

describe('a connection that another host tells of', () => {
  it('becomes the frame that began it, with right checksums', () => {
    for (const told of [UDP, TCP6]) {
      const begun = beginningOf(told, STATE);
      for (const frame of [begun?.first ?? new Uint8Array(), ...(begun?.then ?? [])]) {
        const head = readHead(frame);
        const ip = head?.ip;
        if (ip === null || ip === undefined) throw new Error('no IP packet');
        const ends = Uint8Array.of(...ip.src, ...ip.dst);
        expect(checksum(pseudoHeader(ends, ip.length, ip.protocol), frame.subarray(ip.above))).toBe(0);
        expect([head?.src, head?.dst]).toContain(STATE.mac);
      }
      const first = begun?.first ?? new Uint8Array();
      const ip = readHead(first)?.ip;
      expect(ip && portsOf(first, ip)).toEqual({ srcPort: told.srcPort, dstPort: told.dstPort });
      expect(readHead(first)?.[told.way === 'in' ? 'src' : 'dst']).toBe(STATE.mac);
    }
    expect(beginningOf(UDP, STATE)?.then).toEqual([]);
    expect(beginningOf(TCP6, STATE)?.then).toHaveLength(2);
    expect(beginningOf({ ...TCP6, opening: true }, STATE)?.then).toEqual([]);
  });

  it('is none if it makes no sense, or the guest may not have its address', () => {
    const { srcPort: _, ...portless } = UDP;
    const senseless: CarriedConnection[] = [
      portless,
      { ...UDP, dst: '2001:db8::1' },
      { ...UDP, src: '10.0.0.256' },
      { ...UDP, dst: '224.0.0.1' },
      { ...UDP, dst: '255.255.255.255' },
      { ...TCP6, src: 'ff02::1' },
      { ...UDP, protocol: 1 },
      { ...UDP, protocol: 58, icmp: { id: 1, type: 128, code: 0 } },
    ];
    expect(senseless.filter((told) => beginningOf(told, STATE) !== null)).toEqual([]);
    const only = (...addresses: string[]) => ({ ...STATE, addresses });
    expect(beginningOf(UDP, only('10.0.0.0/30', '2001:db8::/64'))).not.toBeNull();
    expect(beginningOf(UDP, only('10.0.0.2/32', '2001:db8::/64'))).toBeNull();
    expect(beginningOf(TCP6, only('2001:db8::1/128'))).not.toBeNull();
    expect(beginningOf(TCP6, only('2001:db8::2/128'))).toBeNull();
  });

  it('may be anything that the wire lets through, and only ever speaks for the port', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f.:]{2,45}$/));
    const number = fc.integer({ min: 0, max: 65_535 });
    const octet = fc.integer({ min: 0, max: 255 });
    const connection = fc.record(
      {
        ...{ way: fc.constantFrom('in', 'out'), protocol: fc.oneof(octet, fc.constantFrom(1, 6, 17, 58)) },
        ...{ src: address, dst: address, srcPort: number, dstPort: number },
        icmp: fc.record({ id: number, type: octet, code: octet }),
        opening: fc.constant(true),
      },
      { requiredKeys: ['way', 'protocol', 'src', 'dst'] },
    );
    fc.assert(
      fc.property(connection, (one) => {
        const text = JSON.stringify({ schema: 1, port: 'p1', epoch: 2, known: [one], gone: [] });
        const message = parseConnections(text);
        if (!message.ok) return;
        for (const told of message.value.known) {
          const begun = beginningOf(told, STATE);
          if (begun === null) continue;
          const head = readHead(begun.first);
          expect(told.way === 'in' ? head?.src : head?.dst).toBe(STATE.mac);
        }
      }),
    );
    const many = Array.from({ length: MOST_CONNECTIONS + 1 }, () => UDP);
    const flood = JSON.stringify({ schema: 1, port: 'p1', epoch: 2, known: many, gone: [] });
    expect(parseConnections(flood).ok).toBe(false);
  });
});

describe('a connection of a port that leaves', () => {
  const original = { family: 4, src: 0x0a000001n, dst: 0x0a000002n, srcPort: 7, dstPort: 53 } as const;

  it('is told by who began it, and not if no rule speaks for it or it is over', () => {
    const one = { protocol: 6, original, mark: 5, phase: 'open' } as const;
    expect(toldOf({ ...one, protocol: 17 }, STATE)).toEqual(UDP);
    expect(toldOf({ ...one, mark: 7, phase: 'opening' }, STATE)).toMatchObject({ way: 'out', opening: true });
    expect(toldOf({ ...one, mark: 9 }, STATE)).toBeNull();
    expect(toldOf({ ...one, phase: 'over' }, STATE)).toBeNull();
    expect(toldOf({ ...one, protocol: 132 }, STATE)).toBeNull();
  });

  it('is the same one, however far it is', () => {
    expect(keyOf(TCP6)).toBe(keyOf({ ...TCP6, opening: true }));
    expect(keyOf(UDP)).not.toBe(keyOf({ ...UDP, way: 'out' }));
  });
});
