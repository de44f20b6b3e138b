import { describe, expect, it } from '@jest/globals';
import { unwrap } from '#kernel';
import { NO_FEATURES, validateResource, type SwitchFeatures } from '#domain';
import { featureRows } from '../render/switch-features.js';
import { policyValue } from '../render/policy.js';
import { assignment } from './override.js';

/** Words, what the server makes of them, and how they are shown. */
const CASES: readonly (readonly [string, object | boolean | null, string])[] = [
  ['vlan=trunk:100-199,300,native:5', { mode: 'trunk', native: 5 }, 'trunk 100-199,300, native 5'],
  ['vlan=private:100/101', { mode: 'private', primary: 100, secondary: 101 }, 'private 100/101'],
  [
    'macs=02:00:00:00:00:07, shared 00:00:5e:00:01:01',
    { extra: ['02:00:00:00:00:07'] },
    '02:00:00:00:00:07, shared 00:00:5e:00:01:01',
  ],
  ['macs=none', { extra: [], shared: [] }, 'its own only'],
  ['macLearning=on', { limit: 4096, atLimit: 'drop' }, 'up to 4096, then drop, for 300 s'],
  [
    'macLearning=64/flood/60',
    { limit: 64, atLimit: 'flood', ageSeconds: 60 },
    'up to 64, then flood, for 60 s',
  ],
  ['macLearning=none', null, 'no learning'],
  [
    'addresses=10.0.0.5,2001:db8::/64',
    { allow: ['10.0.0.5', '2001:db8::/64'], arp: true },
    '10.0.0.5, 2001:db8::/64',
  ],
  ['addresses={ allow: [10.0.0.5], dhcp: false }', { dhcp: false }, '10.0.0.5; no DHCP'],
  ['addresses=any', null, 'any'],
  ['teaming=uplink1,uplink2', { mode: 'explicit', failback: true }, 'uplink1, uplink2'],
  [
    'teaming=port uplink1, uplink2 standby uplink3 no-failback notify beacon',
    { mode: 'port', standby: ['uplink3'] },
    'port uplink1, uplink2; standby uplink3; no-failback; notify; beacon',
  ],
  [
    'bandwidth=high/1G/100M',
    { shares: 100, limit: 1e9, reservation: 1e8, class: 'vm' },
    '100 shares of vm, at most 1 Gbit/s, 100 Mbit/s reserved',
  ],
  ['bandwidth=7/none/0/storage', { shares: 7, limit: null, class: 'storage' }, '7 shares of storage'],
  ['ipfix=yes', true, 'yes'],
  [
    'filter={ stateful: true, default: drop, rules: [{ name: r, action: allow, tier: 0, match: { ipProtocol: 6, tcpFlags: { set: [syn] } } }] }',
    { stateful: true },
    'stateful, drops what no rule takes\ntier 0: allow both: ipProtocol 6, tcpFlags +syn (r)',
  ],
];

describe('what a switch does beside policies', () => {
  it('is shown where it does something', () => {
    expect(featureRows(NO_FEATURES)).toEqual([]);
    const spec = {
      uplinks: ['uplink1', 'uplink2'],
      members: { h1: {} },
      privateVlans: [{ primary: 100, secondary: 101, kind: 'isolated' }],
      lags: [{ name: 'lag1', uplinks: ['uplink1', 'uplink2'] }],
      mirrors: [
        { name: 'm', sources: [{ group: 'web', direction: 'in' }], to: { uplinks: ['uplink1'], vlan: 9 } },
      ],
      ipfix: { collector: '10.0.0.1:4739' },
      discovery: { mode: 'listen' },
      bandwidth: { classes: { vm: { limit: 1e9 } } },
    };
    const sw = unwrap(validateResource({ kind: 'StandardSwitch', name: 'lan', spec }));
    expect(featureRows(sw.spec as SwitchFeatures)).toEqual([
      ['private', '100/101 isolated'],
      ['lags', 'lag1 = uplink1 + uplink2, active, l3l4'],
      ['mirrors', 'm: web in > uplink1 in VLAN 9'],
      ['ipfix', 'to 10.0.0.1:4739, 1 in 1'],
      ['discovery', 'listen, every 30 s'],
      ['bandwidth', 'vm: 50 shares, at most 1 Gbit/s\n75 % may be reserved'],
    ]);
  });
});

describe('policy in words', () => {
  it.each(CASES)('%s is taken, and shown', (text, expected, shown) => {
    const [field, value] = assignment(text);
    const spec = { override: { [field]: value } };
    const resource = unwrap(validateResource({ kind: 'Port', name: 'p1', spec }));
    const taken = (resource.spec as { override: Record<string, unknown> }).override[field];
    if (typeof expected === 'object' && expected !== null) expect(taken).toMatchObject(expected);
    else expect(taken).toBe(expected);
    expect(policyValue(field, taken)).toBe(shown);
  });

  it.each([
    'vlan=private:1',
    'macLearning=64/perhaps',
    'teaming=a b c',
    'bandwidth=1/2/3/4/5',
    'ipfix=maybe',
  ])('%s is not understood, and what would be is said', (text) => {
    expect(() => assignment(text)).toThrow(/expected/);
  });
});
