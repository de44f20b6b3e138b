import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unwrap } from '#kernel';
import { validateResource } from '../manifest/validate.js';
import { stateDigestInput, stateFromJson } from '../state/json.js';
import { dvs, group, host, World } from '../testing.js';
import { fullPolicy, shortPolicy } from './forms.js';
import { type PolicyPatch } from './policy.js';

const rule = fc.record(
  {
    name: fc.constantFrom('a', 'b'),
    direction: fc.constantFrom('in', 'out', 'both'),
    tier: fc.constantFrom(0, 1, 1, 2),
    enabled: fc.constantFrom(true, true, false),
    action: fc.constantFrom('allow', 'drop', 'pass'),
    match: fc.constant({}),
    log: fc.constant({ perSecond: 1, sample: 1 }),
  },
  { requiredKeys: ['name', 'direction', 'tier', 'enabled', 'action', 'match'] },
);
const full = fc.record(
  {
    blocked: fc.boolean(),
    filter: fc.record({
      stateful: fc.boolean(),
      default: fc.constantFrom('allow', 'drop'),
      rules: fc.array(rule, { maxLength: 3 }),
    }),
    teaming: fc.record({
      mode: fc.constantFrom('explicit', 'port'),
      active: fc.constant(['uplink1']),
      standby: fc.constant([]),
      failback: fc.boolean(),
      notify: fc.boolean(),
      detection: fc.constantFrom('link', 'beacon'),
    }),
  },
  { requiredKeys: [] },
);

describe('the two written forms of a policy', () => {
  it('say the same: what is made short comes back in full', () => {
    fc.assert(
      fc.property(full, (policy) => {
        expect(fullPolicy(shortPolicy(policy))).toEqual(policy);
        expect(fullPolicy(policy)).toEqual(policy);
      }),
    );
  });

  it('leave what an older version wrote as it wrote it', () => {
    const former = {
      filter: [{ name: 'r', direction: 'in', action: 'drop', match: {} }],
      teaming: { active: ['uplink1'], standby: [] },
    };
    const read = fullPolicy(former) as PolicyPatch;
    expect(read.teaming).toMatchObject({ mode: 'explicit', failback: true, notify: false });
    expect(shortPolicy(read as never)).toEqual(former);
  });

  it('are never a reason to throw', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (filter) => void fullPolicy({ filter, teaming: filter })),
      { numRuns: 200 },
    );
  });

  it('stand for one state: its snapshot, short where it can be, is the state again', () => {
    const w = new World();
    const policy = { filter: [{ name: 'r', action: 'drop' }], teaming: { active: ['uplink2'] } };
    const watched = {
      discovery: { mode: 'both' },
      policy: { teaming: { mode: 'port', active: ['uplink1'] } },
    };
    w.apply(host('h1'), host('h2', { foreignFlows: 'remove' }), dvs('lan', ['h1']));
    w.apply(dvs('lan', ['h1'], watched), group('web', { policy, autoShrink: true }), group('db', { policy }));
    const written = JSON.parse(JSON.stringify(stateDigestInput(w.state))) as {
      hosts: object[];
      groups: { name: string; policy: object; autoShrink?: boolean }[];
    };
    expect(Object.keys(written.hosts[0] ?? {})).not.toContain('foreignFlows');
    expect(written.groups[0]?.policy).toMatchObject({ filter: [{ name: 'r' }], teaming: { standby: [] } });
    expect(written.groups.map((g) => g.autoShrink)).toEqual([undefined, true]);
    const read = unwrap(stateFromJson(written));
    expect(read.groups.toJS()).toEqual(w.state.groups.toJS());
    expect(read.switches.toJS()).toEqual(w.state.switches.toJS());
    expect(read.hosts.toJS()).toEqual(w.state.hosts.toJS());
  });
});

describe('the new fields', () => {
  const faultsOf = (policy: object): string[] => {
    const result = validateResource({ kind: 'PortGroup', name: 'g', spec: { switch: 's', policy } });
    return result.ok ? [] : result.error.details.map((d) => d.field.replace('spec.policy.', ''));
  };
  const ofRule = (more: object, match: object = {}) => ({
    filter: [{ name: 'r', action: 'allow', ...more, match }],
  });

  it.each([
    ['a MAC twice', { macs: { extra: ['02:00:00:00:00:01', '02-00-00-00-00-01'] } }, 'macs.extra[1]'],
    ['a multicast MAC', { macs: { extra: ['03:00:00:00:00:01'] } }, 'macs.extra[0]'],
    ['a limit of none', { macLearning: { limit: 0 } }, 'macLearning.limit'],
    ['a prefix twice', { addresses: { allow: ['10.0.0.1', '10.0.0.1/32'] } }, 'addresses.allow[1]'],
    [
      'ip-hash with a standby',
      { teaming: { mode: 'ip-hash', active: ['a'], standby: ['b'] } },
      'teaming.standby',
    ],
    [
      'ip-hash with beacons',
      { teaming: { mode: 'ip-hash', active: ['a'], detection: 'beacon' } },
      'teaming.detection',
    ],
    ['more than the limit', { bandwidth: { limit: 1e6, reservation: 2e6 } }, 'bandwidth.reservation'],
    ['shares in another word', { bandwidth: { shares: 'huge' } }, 'bandwidth.shares'],
    ['VLAN 0 in private', { vlan: { mode: 'private', primary: 0, secondary: 2 } }, 'vlan.primary'],
    ['an unknown action', ofRule({ action: 'maybe' }), 'filter[0].action'],
    ['a mark on a drop', ofRule({ action: 'drop', mark: { cos: 1 } }), 'filter.rules[0].mark'],
    ['DSCP without IP', ofRule({ mark: { dscp: 1 } }), 'filter.rules[0].mark.dscp'],
    [
      'a burst that never refills',
      ofRule({ rate: { unit: 'pps', rate: 1e6, burst: 1 } }),
      'filter.rules[0].rate.burst',
    ],
    ['flags without TCP', ofRule({}, { tcpFlags: { set: ['syn'] } }), 'filter.rules[0].match.tcpFlags'],
    [
      'ports of later fragments',
      ofRule({}, { ipProtocol: 6, dstPort: { from: 1, to: 1 }, fragments: 'later' }),
      'filter.rules[0].match.fragments',
    ],
    ['a set beside a prefix', ofRule({}, { src: '10.0.0.0/8', srcSet: 'x' }), 'filter.rules[0].match.srcSet'],
    [
      'a version that its prefix has not',
      ofRule({}, { src: '10.0.0.0/8', ipVersion: 6 }),
      'filter.rules[0].match.ipVersion',
    ],
    ['a code without a type', ofRule({}, { ipProtocol: 1, icmpCode: 1 }), 'filter.rules[0].match.icmpCode'],
  ])('are judged: %s', (_what, policy, field) => {
    expect(faultsOf(policy)).toContain(field);
  });

  it('have a normal form', () => {
    const spec = {
      switch: 's',
      policy: {
        bandwidth: { shares: 'high' },
        filter: [{ name: 'r', action: 'drop', match: { srcMac: '02-FF-00-00-00-01/ff:00:00:00:00:00' } }],
      },
    };
    expect(unwrap(validateResource({ kind: 'PortGroup', name: 'g', spec }))).toMatchObject({
      spec: {
        policy: {
          bandwidth: { shares: 100, limit: null, reservation: 0, class: 'vm' },
          filter: { rules: [{ match: { srcMac: '02:00:00:00:00:00/ff:00:00:00:00:00' } }] },
        },
      },
    });
  });
});
