import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { answerTo } from './answer.js';
import { readHead, type IpHeader } from './frame.js';

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
const ETHERNET = '020000000002 020000000001';
const SYN = hex(
  `${ETHERNET} 0800 4500003c4c7c40004006da3d0a0000010a000002
   e2b00fa1a5cfbf6000000000a002faf0d9760000020405b40402080a4ee8b928000000000103030a`,
);
const UDP6 = hex(
  `${ETHERNET} 86dd 60000000000d1140fd000000000000000000000000000001fd000000000000000000000000000002
   81430fa1000d311968656c6c6f`,
);
const with_ = (frame: Uint8Array, ...changes: [at: number, ...octets: number[]][]): Uint8Array => {
  const changed = frame.slice();
  for (const [at, ...octets] of changes) changed.set(octets, at);
  return changed;
};
const answered = (frame: Uint8Array): { frame: Uint8Array; ip: IpHeader } => {
  const answer = answerTo(frame);
  const ip = answer === null ? null : (readHead(answer)?.ip ?? null);
  if (answer === null || ip === null) throw new Error('no answer');
  return { frame: answer, ip };
};
/** Of what has a right checksum in it. */
const sum = (...parts: readonly Uint8Array[]): number => {
  let total = 0;
  for (const part of parts) part.forEach((octet, i) => (total += i % 2 === 0 ? octet << 8 : octet));
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
};
const sumOf = ({ frame, ip }: { frame: Uint8Array; ip: IpHeader }): number => {
  const body = frame.subarray(ip.above);
  const pseudo = Uint8Array.of(...ip.src, ...ip.dst, body.length >> 8, body.length & 255, 0, ip.protocol);
  return ip.protocol === 1 ? sum(body) : sum(pseudo, body);
};

describe('what a sender is told', () => {
  it('is a reset that acknowledges all that came, where the connection begins', () => {
    const { frame, ip } = answered(SYN);
    expect(Buffer.from(frame.subarray(0, 14)).toString('hex')).toBe('0200000000010200000000020800');
    expect([[...ip.src], [...ip.dst]]).toEqual([
      [10, 0, 0, 2],
      [10, 0, 0, 1],
    ]);
    expect(Buffer.from(frame.subarray(ip.above, ip.above + 14)).toString('hex')).toBe(
      '0fa1e2b0' + '00000000' + 'a5cfbf61' + '5014',
    );
    expect([sum(frame.subarray(14, 34)), sumOf({ frame, ip })]).toEqual([0xffff, 0xffff]);
  });

  it('is a reset in its place in the sequence, where the connection stands', () => {
    const { frame, ip } = answered(with_(SYN, [42, 1, 2, 3, 4], [47, 0x18]));
    const head = Buffer.from(frame.subarray(ip.above + 4, ip.above + 14)).toString('hex');
    expect(head).toBe('01020304' + '00000000' + '5004');
  });

  it('is an error that quotes the packet, for all else', () => {
    const told = answered(UDP6);
    const body = told.frame.subarray(told.ip.above);
    expect([told.ip.protocol, body[0], body[1], sumOf(told)]).toEqual([58, 1, 4, 0xffff]);
    expect([...body.subarray(8)]).toEqual([...UDP6.subarray(14)]);
  });

  it('is nothing where there is nobody to tell, or nobody may', () => {
    const error = [23, 1] as [number, number];
    const unanswered = [
      with_(SYN, [47, 0x14]),
      with_(SYN, [0, 0x03]),
      with_(SYN, [26, 0, 0, 0, 0]),
      with_(SYN, [26, 224]),
      with_(SYN, [30, 255, 255, 255, 255]),
      with_(SYN, [20, 0x20, 0x01]),
      with_(SYN, error, [34, 3, 3]),
      with_(SYN, [12, 0x08, 0x06]),
      with_(UDP6, [20, 58], [54, 135]),
      with_(UDP6, [20, 58], [54, 1]),
      with_(UDP6, [22, ...new Array<number>(16).fill(0)]),
      with_(UDP6, [38, 0xff, 0x02]),
    ];
    expect(unanswered.map(answerTo)).toEqual(unanswered.map(() => null));
  });

  it('looks behind the extensions of IPv6', () => {
    const extended = Uint8Array.of(...UDP6.subarray(0, 54), 17, 0, 1, 4, 0, 0, 0, 0, ...UDP6.subarray(54));
    const hops = with_(extended, [18, 0, 21], [20, 0]);
    expect(readHead(hops)?.ip).toMatchObject({ protocol: 17, above: 62, length: 13 });
    expect(answerTo(with_(hops, [20, 44], [56, 0, 8]))).toBeNull();
  });

  it('is never answered itself, and comes of no frame, whatever it holds, as a fault', () => {
    const noise = fc.uint8Array({ maxLength: 120 });
    const bent = fc
      .tuple(
        fc.constantFrom(SYN, UDP6),
        fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 6 }),
        fc.nat(80),
      )
      .map(([frame, changes, cut]) =>
        with_(frame, ...changes.filter(([at]) => at < frame.length)).subarray(0, frame.length - (cut % 60)),
      );
    fc.assert(
      fc.property(fc.oneof(noise, bent), (frame) => {
        const answer = answerTo(frame);
        if (answer === null) return;
        const told = answered(frame);
        expect(sumOf(told)).toBe(0xffff);
        expect(answerTo(answer)).toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });
});
