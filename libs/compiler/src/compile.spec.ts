import { describe, expect, it } from '@jest/globals';
import { diff, observe, order } from '#openflow';
import { faults } from './check.fixture.js';
import { compile } from './compile.js';
import { desiredOf, factsOf, groupDoc, switchDoc, TOKEN } from './documents.fixture.js';

describe('compile', () => {
  const desired = desiredOf({
    switches: { lan: { uplink1: 'eth0', uplink2: 'eth1' } },
    docs: [switchDoc('lan', ['uplink1', 'uplink2'])],
    groups: [
      groupDoc('web', { vlan: { mode: 'access', id: 100 } as never }),
      groupDoc('trunk', {
        vlan: { mode: 'trunk', ranges: [{ from: 1, to: 4094 }] } as never,
        promiscuous: true,
      }),
    ],
    ports: [
      { n: 1 },
      { n: 2, override: { blocked: true } },
      { n: 3, group: 'trunk' },
      { n: 4, role: 'standby', token: TOKEN, epoch: 2 },
      { n: 5, token: TOKEN },
      { n: 6, role: 'retired' },
      { n: 7, override: { shapingIn: { average: 1e6, peak: 2e6, burst: 10_000 }, forgedTransmits: true } },
    ],
  });

  it('gives a bridge without overlaps, unknown references or jumps backwards', () => {
    const { state, exceptions } = compile(desired, factsOf(desired));
    expect(exceptions).toEqual([]);
    expect(state.bridges.flatMap(faults)).toEqual([]);
  });

  it('is what a switch that was told so already has', () => {
    const { state } = compile(desired, factsOf(desired));
    expect(order(diff(state, observe(state)))).toEqual([]);
  });

  it('does not depend on the order of its inputs', () => {
    const facts = factsOf(desired);
    const turned = {
      ...desired,
      ports: [...desired.ports].reverse(),
      groups: [...desired.groups].reverse(),
      switches: [...desired.switches].reverse(),
    };
    const interfaces = [...facts.interfaces].reverse();
    expect(compile(turned, { ...facts, interfaces })).toEqual(compile(desired, facts));
  });

  it('opens the active ports only', () => {
    const { bindings } = compile(desired, factsOf(desired));
    expect(bindings.filter((b) => b.open).map((b) => b.port)).toEqual(['p1', 'p2', 'p3', 'p5', 'p7']);
    expect(bindings.filter((b) => b.ready).map((b) => b.port)).toEqual(['p1', 'p2', 'p3', 'p4', 'p5', 'p7']);
  });
});
