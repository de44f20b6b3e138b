import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lldpFrame } from './advertisement.js';
import { parseLldp } from './lldp.js';

const OURS = {
  host: 'h1',
  switch: 'lan',
  uplink: 'uplink1',
  device: 'eth0',
  mac: 0x0200_0000_0009n,
  version: '1.2.3',
};
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replace(/\s/g, ''), 'hex'));
const HEADER = '0180c200000e 020000000001 88cc';
/** Chassis by MAC, port by a name of its own, two minutes. */
const FIRST = '0207 04 525400aabbcc 0403 07 6731 0602 0078';
const said = (more: string, first = FIRST) => parseLldp(hex(`${HEADER} ${first} ${more}`));
const reason = (frame: Uint8Array): string => {
  const parsed = parseLldp(frame);
  return parsed.ok ? 'taken' : parsed.error.message;
};

describe('LLDP', () => {
  it('is understood as it is said', () => {
    expect(parseLldp(lldpFrame(OURS, 121))).toEqual({
      ok: true,
      value: {
        chassis: 'h1',
        port: 'eth0',
        ttl: 121,
        portDescription: 'uplink1 of switch lan',
        systemName: 'h1',
        systemDescription: 'Portolan 1.2.3 on Open vSwitch',
        capabilities: ['bridge'],
        managementAddress: null,
      },
    });
  });

  it('takes back what was said by a time to live of 0, and says nothing else', () => {
    expect(parseLldp(lldpFrame(OURS, 0))).toMatchObject({
      value: { chassis: 'h1', port: 'eth0', ttl: 0, systemName: null, capabilities: [] },
    });
  });

  it('tells of chassis, ports and addresses in every form that is in use', () => {
    expect(said('0000')).toMatchObject({ value: { chassis: '52:54:00:aa:bb:cc', port: 'g1', ttl: 120 } });
    expect(said('0000', '0206 05 01 c0000201 0407 03 020000000003 0602 0001')).toMatchObject({
      value: { chassis: '192.0.2.1', port: '02:00:00:00:00:03' },
    });
    expect(said('100c 05 01 c0000202 02 00000001 00 0000')).toMatchObject({
      value: { managementAddress: '192.0.2.2' },
    });
  });

  it('lets no text of others steer a terminal', () => {
    expect(said('0a04 1b5b3241 0000')).toMatchObject({ value: { systemName: '�[2A' } });
  });

  it.each([
    ['is cut short', hex(HEADER)],
    ['is not LLDP', hex('0180c200000e 020000000001 0806 00000000')],
    ['does not begin with chassis', hex(`${HEADER} 0403076731 0207 04 525400aabbcc 06020078 0000`)],
    ['has one of them twice', hex(`${HEADER} ${FIRST} 06020078 0000`)],
    ['longer than the frame', hex(`${HEADER} ${FIRST} 0aff 41`)],
    ['names no chassis', hex(`${HEADER} 0201 04 0403 07 6731 0602 0078 0000`)],
    ['has a time to live that is cut short', hex(`${HEADER} 0207 04 525400aabbcc 0403 07 6731 0601 78 0000`)],
  ])('is refused: %s', (why, frame) => {
    expect(reason(frame)).toContain(why);
  });

  it('is refused or understood whatever comes, and never throws', () => {
    const near = fc
      .tuple(fc.nat(120), fc.nat(255), fc.uint8Array({ maxLength: 40 }))
      .map(([at, octet, tail]) => {
        const frame = new Uint8Array([...lldpFrame(OURS, 5), ...tail]);
        frame[Math.min(at, frame.length - 1)] = octet;
        return frame;
      });
    const bytes = fc.uint8Array({ maxLength: 1_600 });
    const framed = bytes.map((body) => new Uint8Array([...hex(HEADER), ...body]));
    fc.assert(
      fc.property(fc.oneof(near, bytes, framed), (frame) => {
        const parsed = parseLldp(frame);
        if (!parsed.ok) return;
        for (const text of Object.values(parsed.value).flat())
          if (typeof text === 'string') expect(text).not.toMatch(/\p{Cc}/u);
      }),
      { numRuns: 500 },
    );
  });
});
