import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Teaming } from '#domain';
import { type UplinkPlan } from './plan.js';
import { resolveTeam, type Carried } from './teams.js';

const uplink = (key: number): UplinkPlan => ({
  name: `up${key}`,
  key,
  device: `eth${key}`,
  ofport: 100 + key,
});
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `up${i + 1}`);
const teaming = (over: Partial<Teaming>): Teaming => ({
  mode: 'port',
  active: names(3),
  standby: [],
  failback: true,
  notify: false,
  detection: 'link',
  ...over,
});
const port = (n: number, pin?: string): Carried =>
  ({ port: `p${n}`, connectee: { mac: `02:00:00:00:00:${String(n).padStart(2, '0')}` }, pin }) as never;

interface Facts {
  opened?: readonly number[];
  passedOver?: readonly string[];
  unhealthy?: readonly string[];
}
const orderOf = (over: Partial<Teaming>, who: Carried, facts: Facts = {}) => {
  const { opened = [1, 2, 3, 4], passedOver = [], unhealthy = [] } = facts;
  const place = { mapping: { up1: 'eth1' }, uplinks: opened.map(uplink), passedOver, unhealthy };
  const team = resolveTeam(teaming(over), who, place);
  if (team === undefined || 'missing' in team) throw new Error('no team');
  return { id: team.id, order: team.uplinks.map((u) => u.key) };
};

describe('the order of uplinks of a port', () => {
  it('by port begins at a place of its own, goes around, and ends with the standby ones', () => {
    const over = { standby: ['up4'] };
    expect(orderOf(over, port(1)).order).toEqual([1, 2, 3, 4]);
    expect(orderOf(over, port(2)).order).toEqual([2, 3, 1, 4]);
    expect(orderOf(over, port(3)).order).toEqual([3, 1, 2, 4]);
    expect(orderOf(over, port(4)).order).toEqual([1, 2, 3, 4]);
  });

  it('by source MAC depends on the MAC alone', () => {
    const firsts = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => orderOf({ mode: 'mac' }, port(n)).order[0]);
    expect(new Set(firsts)).toEqual(new Set([1, 2, 3]));
    const { connectee } = port(5);
    expect(orderOf({ mode: 'mac' }, { ...port(77), connectee })).toEqual(orderOf({ mode: 'mac' }, port(5)));
  });

  it('leaves the others’ ports alone where an uplink is not there', () => {
    for (const n of [1, 2, 3, 4, 5, 6]) {
      const { order } = orderOf({}, port(n));
      expect(orderOf({}, port(n), { opened: [1, 3] }).order).toEqual(order.filter((key) => key !== 2));
    }
  });

  it('goes back to what failed where that is wanted, else not before all others failed', () => {
    const passedOver = ['up1'];
    expect(orderOf({ failback: true }, port(1), { passedOver }).order).toEqual([1, 2, 3]);
    expect(orderOf({ failback: false }, port(1), { passedOver }).order).toEqual([2, 3, 1]);
    expect(orderOf({ failback: false }, port(2), { passedOver }).order).toEqual([2, 3, 1]);
    expect(orderOf({ failback: false }, port(1), { passedOver: ['up2', 'up1'] }).order).toEqual([3, 2, 1]);
  });

  it('leaves out to the last what leads nowhere, where that is looked for', () => {
    const unhealthy = ['up1'];
    expect(orderOf({ detection: 'link' }, port(1), { unhealthy }).order).toEqual([1, 2, 3]);
    expect(orderOf({ detection: 'beacon' }, port(1), { unhealthy }).order).toEqual([2, 3, 1]);
  });

  it('begins with the uplink that the host put a port on for its load, and in no other mode', () => {
    expect(orderOf({ mode: 'load' }, port(1, 'up3')).order).toEqual([3, 1, 2]);
    expect(orderOf({ mode: 'load' }, port(1, 'up9')).order).toEqual([1, 2, 3]);
    expect(orderOf({ mode: 'port' }, port(1, 'up3')).order).toEqual([1, 2, 3]);
  });

  it('holds each uplink once, whatever happened to them, and spreads ports evenly', () => {
    const some = (most: number) => fc.shuffledSubarray(names(most));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom('port', 'mac', 'explicit', 'load'),
        fc.integer({ min: 1, max: 999 }),
        some(8),
        some(8),
        (count, mode, n, passedOver, unhealthy) => {
          const over = { mode, active: names(count), failback: false, detection: 'beacon' } as const;
          const facts = { opened: [1, 2, 3, 4, 5, 6, 7, 8], passedOver, unhealthy };
          const { order } = orderOf(over, port(n), facts);
          expect([...order].sort()).toEqual(names(count).map((_, i) => i + 1));
          const around = names(count).map((_, i) =>
            orderOf({ active: names(count) }, port(n + i), { opened: order }),
          );
          expect(new Set(around.map(({ order: [first] }) => first)).size).toBe(count);
          expect(new Set(around.map(({ id }) => id)).size).toBe(count);
        },
      ),
    );
  });
});

describe('a port whose teaming names a LAG', () => {
  const member = (key: number, bundled: boolean, formed = true): UplinkPlan => ({
    ...uplink(key),
    lag: { name: 'lag1', hash: 'l2', formed, bundled },
  });
  const resolve = (over: Partial<Teaming>, uplinks: readonly UplinkPlan[]) => {
    const place = { mapping: { up1: 'eth1' }, uplinks, passedOver: [], unhealthy: [] };
    return resolveTeam(teaming({ active: ['lag1'], ...over }), port(1), place);
  };
  const carriers = (team: ReturnType<typeof resolve>) =>
    team === undefined || 'missing' in team ? team : [team.kind, team.by, ...team.uplinks.map((u) => u.key)];

  it('goes by those of its uplinks that LACP has in the bundle, or by all until it has one', () => {
    expect(carriers(resolve({}, [member(2, true), member(1, true)]))).toEqual(['hash', 'l2', 1, 2]);
    expect(carriers(resolve({}, [member(1, false), member(2, true)]))).toEqual(['hash', 'l2', 2]);
    expect(carriers(resolve({}, [member(1, false), member(2, false)]))).toEqual(['hash', 'l2', 1, 2]);
  });

  it('goes by nothing where the LAG is not alone, has one uplink, or is asked for beacons', () => {
    const both = [member(1, true), member(2, true), uplink(3)];
    expect(resolve({ standby: ['up3'] }, both)).toMatchObject({ missing: expect.stringContaining('alone') });
    expect(resolve({}, [member(1, false, false)])).toMatchObject({
      missing: expect.stringContaining('needs two'),
    });
    expect(resolve({ detection: 'beacon' }, both)).toMatchObject({
      missing: expect.stringContaining('LACP does'),
    });
    expect(resolve({ active: ['lag2'] }, both)).toMatchObject({
      missing: expect.stringContaining('is there'),
    });
  });

  it('carries what names its uplinks by others alone', () => {
    expect(carriers(resolve({ active: names(3) }, [member(1, true), member(2, true), uplink(3)]))).toEqual([
      'order',
      undefined,
      3,
    ]);
    expect(resolve({ active: names(2) }, [member(1, true), member(2, true)])).toMatchObject({
      missing: expect.stringContaining('instead of it'),
    });
  });
});
