import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Flow, type Step } from '#openflow';
import { bridgeName } from '../bridge-name.js';
import { desiredIn, PORTS, turn, world } from '../arbitrary/changes.fixture.js';
import { type Desired } from '../types.js';
import { WalkingHost } from './walk.fixture.js';

const BRIDGE = bridgeName('lan');
const steps = (host: WalkingHost, to: Desired) => {
  let taken = 0;
  return host.walk(to, { each: () => (taken += 1) }).then(() => taken);
};

/** Every document as it was, or as it will be. */
const mixed = (before: Desired, after: Desired, isNew: readonly boolean[]): Desired => {
  let place = 0;
  const either = <T extends { readonly key: string }>(old: readonly T[], now: readonly T[]): T[] => {
    const then = new Map(old.map((it) => [it.key, it]));
    const soon = new Map(now.map((it) => [it.key, it]));
    return [...new Set([...then.keys(), ...soon.keys()])].flatMap((key) => {
      const from = isNew[(place += 1) % isNew.length] === true ? soon : then;
      return from.get(key) ?? [];
    });
  };
  return {
    host: either([before.host], [after.host])[0] ?? after.host,
    ports: either(before.ports, after.ports),
    switches: either(before.switches, after.switches),
    groups: either(before.groups, after.groups),
    sets: either(before.sets ?? [], after.sets ?? []),
  };
};

/** What other hands do to a bridge: by number, some of its flows, meters and groups. */
const havoc = fc.record({
  deleted: fc.array(fc.nat(), { maxLength: 8 }),
  altered: fc.array(fc.nat(), { maxLength: 8 }),
  meters: fc.array(fc.nat(), { maxLength: 3 }),
  groups: fc.array(fc.nat(), { maxLength: 3 }),
});
type Havoc = typeof havoc extends fc.Arbitrary<infer H> ? H : never;

const FOREIGN: Flow = { table: 250, priority: 7, match: {}, actions: [], cookie: 0x77n };
const BY_HAND: Flow = { ...FOREIGN, priority: 8, cookie: 0n };

async function ruin(host: WalkingHost, { deleted, altered, meters, groups }: Havoc): Promise<void> {
  const [bridge] = (await host.driver.read()).bridges;
  const pick = <T>(list: readonly T[], at: number): T[] =>
    list.slice(at % Math.max(1, list.length)).slice(0, 1);
  for (const { flow } of altered.flatMap((n) => pick(bridge?.flows ?? [], n)))
    host.switch.alterFlow(BRIDGE, { ...flow, actions: [] });
  for (const { flow } of deleted.flatMap((n) => pick(bridge?.flows ?? [], n)))
    host.switch.deleteFlow(BRIDGE, flow);
  for (const id of new Set(meters.flatMap((n) => pick(bridge?.meters ?? [], n)).map((m) => m.id)))
    host.switch.alterMeter(BRIDGE, { kind: 'meter-mod', command: 'delete', id });
  for (const id of new Set(groups.flatMap((n) => pick(bridge?.groups ?? [], n)).map((g) => g.id)))
    host.switch.alterGroup(BRIDGE, { kind: 'group-mod', command: 'delete', id });
  for (const flow of [FOREIGN, BY_HAND]) host.switch.alterFlow(BRIDGE, flow);
}

describe('the tables that a host ends with', () => {
  it('are those of before when a change is taken back, and what is there already sends nothing', async () => {
    await fc.assert(
      fc.asyncProperty(world, fc.array(world, { minLength: 1, maxLength: 2 }), async (first, others) => {
        const host = new WalkingHost(PORTS);
        await host.walk(desiredIn(first));
        const before = await host.digest();
        // A device that is plugged anew gets another number.
        const { uplinks } = first;
        for (const other of others) await host.walk(desiredIn({ ...other, uplinks }));
        await host.walk(desiredIn(first));
        expect(await host.digest()).toBe(before);
        expect(await steps(host, desiredIn(first))).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  it('are told apart where they differ', async () => {
    let apart = 0;
    await fc.assert(
      fc.asyncProperty(turn, async ([before, after]) => {
        const host = new WalkingHost(PORTS);
        await host.walk(desiredIn(before));
        const digest = await host.digest();
        const taken = await steps(host, desiredIn(after));
        if ((await host.digest()) === digest) return;
        expect(taken).toBeGreaterThan(0);
        apart += 1;
      }),
      { numRuns: 30 },
    );
    expect(apart).toBeGreaterThan(20);
  });

  it('do not depend on the order, the repetition and the squashing of documents', async () => {
    const views = fc.array(fc.array(fc.boolean(), { minLength: 3, maxLength: 9 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(turn, views, async ([first, last], between) => {
        const [before, after] = [desiredIn(first), desiredIn(last)];
        const host = new WalkingHost(PORTS);
        await host.walk(before);
        for (const isNew of between) await host.walk(mixed(before, after, isNew));
        await host.walk(after);
        expect(await host.digest()).toBe(host.wanted(after));
      }),
      { numRuns: 30 },
    );
  });

  it('are what is wanted whatever somebody did to them, and leave what another program set', async () => {
    await fc.assert(
      fc.asyncProperty(turn, havoc, async ([before, after], deeds) => {
        const host = new WalkingHost(PORTS);
        await host.walk(desiredIn(before));
        await ruin(host, deeds);
        await host.walk(desiredIn(after));
        expect(await host.digest()).toBe(host.wanted(desiredIn(after)));
        const [bridge] = (await host.driver.read()).bridges;
        const others = bridge?.flows
          .filter(({ flow }) => flow.table === 250)
          .map(({ flow }) => flow.priority);
        expect(others).toEqual([FOREIGN.priority]);
      }),
      { numRuns: 40 },
    );
  });

  it('are seen not to be reached where nothing is ever taken away', async () => {
    const left = (steps: Step[]): Step[] =>
      steps.map((step) =>
        step.kind === 'bundle' ? { ...step, mods: step.mods.filter((m) => m.op !== 'delete-flow') } : step,
      );
    const found = await fc.check(
      fc.asyncProperty(turn, async ([before, after]) => {
        const host = new WalkingHost(PORTS);
        await host.walk(desiredIn(before));
        await host.walk(desiredIn(after), { amiss: left });
      }),
      { numRuns: 20, endOnFailure: true },
    );
    expect(String(found.errorInstance)).toContain('does not become what is wanted');
  });
});
