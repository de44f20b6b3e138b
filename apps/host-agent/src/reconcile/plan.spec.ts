import { describe, expect, it } from '@jest/globals';
import { REG, TABLES, type Compiled } from '#compiler';
import { type Epoch, type HostName, type PortId } from '#kernel';
import { LEARNED_OWNER, makeCookie, observe, type Flow, type Observation } from '#openflow';
import { learnedRow, standingSlots } from '../facts/learned.js';
import { planOf } from './plan.js';

const flow = (more: Partial<Flow>): Flow => ({
  table: 0,
  priority: 1,
  match: {},
  actions: [],
  cookie: makeCookie({ feature: 1, object: 1 }),
  ...more,
});
/** A row as the switch learns it: the binding of this slot opened, or was turned away. */
const row = (slot: number, active: boolean): Flow =>
  flow({
    table: TABLES.ACTIVITY,
    priority: 100,
    match: { [REG.lookup]: { value: BigInt(slot) } },
    actions: [{ kind: 'set-field', field: REG.active, value: active ? 1n : 0n, mask: 1n }],
    cookie: makeCookie({ owner: LEARNED_OWNER, feature: 6, object: slot }),
  });
const compiledWith = (...flows: Flow[]): Compiled => {
  const bridge = { name: 'b', switch: 'lan', mtu: 1500, ports: [], flows, groups: [], meters: [] };
  return { state: { bridges: [bridge] }, exceptions: [], bindings: [], quarantined: [] };
};
const facts = { host: 'h1' as HostName, round: 1, slots: { 'p1@1': 4 }, activations: [], handedOver: [] };
const known = { port: 'p1' as PortId, epoch: 1 as Epoch };
const standing = (...flows: Flow[]): Observation => observe(compiledWith(...flows).state);

describe('learned rows', () => {
  it('say which slot opened or was turned', () => {
    expect(learnedRow(row(4, true))).toEqual({ slot: 4, active: true });
    expect(learnedRow(row(4, false))).toEqual({ slot: 4, active: false });
    expect(learnedRow(flow({ table: TABLES.ACTIVITY }))).toBeNull();
    expect(standingSlots(standing(row(4, true)))).toEqual(new Set([4]));
  });

  it.each([
    ['not yet known: it is left', facts, row(4, true), []],
    ['known: it goes', { ...facts, activations: [known] }, row(4, true), ['delete-flow']],
    ['known as opened, now turned: that is news', { ...facts, activations: [known] }, row(4, false), []],
    ['of a slot that is nobody’s: it goes', facts, row(9, true), ['delete-flow']],
  ])('%s', (_what, local, learned, ops) => {
    const { steps } = planOf(compiledWith(), local, standing(learned));
    expect(steps.flatMap((s) => (s.kind === 'bundle' ? s.mods.map((m) => m.op) : []))).toEqual(ops);
  });
});

describe('a plan', () => {
  it('has nothing to do where all is as it must be', () => {
    const want = flow({});
    expect(planOf(compiledWith(want), facts, standing(want)).steps).toEqual([]);
  });

  it('empties the cache where it arms a trigger, which fires on a miss only', () => {
    const learn: Flow['actions'][number] = {
      kind: 'learn',
      table: TABLES.ACTIVITY,
      priority: 100,
      cookie: makeCookie({ owner: LEARNED_OWNER, feature: 6, object: 4 }),
      idleTimeout: 0,
      hardTimeout: 0,
      specs: [],
    };
    const kinds = (want: Flow): string[] =>
      planOf(compiledWith(want), facts, standing()).steps.map((s) => s.kind);
    expect(kinds(flow({ actions: [learn] }))).toContain('purge');
    expect(kinds(flow({}))).not.toContain('purge');
  });
});
