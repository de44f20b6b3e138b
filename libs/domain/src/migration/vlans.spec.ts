import { describe, expect, it } from '@jest/globals';
import { canonicalJson } from '#kernel';
import { stateDigestInput, stateFromJson } from '../state/json.js';
import { dvs, group, host, plug, World } from '../testing.js';

const lacks = (missing: readonly number[], uplink = 'uplink1') => ({
  ...{ type: 'UplinkVlans' as const, switch: 'lan', uplink },
  missing,
});
const CHECKED = { healthCheck: { intervalSeconds: 60 } };
const TWO = { uplink1: 'eth1', uplink2: 'eth2' };
const BOTH = { uplinks: ['uplink1', 'uplink2'], members: { h1: TWO, h2: TWO } };

/** vm1 on h1. */
function world(vlan: object, spec: object = CHECKED, policy: object = {}): World {
  const w = new World();
  w.apply(host('h1'), host('h2'));
  w.apply(dvs('lan', ['h1', 'h2'], spec), group('web', { ports: 4, policy: { vlan, ...policy } }));
  w.facts('h1', plug('if-1', undefined, { owner: 'vm1' }));
  return w;
}
const move = { type: 'StartMigration' as const, owner: 'vm1', destination: 'h2' as never };
const isAdmitted = (w: World): boolean => w.do(move).some(({ type }) => type === 'MigrationStarted');
const access = { mode: 'access', id: 100 };

describe('a migration', () => {
  it('is refused where the health check finds that its VLAN does not get through, until it does', () => {
    const w = world(access);
    w.facts('h2', lacks([7, 100]));
    expect(w.refused(move).details).toMatchObject([
      {
        field: 'ports.p1.policy.vlan',
        value: '100',
        reason: expect.stringMatching(/uplink1 \(.*\) of h2/),
        expected: expect.stringContaining('carries VLAN 100'),
      },
    ]);
    w.facts('h2', lacks([7]));
    expect(isAdmitted(w)).toBe(true);
  });

  it.each([
    ['another VLAN is missed', access, [99, 101], CHECKED],
    [
      'its VLAN is one of very many that a trunk may use',
      { mode: 'trunk', ranges: [{ from: 1, to: 4094 }] },
      [100],
      CHECKED,
    ],
    ['nothing is checked any more', access, [100], {}],
  ])('is admitted where %s', (_, vlan, missing, spec) => {
    const w = world(vlan, spec);
    w.facts('h2', lacks(missing));
    expect(isAdmitted(w)).toBe(true);
  });

  it.each([
    ['without a tag', { mode: 'none' }, 0],
    ['in the narrow range of a trunk', { mode: 'trunk', ranges: [{ from: 100, to: 110 }] }, 105],
    ['as the native of a trunk', { mode: 'trunk', ranges: [{ from: 1, to: 4094 }], native: 9 }, 9],
  ])('is refused %s, where that is missed', (_, vlan, missing) => {
    const w = world(vlan);
    w.facts('h2', lacks([missing]));
    expect(w.refused(move).details.map(({ field }) => field)).toEqual(['ports.p1.policy.vlan']);
  });

  it('asks the uplinks that the port may use alone', () => {
    const teaming = (...active: string[]) => ({ teaming: { active, standby: [] } });
    const other = world(access, { ...CHECKED, ...BOTH }, teaming('uplink2'));
    other.facts('h2', lacks([100]));
    expect(isAdmitted(other)).toBe(true);
    const both = world(access, { ...CHECKED, ...BOTH }, teaming('uplink2', 'uplink1'));
    both.facts('h2', lacks([100]));
    expect(both.refused(move).details.map(({ value }) => value)).toEqual(['100']);
  });
});

describe('VLANs that an uplink lacks', () => {
  it('are told to the log where they are others, in one order, and outlive what is said of the host', () => {
    const w = world(access, { ...CHECKED, ...BOTH });
    const news = (...facts: readonly object[]) =>
      w.facts('h2', ...(facts as never[])).filter(({ type }) => type === 'UplinkVlansMissed');
    expect(news(lacks([]), lacks([], 'uplink2'))).toEqual([]);
    expect(news(lacks([9, 7, 9]), lacks([7, 9]))).toMatchObject([{ uplink: 'uplink1', missing: [7, 9] }]);
    w.apply(host('h2', { labels: { rack: '4' } }));
    expect(w.state.hosts.get('h2' as never)?.uplinkVlans).toEqual({ 'lan uplink1': [7, 9] });
    const json = stateDigestInput(w.state);
    const back = stateFromJson(JSON.parse(canonicalJson(json)));
    expect(back.ok && canonicalJson(stateDigestInput(back.value))).toBe(canonicalJson(json));
    expect(news(lacks([]))).toMatchObject([{ missing: [] }]);
    expect(canonicalJson(stateDigestInput(w.state))).not.toContain('uplinkVlans');
  });

  it('are refused of what is no uplink of the host', () => {
    const w = world(access);
    expect(w.facts('h2', lacks([7], 'uplink9')).map(({ type }) => type)).toContain('FactRefused');
  });
});
