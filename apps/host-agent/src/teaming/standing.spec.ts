import { describe, expect, it } from '@jest/globals';
import { isTeamingMemory, NO_TEAMING, withLinks, type TeamingMemory } from './standing.js';

const SWITCHES = [{ switch: 'lan', uplinks: { uplink1: 'eth0', uplink2: 'eth1' } }] as never;
const links = (eth0: boolean, eth1: boolean) =>
  [
    { bridge: 'pt-lan', name: 'eth0', linkUp: eth0 },
    { bridge: 'pt-lan', name: 'eth1', linkUp: eth1 },
  ] as never;
const after = (...states: readonly (readonly [boolean, boolean])[]): TeamingMemory =>
  states.reduce((memory, [a, b]) => withLinks(memory, SWITCHES, links(a, b)), NO_TEAMING);

describe('what a host remembers of its uplinks', () => {
  it('passes nothing over that never was up', () => {
    expect(after([false, true])).toMatchObject({ live: { lan: ['uplink2'] }, passedOver: {} });
    expect(after([false, true], [true, true]).passedOver).toEqual({});
  });

  it('passes over what failed, also when it is back, the longest out first', () => {
    expect(after([true, true], [false, true], [true, true]).passedOver).toEqual({ lan: ['uplink1'] });
    const both = [
      [true, true],
      [false, true],
      [true, true],
      [true, false],
    ] as const;
    expect(after(...both).passedOver).toEqual({ lan: ['uplink1', 'uplink2'] });
    expect(after(...both, [true, true], [false, true]).passedOver).toEqual({ lan: ['uplink2', 'uplink1'] });
  });

  it('is the same object while nothing changes, and forgets uplinks that the host has no more', () => {
    const memory = after([true, true], [false, true]);
    expect(withLinks(memory, SWITCHES, links(false, true))).toBe(memory);
    const one = [{ switch: 'lan', uplinks: { uplink2: 'eth1' } }] as never;
    expect(withLinks(memory, one, links(true, true)).passedOver).toEqual({});
  });

  it('is not believed where it makes no sense', () => {
    expect(isTeamingMemory(after([true, true], [false, true]))).toBe(true);
    for (const bad of [null, {}, { ...NO_TEAMING, live: { lan: [3] } }, { ...NO_TEAMING, pins: { p1: 3 } }])
      expect(isTeamingMemory(bad)).toBe(false);
  });
});
