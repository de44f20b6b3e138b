import { fullPolicy } from '#domain/on-host';
import { describe, expect, it } from '@jest/globals';
import { diff, observe, order, parseCookie } from '#openflow';
import { faults } from './check.fixture.js';
import { compile } from './compile.js';
import { CompileMemo } from './memo.js';
import { FEATURE_CODES, type FeatureName } from './pipeline/cookies.js';
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

  it('keeps what did not look at the policy that changed, as the very same flows', () => {
    const memo = new CompileMemo();
    const facts = factsOf(desired);
    const flows = (of: typeof desired) => compile(of, facts, memo).state.bridges[0]!.flows;
    const known = new Set(flows(desired));
    const filter = [{ name: 'no', direction: 'out', action: 'drop', match: {} }];
    const override = fullPolicy({ filter });
    const ports = desired.ports.map((p) => (p.port === 'p1' ? { ...p, override: override as never } : p));
    const changed = flows({ ...desired, ports });
    expect(changed).toEqual(compile({ ...desired, ports }, facts).state.bridges[0]!.flows);
    const written = (feature: FeatureName) =>
      changed.filter((f) => {
        const { feature: of, object } = parseCookie(f.cookie);
        return of === FEATURE_CODES[feature] && object !== 0;
      });
    for (const feature of ['count', 'segment', 'security', 'output'] as const)
      expect(written(feature).filter((f) => !known.has(f))).toEqual([]);
    expect(written('filter').some((f) => !known.has(f))).toBe(true);
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
