import { describe, expect, it } from '@jest/globals';
import { validateResource } from '#domain';
import { Model } from '../model/model.js';
import { caseOf } from './case.js';
import { worldAfter } from './events.js';
import { smaller } from './shrink.js';
import { bandwidthOf, type Place } from './worlds.js';

const PLACES: readonly Place[] = [
  {
    name: 'a',
    guests: { lan: ['g1', 'g2', 'g3'], inner: ['s1'] },
    uplinks: { lan: ['u1', 'u2'], inner: [] },
  },
  { name: 'b', guests: { lan: ['g1', 'g2', 'g3'] }, uplinks: { lan: ['u1', 'u2', 'u3'] } },
];
const SEEDS = Array.from({ length: 100 }, (_, i) => i + 1);

describe('the cases of the witness', () => {
  it('are the same for a seed, and others for another', () => {
    expect(caseOf(7, PLACES)).toEqual(caseOf(7, PLACES));
    expect(caseOf(7, PLACES)).not.toEqual(caseOf(8, PLACES));
  });

  it('are such as operators may ask for', () => {
    for (const seed of SEEDS) {
      const { switches, groups, hosts, sets } = caseOf(seed, PLACES).world;
      const asked = [
        ...switches.map(({ name, uplinks, privateVlans, mirrors, multicast, classLimits, policy }) => ({
          kind: 'DistributedSwitch',
          name,
          spec: {
            uplinks,
            privateVlans,
            mirrors,
            multicast,
            bandwidth: bandwidthOf(classLimits),
            policy,
            members: {},
          },
        })),
        ...groups.map(({ name, switch: of, policy, overridable }) => ({
          kind: 'PortGroup',
          name,
          spec: { switch: of, policy, overridable },
        })),
        ...sets.map((set) =>
          set.kind === 'addresses'
            ? { kind: 'AddressSet', name: set.name, spec: { addresses: set.addresses } }
            : { kind: 'PortSet', name: set.name, spec: { ports: set.ports.map((n) => `p${n}`) } },
        ),
        ...hosts.flatMap(({ ports }) =>
          ports.map(({ n, override }) => ({ kind: 'Port', name: `p${n}`, spec: { override } })),
        ),
      ];
      for (const resource of asked) expect(validateResource(resource)).toMatchObject({ ok: true });
    }
  });

  it('give the model something to do, and something to refuse', () => {
    let [passed, dropped] = [0, 0];
    for (const seed of SEEDS) {
      const { kind, world, rounds } = caseOf(seed, PLACES);
      // Limits that are scarce hang on the time.
      const model = new Model(world, { remembers: kind !== 'limits' });
      for (const arrival of rounds.flat()) {
        if (model.receive(arrival).length > 0) passed += 1;
        else dropped += 1;
      }
    }
    expect(passed).toBeGreaterThan(300);
    expect(dropped).toBeGreaterThan(300);
  });

  it('have changes of the world that make a difference to what was begun', () => {
    let different = 0;
    for (const seed of SEEDS) {
      const { kind, world, rounds, events } = caseOf(seed, PLACES);
      const change = events.find((event) => 'becomes' in event);
      if (change === undefined || kind !== 'plain') continue;
      const [stays, becomes] = [world, world].map((w) => new Model(w, { remembers: true }));
      rounds.forEach((round, i) => {
        if (i === change.before) becomes?.become(worldAfter(world, change));
        for (const arrival of round)
          if (JSON.stringify(stays?.receive(arrival)) !== JSON.stringify(becomes?.receive(arrival)))
            different += 1;
      });
    }
    expect(different).toBeGreaterThan(5);
  });

  it('become smaller one step at a time', () => {
    const c = caseOf(7, PLACES);
    const size = JSON.stringify(c).length;
    const steps = [...smaller(c)];
    expect(steps.length).toBeGreaterThan(10);
    // `false` is longer than `true`.
    for (const step of steps) expect(JSON.stringify(step).length).toBeLessThan(size + 2);
  });
});
