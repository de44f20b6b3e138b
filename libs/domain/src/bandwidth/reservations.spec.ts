import { describe, expect, it } from '@jest/globals';
import { applying, dvs, group, host, MAC_A, MAC_B, plug, World } from '../testing.js';

const GBIT = 1e9;
const reserving = (reservation: number, more: object = {}) =>
  group('web', { ports: 4, overridable: ['bandwidth'], policy: { bandwidth: { reservation, ...more } } });
const speed = (gbit: number, uplink = 'uplink1') => ({
  ...{ type: 'UplinkState' as const, switch: 'lan', uplink, up: true },
  speed: gbit * GBIT,
});

/** Two hosts with one uplink each. */
function world(spec: object, ...policies: object[]): World {
  const w = new World();
  w.apply(host('h1'), host('h2'), dvs('lan', ['h1', 'h2'], spec), ...policies);
  return w;
}
const bound = (w: World, h: string): number => w.state.byHost.get(h as never)?.size ?? 0;

describe('what is reserved', () => {
  it('is refused to a port that is plugged in where there is no room, and where nobody knows', () => {
    const w = world({}, reserving(0.5 * GBIT));
    w.facts('h1', plug('if-1'));
    expect(bound(w, 'h1')).toBe(0);
    w.facts('h1', speed(1), plug('if-1'));
    expect(bound(w, 'h1')).toBe(1);
    w.facts('h1', plug('if-2', MAC_B));
    expect(bound(w, 'h1')).toBe(1);
    const last = JSON.stringify(w.log.slice(-2));
    expect(last).toContain('no-bandwidth');
    expect(last).toContain('1000000000 bit/s');
  });

  it('is not asked of ports that reserve nothing', () => {
    const w = world({}, group('web'));
    w.facts('h1', plug('if-1'));
    expect(bound(w, 'h1')).toBe(1);
  });

  it('is admitted to where a guest moves, together', () => {
    const w = world({}, reserving(0.4 * GBIT));
    w.facts('h1', speed(1), plug('if-1', MAC_A, { owner: 'vm1' }));
    w.facts('h2', speed(0.5));
    const move = { type: 'StartMigration' as const, owner: 'vm1', destination: 'h2' as never };
    const refused = w.refused(move);
    expect(refused.details[0]?.field).toBe('ports.p1.bandwidth.reservation');
    w.facts('h2', speed(1));
    expect(w.do(move).map((e) => e.type)).toContain('MigrationStarted');
  });

  it('can not be raised over what hosts have, by switch, group or port', () => {
    const w = world({}, reserving(0.3 * GBIT));
    w.facts('h1', speed(1), plug('if-1'), plug('if-2', MAC_B));
    const fields = (resource: object) =>
      w.refused(applying(resource)).details.map((d) => d.field.split('.spec.')[1]);
    expect(fields(reserving(0.4 * GBIT))).toEqual(['policy.bandwidth']);
    const port = { kind: 'Port', name: 'p1', spec: { override: { bandwidth: { reservation: 0.5 * GBIT } } } };
    expect(fields(port)).toEqual(['override.bandwidth']);
    expect(fields(dvs('lan', ['h1', 'h2'], { bandwidth: { reservable: 50 } }))).toEqual(['bandwidth']);
    w.apply(reserving(0.2 * GBIT));
    w.apply(dvs('lan', ['h1', 'h2'], { bandwidth: { reservable: 50 } }));
    // An uplink that became slower takes nothing away, and nothing more is promised by it.
    w.facts('h1', speed(0.1));
    expect(fields(reserving(0.25 * GBIT))).toEqual(['policy.bandwidth']);
    expect(() => w.apply(reserving(0.15 * GBIT))).not.toThrow();
  });

  it('of a port is taken from what its class reserves', () => {
    const classes = { vm: { reservation: 0.5 * GBIT }, storage: { reservation: 0.2 * GBIT } };
    const w = world({ bandwidth: { classes } }, reserving(0.3 * GBIT));
    w.facts('h1', speed(1), plug('if-1'), plug('if-2', MAC_B));
    expect(bound(w, 'h1')).toBe(1);
    expect(JSON.stringify(w.log.slice(-2))).toContain('reserved for the class');
  });

  it('is counted by the slowest uplink, as any may be the only one left', () => {
    const members = { h1: { uplink1: 'eth1', uplink2: 'eth2' }, h2: {} };
    const w = world({ members }, reserving(0.5 * GBIT));
    w.facts('h1', speed(10), plug('if-1'));
    expect(bound(w, 'h1')).toBe(0);
    w.facts('h1', speed(0.5, 'uplink2'), plug('if-1'));
    expect(bound(w, 'h1')).toBe(0);
    w.facts('h1', speed(1, 'uplink2'), plug('if-1'));
    expect(bound(w, 'h1')).toBe(1);
  });
});
