import { describe, expect, it } from '@jest/globals';
import { type FilterMatch } from '#domain';
import { type Match } from '#openflow';
import { malformed, ruleMatches } from './matches.js';

const rule = (match: object, more: object = {}) => ({
  ...{ name: 'r', direction: 'in' as const, tier: 1, enabled: true, action: 'drop' as const },
  match: match as FilterMatch,
  ...more,
});
const one = (match: object): Match | undefined => {
  const [first, ...more] = ruleMatches(rule(match));
  expect(more).toEqual([]);
  return first;
};

describe('a rule as matches', () => {
  it('compares a MAC under its mask, and a mask of all or no bits as what it says', () => {
    expect(one({ srcMac: '02:aa:00:00:00:07/ff:ff:00:00:00:00' })).toEqual({
      eth_src: { value: 0x02aa00000000n, mask: 0xffff00000000n },
    });
    expect(one({ dstMac: '02:aa:00:00:00:07/ff:ff:ff:ff:ff:ff' })).toEqual({
      eth_dst: { value: 0x02aa00000007n },
    });
    expect(one({ dstMac: '02:aa:00:00:00:07/00:00:00:00:00:00' })).toEqual({});
  });

  it('takes the VLAN from the segment, where untagged is 0', () => {
    expect(one({ vlan: 0 })).toEqual({ reg12: { value: 0n } });
    expect(one({ vlan: 100 })).toEqual({ reg12: { value: 100n } });
  });

  it('is for both versions of IP where none is implied', () => {
    expect(ruleMatches(rule({ dscp: 46 }))).toEqual([
      { eth_type: { value: 0x0800n }, ip_dscp: { value: 46n } },
      { eth_type: { value: 0x86ddn }, ip_dscp: { value: 46n } },
    ]);
    expect(one({ ipVersion: 6 })).toEqual({ eth_type: { value: 0x86ddn } });
    expect(ruleMatches(rule({ ipVersion: 6, src: '10.0.0.0/8' }))).toEqual([]);
  });

  it('looks at TCP flags under the mask of those that are named', () => {
    const flags = { set: ['syn'], clear: ['ack', 'rst'] };
    expect(one({ ipVersion: 4, ipProtocol: 6, tcpFlags: flags })).toEqual({
      eth_type: { value: 0x0800n },
      ip_proto: { value: 6n },
      tcp_flags: { value: 2n, mask: 0x16n },
    });
  });

  it('never takes a later fragment, which reads as zero, for a first one', () => {
    const first = { value: 0n, mask: 2n };
    expect(one({ ipVersion: 4, icmpType: 0 })?.ip_frag).toEqual(first);
    expect(one({ ipVersion: 4, icmpType: 8 })?.ip_frag).toBeUndefined();
    const clear = { ipVersion: 4, ipProtocol: 6, tcpFlags: { set: [], clear: ['syn'] } };
    expect(one(clear)?.ip_frag).toEqual(first);
    const ports = { ipVersion: 4, ipProtocol: 17, dstPort: { from: 0, to: 2 } };
    expect(ruleMatches(rule(ports)).map((m) => m.ip_frag)).toEqual([first, undefined]);
    expect(one({ ipVersion: 4, fragments: 'later' })?.ip_frag).toEqual({ value: 2n, mask: 2n });
  });

  it('names the ports of SCTP as such, and the code of ICMP beside its type', () => {
    const ports = { ipVersion: 4, ipProtocol: 132, dstPort: { from: 7, to: 7 } };
    expect(one(ports)).toMatchObject({ sctp_dst: { value: 7n } });
    const code = { ipProtocol: 58, icmpType: 1, icmpCode: 4 };
    expect(one(code)).toMatchObject({ icmpv6_type: { value: 1n }, icmpv6_code: { value: 4n } });
  });

  it.each([
    [{ srcMac: '02:00:00:00:00:01/ff' }],
    [{ srcMac: '02:00:00:00:00:01/ff:ff:ff:ff:ff:ff/ff:ff:ff:ff:ff:ff' }],
    [{ dstPort: { from: 1, to: 1 }, ipProtocol: 1 }],
    [{ tcpFlags: { set: ['syn'], clear: [] } }],
    [{ icmpCode: 1 }],
  ])('refuses %j', (match) => {
    expect(malformed(rule(match))).toEqual(expect.any(String));
  });

  it('refuses a tier that is not there', () => {
    expect(malformed(rule({}, { tier: 4 }))).toBe('there is no tier 4');
    expect(malformed(rule({}, { tier: 3 }))).toBeNull();
  });
});
