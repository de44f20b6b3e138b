import { describe, expect, it } from '@jest/globals';
import { applying, dvs, group, host, World } from '../testing.js';
import { validateResource } from '../manifest/validate.js';

const mirror = { name: 'm', sources: [{ port: 'p1' }], to: { port: 'p2' } };
const PAIRS = [
  { primary: 100, secondary: 100, kind: 'promiscuous' },
  { primary: 100, secondary: 101, kind: 'isolated' },
];

/** Fields of the spec that are refused. */
const fieldsOf = (w: World, resource: object): (string | undefined)[] =>
  w.refused(applying(resource)).details.map((d) => d.field.split('.spec.')[1]);

describe('what a switch does beside policies', () => {
  it.each([
    [
      'a second isolated VLAN',
      { privateVlans: [...PAIRS, { primary: 100, secondary: 102, kind: 'isolated' }] },
      'privateVlans[2].secondary',
    ],
    [
      'a secondary twice',
      { privateVlans: [...PAIRS, { primary: 200, secondary: 101, kind: 'community' }] },
      'privateVlans[2].secondary',
    ],
    [
      'a promiscuous one apart from the primary',
      { privateVlans: [{ primary: 1, secondary: 2, kind: 'promiscuous' }] },
      'privateVlans[0].secondary',
    ],
    ['a LAG of one', { lags: [{ name: 'l', uplinks: ['uplink1'] }] }, 'lags[0].uplinks'],
    [
      'a LAG under an uplink’s name',
      { lags: [{ name: 'uplink1', uplinks: ['uplink1', 'uplink2'] }] },
      'lags[0].name',
    ],
    ['a mirror of no VLAN', { mirrors: [{ ...mirror, vlans: [] }] }, 'mirrors[0].vlans'],
    [
      'a mirror into a private VLAN',
      { privateVlans: PAIRS, mirrors: [{ ...mirror, to: { uplinks: ['uplink1'], vlan: 101 } }] },
      'mirrors[0].to.vlan',
    ],
    [
      'IPFIX of fewer frames than the switch can tell',
      { ipfix: { collector: '10.0.0.1:4739', sampling: 65_537 } },
      'ipfix.sampling',
    ],
    ['a mirror of nothing', { mirrors: [{ ...mirror, sources: [] }] }, 'mirrors[0].sources'],
    ['a mirror to its source', { mirrors: [{ ...mirror, to: { port: 'p1' } }] }, 'mirrors[0].to.port'],
    [
      'a mirror to two places',
      { mirrors: [{ ...mirror, to: { port: 'p2', erspan: '10.0.0.1' } }] },
      'mirrors[0].to',
    ],
    ['a collector without a port', { ipfix: { collector: '10.0.0.1' } }, 'ipfix.collector'],
    ['a collector on no port', { sflow: { collector: '[2001:db8::1]:70000' } }, 'sflow.collector'],
    [
      'a class that promises over its limit',
      { bandwidth: { classes: { vm: { limit: 1e6, reservation: 2e6 } } } },
      'bandwidth.classes.vm.reservation',
    ],
  ])('is judged: %s', (_what, spec, field) => {
    const result = validateResource(dvs('lan', ['h1'], spec));
    expect(result.ok ? [] : result.error.details.map((d) => d.field.replace('spec.', ''))).toContain(field);
  });

  it('is filled in, and the same when it is said again', () => {
    const w = new World();
    const spec = { privateVlans: PAIRS, ipfix: { collector: '[2001:db8::1]:4739' }, mirrors: [mirror] };
    w.apply(host('h1'), dvs('lan', ['h1']), group('web'));
    w.apply(dvs('lan', ['h1'], spec));
    expect(w.state.switches.get('lan' as never)).toMatchObject({
      ipfix: { domain: 0, activeTimeout: 60, sampling: 1, internalOnly: false },
      mirrors: [{ snapLength: null, allowTraffic: false, sources: [{ port: 'p1', direction: 'both' }] }],
      discovery: { mode: 'off' },
    });
    expect(w.apply(dvs('lan', ['h1'], spec))).toEqual([]);
  });

  it('mirrors ports and groups of its own, and those it named before though they are gone', () => {
    const w = new World();
    const to = { uplinks: ['uplink1'], vlan: 999 };
    const of = (...sources: object[]) => dvs('lan', ['h1'], { mirrors: [{ name: 'm', sources, to }] });
    w.apply(host('h1'), dvs('lan', ['h1']), dvs('other', []), group('web'));
    w.apply(group('far', { switch: 'other' }));
    const unknown = fieldsOf(w, of({ group: 'web' }, { group: 'far' }, { port: 'p99' }));
    expect(unknown).toEqual(['mirrors[0].sources[1].group', 'mirrors[0].sources[2].port']);
    w.apply(of({ group: 'web' }));
    w.do({ type: 'Delete', kind: 'PortGroup', name: 'web' });
    expect(w.apply(of({ group: 'web' }, { uplink: 'uplink1' }))).toHaveLength(1);
  });

  it('keeps the VLAN of a mirror free of ports', () => {
    const w = new World();
    const mirrors = [{ ...mirror, sources: [{ uplink: 'uplink1' }], to: { uplinks: ['uplink1'], vlan: 9 } }];
    const inIt = (vlan: object) => group('web', { policy: { vlan } });
    w.apply(host('h1'), dvs('lan', ['h1'], { mirrors }));
    expect(fieldsOf(w, inIt({ mode: 'access', id: 9 }))).toEqual(['policy.vlan.id']);
    w.apply(dvs('lan', ['h1']), inIt({ mode: 'trunk', ranges: [{ from: 1, to: 20 }], native: 9 }));
    expect(fieldsOf(w, dvs('lan', ['h1'], { mirrors }))).toEqual(['mirrors']);
  });

  it('has LAGs that carry alone what names them, and whose uplinks carry nothing by themselves', () => {
    const w = new World();
    const lags = [{ name: 'lag1', uplinks: ['uplink1', 'uplink2'] }];
    w.apply(host('h1'), dvs('lan', ['h1'], { lags }));
    const named = (teaming: object) => fieldsOf(w, group('web', { policy: { teaming } }));
    expect(named({ active: ['lag1', 'uplink1'] })).toEqual([
      'policy.teaming.active',
      'policy.teaming.active[1]',
    ]);
    expect(named({ active: ['lag1'], detection: 'beacon' })).toEqual(['policy.teaming.detection']);
    expect(named({ active: ['uplink2'] })).toEqual(['policy.teaming.active[0]']);
  });

  it('must have what policies name, and keep it while they do', () => {
    const w = new World();
    const lags = [{ name: 'lag1', uplinks: ['uplink1', 'uplink2'] }];
    const own = { privateVlans: PAIRS, ipfix: { collector: '10.0.0.1:4739' }, lags };
    const policy = {
      vlan: { mode: 'private', primary: 100, secondary: 101 },
      ipfix: true,
      teaming: { mode: 'ip-hash', active: ['lag1'] },
    };
    const apply = (spec: object) => ({
      type: 'Apply' as const,
      resources: [dvs('lan', ['h1'], spec), group('web', { policy })].map((r) => {
        const result = validateResource(r);
        if (!result.ok) throw new Error(result.error.message);
        return result.value;
      }),
    });
    w.apply(host('h1'));
    const fields = w.refused(apply({})).details.map((d) => d.field.replace(/^.*spec\.policy\./, ''));
    expect(fields.sort()).toEqual(['ipfix', 'teaming.active[0]', 'vlan']);
    w.do(apply(own));
    const { resources } = apply({});
    const left = w.refused({ type: 'Apply', resources: resources.slice(0, 1) }).details;
    expect(left.map((d) => d.field.split('.spec.')[1]).sort()).toEqual(['ipfix', 'privateVlans', 'uplinks']);
  });
});
