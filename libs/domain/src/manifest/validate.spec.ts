import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unwrap } from '#kernel';
import { parseEvent } from '../events/parse.js';
import { parseFacts } from '../facts/shapes.js';
import { stateFromJson } from '../state/json.js';
import { validateResource } from './validate.js';

const group = (spec: object) => ({
  apiVersion: 'portolan.dev/v1',
  kind: 'PortGroup',
  metadata: { name: 'web' },
  spec: { switch: 'lan', ...spec },
});
const policy = (p: object) => group({ policy: p });
const shaping = (s: object) => policy({ shapingIn: { average: 1e6, peak: 1e6, burst: 10_000, ...s } });
const filter = (...matches: object[]) =>
  policy({ filter: matches.map((match, i) => ({ name: `r${i}`, action: 'drop', match })) });
const sw = (spec: object) => ({ kind: 'DistributedSwitch', name: 'lan', spec });

describe('validateResource', () => {
  it('fills defaults in and puts addresses in normal form', () => {
    const value = unwrap(validateResource(filter({ srcMac: '02-00-00-00-00-AA' })));
    expect(value).toMatchObject({
      kind: 'PortGroup',
      name: 'web',
      spec: {
        binding: 'static',
        ports: 8,
        overridable: [],
        policy: {
          filter: {
            stateful: false,
            default: 'allow',
            rules: [{ direction: 'both', tier: 1, enabled: true, match: { srcMac: '02:00:00:00:00:aa' } }],
          },
        },
      },
    });
    expect(validateResource(value)).toEqual({ ok: true, value });
  });

  it.each([
    ['no map', 7, ''],
    ['an unknown kind', { kind: 'Router' }, 'kind'],
    ['another version of the API', { ...group({}), apiVersion: 'v2' }, 'apiVersion'],
    ['a bad name', { ...group({}), metadata: { name: 'Web!' } }, 'metadata.name'],
    ['an unknown field', group({ vlan: 7 }), 'spec.vlan'],
    ['VLAN 4095', policy({ vlan: { mode: 'access', id: 4095 } }), 'spec.policy.vlan.id'],
    ['an unknown VLAN mode', policy({ vlan: { mode: 'qinq' } }), 'spec.policy.vlan.mode'],
    ['an empty trunk', policy({ vlan: { mode: 'trunk', ranges: [] } }), 'spec.policy.vlan.ranges'],
    [
      'overlapping trunk ranges',
      policy({
        vlan: {
          mode: 'trunk',
          ranges: [
            { from: 1, to: 9 },
            { from: 9, to: 12 },
          ],
        },
      }),
      'spec.policy.vlan.ranges[1]',
    ],
    [
      'unsorted trunk ranges',
      policy({
        vlan: {
          mode: 'trunk',
          ranges: [
            { from: 20, to: 29 },
            { from: 1, to: 2 },
          ],
        },
      }),
      'spec.policy.vlan.ranges[1]',
    ],
    ['an average over the peak', shaping({ average: 2e6 }), 'spec.policy.shapingIn.average'],
    ['a burst that never refills', shaping({ average: 1, peak: 1e10 }), 'spec.policy.shapingIn.burst'],
    [
      'ports without TCP or UDP',
      filter({ dstPort: { from: 1, to: 2 } }),
      'spec.policy.filter.rules[0].match.dstPort',
    ],
    ['two IP versions', filter({ src: '10.0.0.0/8', dst: '::1' }), 'spec.policy.filter.rules[0].match.dst'],
    ['host bits in a prefix', filter({ src: '10.0.0.1/8' }), 'spec.policy.filter[0].match.src'],
    [
      'a contradicting EtherType',
      filter({ src: '::1', etherType: 0x0800 }),
      'spec.policy.filter.rules[0].match.etherType',
    ],
    [
      'a rule name twice',
      policy({ filter: [1, 2].map(() => ({ name: 'r', action: 'allow' })) }),
      'spec.policy.filter.rules[1].name',
    ],
    [
      'an uplink twice',
      policy({ teaming: { active: ['a'], standby: ['a'] } }),
      'spec.policy.teaming.standby[0]',
    ],
    ['MTU 9001', sw({ mtu: 9001 }), 'spec.mtu'],
    ['an uplink name twice', sw({ uplinks: ['a', 'a'] }), 'spec.uplinks[1]'],
    ['an unknown uplink of a member', sw({ members: { h1: { up: 'eth0' } } }), 'spec.members.h1.up'],
    [
      'one pNIC for two uplinks',
      sw({ uplinks: ['a', 'b'], members: { h1: { a: 'eth0', b: 'eth0' } } }),
      'spec.members.h1.b',
    ],
    ['a standard switch of no host', { kind: 'StandardSwitch', name: 'x', spec: {} }, 'spec.members'],
    [
      'a prototype as a key',
      { kind: 'Host', name: 'h', spec: JSON.parse('{"labels":{"__proto__":"x"}}') },
      'spec.labels',
    ],
  ])('refuses %s by its field', (_what, value, field) => {
    const result = validateResource(value);
    expect(result.ok ? 'accepted' : result.error.details[0]?.field).toBe(field);
  });

  it('says which fields it knows', () => {
    const result = validateResource(group({ vlans: [] }));
    expect(result.ok ? '' : result.error.message).toContain('one of switch, policy, overridable');
  });
});

describe('anything from outside', () => {
  const shaped = fc.oneof(
    fc.jsonValue(),
    fc.record({
      apiVersion: fc.constant('portolan.dev/v1'),
      kind: fc.constantFrom('Host', 'DistributedSwitch', 'StandardSwitch', 'PortGroup', 'Port'),
      type: fc.constantFrom('GroupDefined', 'MigrationStarted', 'SegmentClosed', 'FactRefused'),
      metadata: fc.record({ name: fc.oneof(fc.constant('x'), fc.jsonValue()) }),
      spec: fc.dictionary(
        fc.constantFrom(
          'policy',
          'members',
          'uplinks',
          'mtu',
          'switch',
          'ports',
          'labels',
          'override',
          '__proto__',
        ),
        fc.oneof(
          fc.jsonValue(),
          fc.dictionary(fc.constantFrom('vlan', 'filter', 'h1', 'shapingIn'), fc.jsonValue()),
        ),
      ),
    }),
  );

  it('is taken or refused with a field, and never throws', () => {
    fc.assert(
      fc.property(shaped, (value) => {
        for (const judge of [validateResource, parseEvent, parseFacts, stateFromJson]) {
          const result = judge(value);
          if (!result.ok) {
            expect(result.error.code).toBe('invalid');
            expect(result.error.details.length).toBeGreaterThan(0);
          }
        }
        const resource = validateResource(value);
        if (resource.ok) expect(validateResource(resource.value)).toEqual(resource);
      }),
      { numRuns: 1000 },
    );
  });
});
