import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseConnections } from './dump.js';

const UDP =
  'udp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=7,dport=8),reply=(src=10.0.0.2,dst=10.0.0.1,sport=8,dport=7),zone=5,mark=85,labels=0x1';
const TCP =
  'tcp,orig=(src=fe80::1,dst=fe80::2,sport=1,dport=80),reply=(src=fe80::2,dst=fe80::1,sport=80,dport=1),zone=5,mark=4294967295';

describe('what a switch prints of its connections', () => {
  it('is read, those of no sense left out', () => {
    const text = [
      UDP,
      `${TCP},protoinfo=(state=ESTABLISHED)`,
      `${TCP},protoinfo=(state=TIME_WAIT)`,
      `${TCP},protoinfo=(state=SYN_SENT)`,
      'icmp,orig=(src=10.0.0.1,dst=10.0.0.2,id=3,type=8,code=0),reply=(src=10.0.0.2,dst=10.0.0.1,id=3,type=0,code=0)',
      '47,orig=(src=10.0.0.1,dst=10.0.0.2),reply=(src=10.0.0.2,dst=10.0.0.1),zone=5',
      '300,orig=(src=10.0.0.1,dst=10.0.0.2)',
      'udp,orig=(src=10.0.0.1,dst=fe80::1)',
      '',
    ];
    const ends = { family: 4, src: 0x0a000001n, dst: 0x0a000002n };
    const phased = (phase: string) => ({ protocol: 6, mark: 0xffff_ffff, phase });
    expect(parseConnections(text.join('\n'))).toMatchObject([
      { protocol: 17, original: { ...ends, srcPort: 7, dstPort: 8 }, mark: 85, phase: 'open' },
      { ...phased('open'), original: { family: 6, src: (0xfe80n << 112n) | 1n } },
      phased('over'),
      phased('opening'),
      { protocol: 1, original: { ...ends, icmpId: 3, icmpType: 8, icmpCode: 0 }, mark: 0 },
      { protocol: 47, original: ends },
    ]);
  });

  it('may be anything', () => {
    const piece = fc.constantFrom(...UDP.split(/(?<=[,=()])/), '\n', '-1', '99999999999', '::', 'tcp');
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string())), (pieces) => {
        for (const { protocol, mark } of parseConnections(pieces.join(''))) {
          expect(protocol).toBeLessThan(256);
          expect(mark).toBeLessThan(2 ** 32);
        }
      }),
    );
  });
});
