import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { diff, diffSince, observe, order, type Plan } from '#openflow';
import { port } from './arbitrary/ports.fixture.js';
import { range } from './arbitrary/rules.fixture.js';
import {
  change,
  edited,
  follow,
  looks,
  NO_MEMBERS,
  NO_POLICIES,
  scene,
  sceneOf,
  text,
  type GroupPolicy,
} from './arbitrary/scenes.fixture.js';
import { faults } from './check.fixture.js';
import { compile } from './compile.js';
import { CompileMemo } from './memo.js';
import { maskRange, regions } from './ranges.js';
import { allotSlots } from './slots.js';

/** Within a list of a plan, the order says nothing: what is sent is one bundle. */
function inOrder(plan: Plan): object {
  const sorted = (list: readonly unknown[]): string[] => list.map(text).sort();
  const delta = ({ add, change, remove }: Plan['bridges'][number]['flows' | 'groups' | 'meters']) =>
    [add, change, remove].map(sorted);
  return {
    ...plan,
    bridges: plan.bridges.map((b) => ({
      ...b,
      flows: delta(b.flows),
      groups: delta(b.groups),
      meters: delta(b.meters),
    })),
  };
}

describe('whatever the documents say', () => {
  it('what is remembered of other documents makes no difference', () => {
    fc.assert(
      fc.property(fc.array(scene, { minLength: 2, maxLength: 5 }), (scenes) => {
        const memo = new CompileMemo();
        for (const { desired, facts } of [...scenes, ...scenes])
          expect(text(compile(desired, facts, memo))).toBe(text(compile(desired, facts)));
      }),
      { numRuns: 60 },
    );
  });

  it('what changed of it makes the plan that the whole makes', () => {
    let quick = 0;
    let narrow = 0;
    fc.assert(
      fc.property(
        fc.array(port, { maxLength: 6 }),
        fc.array(change, { maxLength: 6 }),
        looks,
        (ports, steps, look) => {
          const memo = new CompileMemo();
          let now = ports;
          const groups: [GroupPolicy, GroupPolicy] = [...NO_POLICIES];
          let its = NO_MEMBERS;
          let { desired, facts } = sceneOf(now, groups, look, its);
          for (const step of [[], ...steps]) {
            const before = compile(desired, facts, memo);
            if (Array.isArray(step)) now = step.reduce(edited, now);
            else if ('members' in step) its = step.members;
            else groups[step.group] = step.policy;
            ({ desired, facts } = follow({ desired, facts }, sceneOf(now, groups, look, its)));
            const after = compile(desired, facts, memo);
            expect(text(after)).toBe(text(compile(desired, facts)));
            narrow += after.quarantined === before.quarantined ? 1 : 0;
            const have = observe(before.state);
            const plan = diffSince(after.state, before.state, have.interfaces);
            if (plan === null) continue;
            quick += 1;
            expect(inOrder(plan)).toEqual(inOrder(diff(after.state, have)));
          }
        },
      ),
      { numRuns: 60 },
    );
    expect(quick).toBeGreaterThan(30);
    // Those that looked at the ports of one group alone.
    expect(narrow).toBeGreaterThan(20);
  });

  it('no two flows overlap, every reference exists, and the switch that has it is left alone', () => {
    fc.assert(
      fc.property(scene, ({ desired, facts }) => {
        const { state } = compile(desired, facts);
        expect(state.bridges.flatMap(faults)).toEqual([]);
        expect(order(diff(state, observe(state)))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('the order of documents and interfaces makes no difference', () => {
    fc.assert(
      fc.property(scene, ({ desired, facts }) => {
        const other = {
          ...desired,
          ports: [...desired.ports].reverse(),
          groups: [...desired.groups].reverse(),
          sets: [...(desired.sets ?? [])].reverse(),
        };
        const interfaces = [...facts.interfaces].reverse();
        expect(compile(other, { ...facts, interfaces })).toEqual(compile(desired, facts));
      }),
      { numRuns: 40 },
    );
  });

  it('masks cover a range exactly and once', () => {
    fc.assert(
      fc.property(range(0, 4095), (r) => {
        const masks = maskRange(r, 12);
        for (let n = 0; n < 4096; n += 1) {
          const hits = masks.filter((m) => (n & m.mask) === m.value).length;
          if (hits !== (n >= r.from && n <= r.to ? 1 : 0)) return false;
        }
        return true;
      }),
      { numRuns: 50 },
    );
  });

  it('regions hold each segment once, with exactly those that take part in it', () => {
    fc.assert(
      fc.property(fc.array(range(0, 60), { maxLength: 5 }), (items) => {
        const found = regions(items, (r) => [r]);
        for (let n = 0; n <= 60; n += 1) {
          const here = found.filter((x) => x.ranges.some((r) => r.from <= n && n <= r.to));
          const members = items.filter((r) => r.from <= n && n <= r.to);
          if (here.length !== (members.length > 0 ? 1 : 0)) return false;
          if (members.some((m, i) => here[0]?.members[i] !== m)) return false;
        }
        return true;
      }),
    );
  });

  it('slots stay with their bindings, and none is given twice', () => {
    const keys = fc.uniqueArray(fc.constantFrom('p1@1', 'p1@2', 'p2@1', 'p3@1', 'p4@9'));
    fc.assert(
      fc.property(keys, keys, (before, after) => {
        const first = allotSlots({}, before);
        const second = allotSlots(first, after);
        expect(new Set(Object.values(second)).size).toBe(after.length);
        for (const key of after) if (before.includes(key)) expect(second[key]).toBe(first[key]);
      }),
    );
  });
});
