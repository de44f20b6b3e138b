import { describe, expect, it } from '@jest/globals';
import { diff, observe } from '#openflow';
import { compile } from '../../compile.js';
import { desiredOf, factsOf, groupDoc, switchDoc, type PortSpec } from '../../documents.fixture.js';
import { TABLES } from '../../pipeline/tables.js';

const rule = (name: string, tcp: number) => ({
  name,
  tier: 1,
  enabled: true,
  direction: 'out' as const,
  action: 'drop' as const,
  match: { etherType: 0x0800, ipProtocol: 6, dstPort: { from: tcp, to: tcp } },
});
const groups = (...rules: readonly object[]) => [groupDoc('web', { filter: rules } as never)];
const PORTS = [1, 2, 3, 4, 5].map((n): PortSpec => ({ n }));

function compiled(rules: readonly object[], ports = PORTS) {
  const switches = { lan: { uplink1: 'eth0' } };
  const desired = desiredOf({
    switches,
    docs: [switchDoc('lan', ['uplink1'])],
    groups: groups(...rules),
    ports,
  });
  return compile(desired, factsOf(desired)).state;
}

const count = (state: ReturnType<typeof compiled>, table: number): number =>
  state.bridges[0]!.flows.filter((f) => f.table === table && f.priority > 0).length;

describe('lists of rules', () => {
  it('stand once, whatever the number of ports, and only in the direction that they speak of', () => {
    const state = compiled([rule('a', 80), rule('b', 81)]);
    expect(count(state, TABLES.RULES_OUT_1)).toBe(2);
    expect(count(state, TABLES.FILTER_OUT)).toBe(PORTS.length);
    expect([count(state, TABLES.FILTER_IN), count(state, TABLES.RULES_IN_1)]).toEqual([0, 0]);
  });

  it('change by the rule that changed', () => {
    const before = compiled([rule('a', 80)]);
    const { flows } = diff(compiled([rule('a', 80), rule('b', 81)]), observe(before)).bridges[0]!;
    expect([flows.add.length, flows.change.length, flows.remove.length]).toEqual([1, 0, 0]);
  });

  it('are kept apart where a port has its own, and that port is no longer under the old one', () => {
    const own = [{ n: 1, override: { filter: [rule('mine', 22)] } as never }, ...PORTS.slice(1)];
    const state = compiled([rule('a', 80)], own);
    expect(count(state, TABLES.RULES_OUT_1)).toBe(2);
    const chosen = state.bridges[0]!.flows.filter((f) => f.table === TABLES.FILTER_OUT && f.priority > 0);
    const lists = chosen.map((f) => f.actions.flatMap((a) => (a.kind === 'set-field' ? [a.value] : []))[0]);
    expect(new Set(lists).size).toBe(2);
    expect(lists.filter((list) => list === lists[0])).toHaveLength(1);
  });
});
