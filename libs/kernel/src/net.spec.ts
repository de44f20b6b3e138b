import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  ipv4ToBigint,
  ipv6ToBigint,
  macFromBigint,
  macToBigint,
  parseCidr,
  parseMac,
  parseUnicastMac,
  parseVlanId,
} from './net.js';

const octets = fc.bigInt({ min: 0n, max: (1n << 48n) - 1n });

describe('MAC addresses', () => {
  it('go to numbers and back', () => {
    fc.assert(fc.property(octets, (value) => macToBigint(macFromBigint(value)) === value));
  });

  it('are read in any case, with colons or hyphens', () => {
    expect(parseMac('0A-00-00-00-00-FF')).toEqual({ ok: true, value: '0a:00:00:00:00:ff' });
  });

  it('say what is wrong with them', () => {
    const read = parseMac('02:00:00:00:00', 'spec.mac');
    expect(read).toMatchObject({
      ok: false,
      error: { code: 'invalid', details: [{ field: 'spec.mac', value: '"02:00:00:00:00"' }] },
    });
    expect(parseUnicastMac('01:00:5e:00:00:01')).toMatchObject({ ok: false });
    expect(parseUnicastMac('00:00:00:00:00:00')).toMatchObject({ ok: false });
    expect(parseUnicastMac('02:00:00:00:00:01')).toMatchObject({ ok: true });
  });

  it('never throw, whatever comes', () => {
    fc.assert(fc.property(fc.anything(), (value) => typeof parseMac(value).ok === 'boolean'));
  });
});

describe('VLAN ids', () => {
  it.each([0, 4095, -1, 1.5, NaN, '10', null])('refuses %p', (value) => {
    expect(parseVlanId(value)).toMatchObject({ ok: false });
  });
  it.each([1, 4094])('takes %p', (value) => {
    expect(parseVlanId(value)).toEqual({ ok: true, value });
  });
});

describe('IP prefixes', () => {
  it('reads both families, a bare address as a whole one', () => {
    expect(parseCidr('10.1.0.0/16')).toEqual({
      ok: true,
      value: { family: 4, address: 0x0a010000n, prefix: 16 },
    });
    expect(parseCidr('10.0.0.1')).toMatchObject({ ok: true, value: { prefix: 32 } });
    expect(parseCidr('2001:db8::/32')).toEqual({
      ok: true,
      value: { family: 6, address: 0x20010db8n << 96n, prefix: 32 },
    });
    expect(parseCidr('0.0.0.0/0')).toMatchObject({ ok: true, value: { prefix: 0 } });
  });

  it.each([
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0',
    '256.0.0.1',
    '::1/129',
    '1::2::3',
    'x',
    '',
    '1.2.3.4/',
    7,
  ])('refuses %p with a reason', (text) => {
    const read = parseCidr(text, 'src');
    expect(read.ok).toBe(false);
    if (!read.ok)
      expect(read.error.details[0]).toMatchObject({
        field: 'src',
        expected: expect.stringContaining('prefix'),
      });
  });

  it('reads every IPv6 address that is written in full', () => {
    const words = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(words, (parts) => {
        const value = parts.reduce((sum, word) => (sum << 16n) | BigInt(word), 0n);
        return ipv6ToBigint(parts.map((p) => p.toString(16)).join(':')) === value;
      }),
    );
  });

  it('reads every IPv4 address and nothing that only looks like one', () => {
    const parts = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(parts, (p) => ipv4ToBigint(p.join('.')) === p.reduce((s, o) => (s << 8n) | BigInt(o), 0n)),
    );
    for (const text of ['1.2.3', '1.2.3.4.5', '01.2.3.4', '1.2.3.-4', '1.2.3.4 '])
      expect(ipv4ToBigint(text)).toBeUndefined();
  });
});
