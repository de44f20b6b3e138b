import { describe, expect, it } from '@jest/globals';
import { canonicalJson } from '#kernel';
import { stateDigestInput, stateFromJson } from '../state/json.js';
import { dvs, group, host, plug, World } from '../testing.js';

const seen = (mtu: number, uplink = 'uplink1', up = true) => ({
  ...{ type: 'UplinkState' as const, switch: 'lan', uplink, up },
  mtu,
});
const TWO = { uplink1: 'eth1', uplink2: 'eth2' };

/** vm1 on h1, on a switch of 9,000. */
function world(spec: object = {}, policy: object = {}): World {
  const w = new World();
  w.apply(host('h1'), host('h2'));
  w.apply(dvs('lan', ['h1', 'h2'], { mtu: 9_000, ...spec }), group('web', { ports: 4, policy }));
  w.facts('h1', plug('if-1', undefined, { owner: 'vm1' }));
  return w;
}
const move = { type: 'StartMigration' as const, owner: 'vm1', destination: 'h2' as never };
const isAdmitted = (w: World): boolean => w.do(move).some(({ type }) => type === 'MigrationStarted');

describe('a migration', () => {
  it("is refused where an uplink of the destination takes less than the switch's MTU, until it takes it", () => {
    const w = world();
    w.facts('h2', seen(1_500));
    expect(w.refused(move).details).toMatchObject([
      {
        field: 'ports.p1.switch.mtu',
        value: '9000',
        reason: expect.stringMatching(/uplink1 \(.*\) of h2 .*1500/),
        expected: expect.stringContaining('at least 9000'),
      },
    ]);
    w.facts('h2', seen(9_000));
    expect(isAdmitted(w)).toBe(true);
  });

  it('is admitted where the MTU is not known, greater, or of an uplink that the port does not use', () => {
    expect(isAdmitted(world())).toBe(true);
    const greater = world();
    greater.facts('h2', seen(9_216));
    expect(isAdmitted(greater)).toBe(true);
    const other = world(
      { uplinks: ['uplink1', 'uplink2'], members: { h1: TWO, h2: TWO } },
      { teaming: { active: ['uplink2'], standby: [] } },
    );
    other.facts('h2', seen(1_500), seen(9_000, 'uplink2'));
    expect(isAdmitted(other)).toBe(true);
  });

  it('by a LAG asks for its uplinks, their link and their MTU', () => {
    const lags = [{ name: 'lag1', uplinks: ['uplink1', 'uplink2'] }];
    const spec = { uplinks: ['uplink1', 'uplink2'], lags, members: { h1: TWO, h2: TWO } };
    const w = world(spec, { teaming: { active: ['lag1'], standby: [] } });
    w.facts('h2', seen(9_000, 'uplink1', false), seen(9_000, 'uplink2', false));
    expect(w.refused(move).details.map(({ field }) => field)).toEqual(['ports.p1.switch']);
    w.facts('h2', seen(9_000), seen(1_500, 'uplink2'));
    expect(w.refused(move).details.map(({ field }) => field)).toEqual(['ports.p1.switch.mtu']);
    w.facts('h2', seen(9_000, 'uplink2'));
    expect(isAdmitted(w)).toBe(true);
  });
});

describe('the MTU of an uplink', () => {
  it('is told to the log where it is another, and kept beside the speed, in one order', () => {
    const w = world({ uplinks: ['uplink1', 'uplink2'], members: { h1: TWO, h2: TWO } });
    const changes = (...facts: readonly object[]) =>
      w.facts('h2', ...(facts as never[])).filter(({ type }) => type === 'UplinkChanged');
    expect(changes(seen(9_000, 'uplink2'))).toMatchObject([{ uplink: 'uplink2', mtu: 9_000 }]);
    expect(changes({ ...seen(1_500), speed: 1e9 })).toMatchObject([{ mtu: 1_500, speed: 1e9 }]);
    expect(changes(seen(1_500), seen(9_000, 'uplink2'))).toEqual([]);
    w.apply(host('h2', { labels: { rack: '4' } }));
    const told = w.state.hosts.get('h2' as never);
    expect(Object.entries(told?.uplinkMtus ?? {})).toEqual([
      ['lan uplink1', 1_500],
      ['lan uplink2', 9_000],
    ]);
    const json = stateDigestInput(w.state);
    const back = stateFromJson(JSON.parse(canonicalJson(json)));
    expect(back.ok && canonicalJson(stateDigestInput(back.value))).toBe(canonicalJson(json));
  });

  it('leaves a state in which nobody told one as it was', () => {
    const w = world();
    w.facts('h2', { type: 'UplinkState', switch: 'lan', uplink: 'uplink1', up: false });
    expect(canonicalJson(stateDigestInput(w.state))).not.toContain('uplinkMtus');
  });
});
