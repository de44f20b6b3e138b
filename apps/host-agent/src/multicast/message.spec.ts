import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readMessage } from './message.js';
import { igmp2, igmp3, igmpFrame, ip4, mld1, mld2, mldFrame } from './messages.fixture.js';
import { question } from './question.js';

const mac = '02:00:00:00:00:01';
const G = ip4('239.1.2.3');
const H = ip4('239.1.2.4');
const G6 = (0xff15n << 112n) | 7n;
const FROM = ip4('10.0.0.1');
const LINK = (0xfe80n << 112n) | 1n;
const NODES = (0xff02n << 112n) | 1n;
const report = (family: 4 | 6, joined: readonly bigint[], left: readonly bigint[] = []) =>
  ({ kind: 'report', family, joined, left }) as const;
const query = (family: 4 | 6, from: bigint, group: bigint | null) =>
  ({ kind: 'query', family, from, group }) as const;
const all: readonly [string, Uint8Array, ReturnType<typeof readMessage>][] = [
  ['a report of version 1', igmpFrame({ mac, to: G }, igmp2(0x12, G)), report(4, [G])],
  ['a report of version 2', igmpFrame({ mac, to: G, from: FROM }, igmp2(0x16, G)), report(4, [G])],
  ['a leave', igmpFrame({ mac, to: ip4('224.0.0.2') }, igmp2(0x17, G)), report(4, [], [G])],
  [
    'a report of version 3',
    igmpFrame(
      { mac, to: ip4('224.0.0.22') },
      igmp3([
        [4, G, 0],
        [3, H, 0],
        [1, G, 2],
        [5, H, 1],
        [6, G, 1],
      ]),
    ),
    report(4, [G, G, H], [H]),
  ],
  ['a question', igmpFrame({ mac, to: ip4('224.0.0.1'), from: FROM }, igmp2(0x11, 0n)), query(4, FROM, null)],
  ['one about a group', igmpFrame({ mac, to: G, from: FROM }, igmp2(0x11, G)), query(4, FROM, G)],
  ['our own', question(4, null, 1_000), query(4, 0n, null)],
  ['our own about a group', question(4, G, 1_000), query(4, 0n, G)],
  ['an IPv6 report', mldFrame({ mac, to: G6 }, mld1(131, G6)), report(6, [G6])],
  ['an IPv6 leave', mldFrame({ mac, to: G6 }, mld1(132, G6)), report(6, [], [G6])],
  ['an IPv6 question', mldFrame({ mac, to: NODES, from: LINK }, mld1(130, 0n)), query(6, LINK, null)],
  [
    'an IPv6 report of version 2',
    mldFrame(
      { mac, to: G6, from: 0n },
      mld2([
        [2, G6, 0],
        [3, G6 + 1n, 0],
        [1, G6 + 2n, 1],
      ]),
    ),
    report(6, [G6, G6 + 2n], [G6 + 1n]),
  ],
];

describe('what is said of multicast groups', () => {
  it.each(all)('reads %s', (_what, frame, message) => {
    expect(readMessage(frame)).toEqual(message);
  });

  it('reads our own questions for IPv6', () => {
    expect(readMessage(question(6, null, 1_000))).toMatchObject({ kind: 'query', family: 6, group: null });
    expect(readMessage(question(6, G6, 1_000))).toMatchObject({ kind: 'query', family: 6, group: G6 });
  });

  it.each([
    ['from another net', igmpFrame({ mac, to: G, ttl: 2 }, igmp2(0x16, G))],
    ['of no group', igmpFrame({ mac, to: G }, igmp2(0x16, FROM))],
    ['of an unknown kind', igmpFrame({ mac, to: G }, igmp2(0x20, G))],
    ['that ends in a record', igmpFrame({ mac, to: G }, igmp3([[4, G, 0]]).slice(0, -1))],
    ['with fewer records than it says', igmpFrame({ mac, to: G }, [0x22, 0, 0, 0, 0, 0, 0, 9])],
    ['that asks all and goes to a few', igmpFrame({ mac, to: G, from: FROM }, igmp2(0x11, 0n))],
    ['that asks all nodes and goes to a few', mldFrame({ mac, to: G6, from: LINK }, mld1(130, 0n))],
    ['from an IPv6 address that is not of the link', mldFrame({ mac, to: G6, from: 7n }, mld1(131, G6))],
    ['from another IPv6 net', mldFrame({ mac, to: G6, ttl: 64 }, mld1(131, G6))],
  ])('takes nothing from a message %s', (_what, frame) => {
    expect(readMessage(frame)).toBeNull();
  });

  it('takes nothing from a message of which one bit is wrong, unless nothing depends on it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.nat(), fc.nat(7), ([, frame, message], at, bit) => {
        const bad = Uint8Array.from(frame);
        const i = 14 + (at % (frame.length - 14));
        bad[i] = (bad[i] ?? 0) ^ (1 << bit);
        const read = readMessage(bad);
        // The hop-by-hop options and an Ethernet trailer are under no checksum, nor are some words of IPv6's header.
        if (read !== null) expect(read).toEqual(message);
      }),
    );
  });

  it('takes any bytes, and any cut of a message', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readMessage(bytes)));
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.nat(), fc.uint8Array(), ([, frame], at, tail) => {
        readMessage(Uint8Array.from([...frame.subarray(0, at % frame.length), ...tail]));
      }),
    );
  });
});
