import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RowCache } from './cache.js';

const uuid = (n: number) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const A = uuid(1);

/** The whole value from before and after, as `update2` writes the difference. */
function difference(before: Record<string, string>, after: Record<string, string>): unknown {
  const gone = Object.entries(before).filter(([key]) => !Object.hasOwn(after, key));
  const came = Object.entries(after).filter(([key, value]) => before[key] !== value);
  return ['map', [...gone, ...came]];
}

describe('RowCache', () => {
  it('takes the small differences of update2', () => {
    const cache = new RowCache();
    const initial = {
      name: 'veth0',
      ofport: 3,
      external_ids: [
        'map',
        [
          ['iface-id', 'web'],
          ['vm-id', 'x'],
        ],
      ],
    };
    cache.apply({ Interface: { [A]: { initial } } });
    expect(cache.get('Interface', A)).toMatchObject({
      name: 'veth0',
      ofport: 3,
      linkUp: false,
      externalIds: { 'iface-id': 'web', 'vm-id': 'x' },
    });
    const modify = {
      link_state: 'up',
      ofport: ['set', []],
      external_ids: [
        'map',
        [
          ['vm-id', 'x'],
          ['iface-id', 'db'],
        ],
      ],
    };
    expect(cache.apply({ Interface: { [A]: { modify } } })).toEqual(
      new Set(['Interface.link_state', 'Interface.ofport', 'Interface.external_ids']),
    );
    const row = cache.get('Interface', A);
    expect(row).toMatchObject({ linkUp: true, externalIds: { 'iface-id': 'db' } });
    expect(row).not.toHaveProperty('ofport');
    cache.apply({ Interface: { [A]: { delete: null } } });
    expect(cache.get('Interface', A)).toBeUndefined();
  });

  it('adds and takes references', () => {
    const cache = new RowCache();
    cache.apply({ Bridge: { [A]: { insert: { name: 'br', ports: ['uuid', uuid(2)] } } } });
    const change = [
      'set',
      [
        ['uuid', uuid(2)],
        ['uuid', uuid(3)],
      ],
    ];
    cache.apply({ Bridge: { [A]: { modify: { ports: change } } } });
    expect(cache.get('Bridge', A)?.ports).toEqual([uuid(3)]);
  });

  it('takes whole rows of the older update', () => {
    const cache = new RowCache();
    cache.apply({ Port: { [A]: { new: { name: 'p', external_ids: ['map', []] } } } });
    const changed = {
      old: { external_ids: ['map', []] },
      new: { name: 'p', external_ids: ['map', [['k', 'v']]] },
    };
    expect(cache.apply({ Port: { [A]: changed } })).toEqual(new Set(['Port.external_ids']));
    expect(cache.get('Port', A)?.externalIds).toEqual({ k: 'v' });
    cache.apply({ Port: { [A]: { old: { name: 'p' } } } });
    expect([...cache.rows('Port')]).toEqual([]);
  });

  it('holds devices for what they were when a restarted database has forgotten what the switch said of them', () => {
    const cache = new RowCache();
    const kept = { name: 'eth0', ofport: 3 };
    const said = { link_state: 'up', mtu: 1_500, mac_in_use: '02:00:00:00:00:01' };
    cache.renew({ Interface: { [A]: { initial: { ...kept, ...said } } } });
    cache.renew({ Interface: { [A]: { initial: kept }, [uuid(2)]: { initial: { name: 'eth1' } } } });
    expect(cache.get('Interface', A)).toMatchObject({ ofport: 3, linkUp: true, mtu: 1_500 });
    expect(cache.get('Interface', uuid(2))).toMatchObject({ linkUp: false });
    cache.apply({ Interface: { [A]: { modify: { link_state: 'down' } } } });
    expect(cache.get('Interface', A)).toMatchObject({ linkUp: false });
  });

  it('believes a database that knows what the switch said', () => {
    const cache = new RowCache();
    const up = { initial: { name: 'eth0', link_state: 'up', lacp_current: true } };
    cache.renew({ Interface: { [A]: up } });
    cache.renew({ Interface: { [A]: { initial: { name: 'eth0', link_state: 'down' } } } });
    expect(cache.get('Interface', A)).toMatchObject({ linkUp: false });
    expect(cache.get('Interface', A)).not.toHaveProperty('lacpCurrent');
  });

  it('follows any change of a map', () => {
    const map = fc.dictionary(fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 }), { maxKeys: 5 });
    fc.assert(
      fc.property(fc.array(map, { minLength: 1, maxLength: 5 }), (states) => {
        const cache = new RowCache();
        cache.apply({ Port: { [A]: { insert: { name: 'p' } } } });
        let before: Record<string, string> = {};
        for (const after of states) {
          cache.apply({ Port: { [A]: { modify: { external_ids: difference(before, after) } } } });
          before = after;
        }
        expect(Object.entries(cache.get('Port', A)?.externalIds ?? {}).sort()).toEqual(
          Object.entries(before).sort(),
        );
      }),
    );
  });

  it('reports what is wrong in a row, and takes the rest', () => {
    const cache = new RowCache();
    const insert = {
      name: 'veth0',
      ofport: 70_000,
      mtu: 'big',
      external_ids: [
        'map',
        [
          ['ok', '1'],
          ['n', 5],
          ['__proto__', 'x'],
          ['long', 'y'.repeat(5_000)],
        ],
      ],
      error: 7,
    };
    cache.apply({ Interface: { [A]: { insert } } });
    const row = cache.get('Interface', A);
    expect(row).toMatchObject({ name: 'veth0', linkUp: false });
    expect(Object.entries(row?.externalIds ?? {})).toEqual([
      ['ok', '1'],
      ['__proto__', 'x'],
    ]);
    expect(cache.problems().map(({ details }) => details.map(({ field }) => field))).toEqual([
      ['ofport', 'mtu', 'error', 'external_ids', 'external_ids:long'],
    ]);
    cache.apply({ Interface: { [A]: { insert: { name: 'veth0' } } } });
    expect(cache.problems()).toEqual([]);
  });

  it('never throws, whatever the database sends', () => {
    const junk = fc.jsonValue({ maxDepth: 4 });
    const column = fc.constantFrom(
      'name',
      'ofport',
      'external_ids',
      'ports',
      'bridges',
      'interfaces',
      'next_cfg',
    );
    const value = fc.oneof(
      junk,
      fc.tuple(fc.constantFrom('set', 'map', 'uuid'), junk),
      fc.tuple(fc.constant('map'), fc.array(fc.oneof(junk, fc.tuple(junk, junk)))),
    );
    const row = fc.dictionary(fc.oneof(column, fc.string()), value, { maxKeys: 5 });
    const form = fc.constantFrom('initial', 'insert', 'modify', 'delete', 'new', 'old', 'other');
    const update = fc.oneof(junk, fc.dictionary(form, fc.oneof(junk, row), { maxKeys: 2 }));
    const rows = fc.dictionary(fc.oneof(fc.nat(3).map(uuid), fc.string()), update, { maxKeys: 4 });
    const table = fc.constantFrom('Open_vSwitch', 'Bridge', 'Port', 'Interface', 'Other', '__proto__');
    fc.assert(
      fc.property(
        fc.array(fc.oneof(junk, fc.dictionary(table, fc.oneof(junk, rows))), { maxLength: 4 }),
        (all) => {
          const cache = new RowCache();
          for (const updates of all) cache.apply(updates);
          for (const fault of cache.problems()) expect(fault.code).toBe('invalid');
          for (const [, { name, externalIds }] of cache.rows('Interface')) {
            expect(typeof name).toBe('string');
            expect(Object.values(externalIds).every((text) => typeof text === 'string')).toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
