import fc from 'fast-check';
import {
  addressSet,
  desiredOf,
  factsOf,
  groupDoc,
  mac,
  portSet,
  switchDoc,
  type PortSpec,
} from '../documents.fixture.js';
import { MAP } from '../scenario/private-vlan.fixture.js';
import { filter } from './rules.fixture.js';
import { heard, type Heard } from './multicast.fixture.js';
import { port, prefix, said, vlan, type Port } from './ports.fixture.js';

/** Members of two address sets, and of a set of ports with the VLAN that it means them in. */
export const members = fc.record({
  a: fc.uniqueArray(prefix, { maxLength: 5 }),
  b: fc.uniqueArray(prefix, { maxLength: 5 }),
  p: fc.tuple(fc.uniqueArray(fc.constantFrom(...[1, 2, 50, 51].map(mac)), { maxLength: 4 }), vlan),
});
export type Members = typeof members extends fc.Arbitrary<infer M> ? M : never;
export const NO_MEMBERS: Members = { a: [], b: [], p: [[], { mode: 'none' }] };

/** What the two groups say besides how they team. */
export const groupPolicy = fc.record(
  { filter, blocked: fc.boolean(), ipfix: fc.boolean(), bandwidth: said },
  { requiredKeys: [] },
);
export type GroupPolicy = typeof groupPolicy extends fc.Arbitrary<infer G> ? G : never;
export const NO_POLICIES: readonly [GroupPolicy, GroupPolicy] = [{}, {}];

const spread = (mode: 'port' | 'ip-hash') => {
  const usual = { standby: [], failback: true, notify: true, detection: 'link' };
  return groupDoc(mode, { teaming: { ...usual, mode, active: ['uplink1', 'uplink2'] } } as never);
};

/** Ports, groups and uplinks to ports and to the wire. */
const mirrors = fc.array(
  fc.record({
    name: fc.constant('m'),
    sources: fc.array(
      fc
        .tuple(
          fc.constantFrom(
            { port: 'p1' },
            { port: 'p2' },
            { group: 'one' },
            { uplink: 'uplink1' },
            { uplink: 'uplink2' },
          ),
          fc.constantFrom('in', 'out', 'both'),
        )
        .map(([what, direction]) => ({ ...what, direction })),
      { minLength: 1, maxLength: 3 },
    ),
    vlans: fc.constantFrom(undefined, [0], [2, 3, 9], [0, 4, 999]),
    to: fc.constantFrom({ port: 'p1' }, { port: 'p3' }, { uplinks: ['uplink2', 'uplink1'], vlan: 999 }),
    snapLength: fc.constantFrom(null, 64),
    allowTraffic: fc.boolean(),
  }),
  { maxLength: 3 },
);
const ipfix = fc.constantFrom(
  null,
  ...[true, false].map((internalOnly) => ({
    ...{ collector: '10.0.0.9:4739', domain: 1, activeTimeout: 60, sampling: 7, internalOnly },
  })),
);
const classes = fc.constantFrom({}, { storage: { shares: 50, limit: 1e7, reservation: 0 } });
const bandwidth = fc.option(fc.record({ classes, reservable: fc.constant(75) }));
const multicast = fc.constantFrom('basic' as const, 'snooping' as const);
export const looks = fc.record({ mirrors, ipfix, bandwidth, multicast });
export type Looks = typeof looks extends fc.Arbitrary<infer L> ? L : never;

export const sceneOf = (
  ports: readonly Port[],
  [one, two] = NO_POLICIES,
  look?: Looks,
  its = NO_MEMBERS,
  lan?: Heard,
) => {
  const { a, b, p } = its;
  const desired = desiredOf({
    switches: { lan: { uplink1: 'eth0', uplink2: 'eth1' } },
    docs: [{ ...switchDoc('lan', ['uplink1', 'uplink2']), privateVlans: MAP, ...(look as object) }],
    groups: [
      groupDoc('one', {
        ...(one as object),
        teaming: { active: ['uplink1'], standby: ['uplink2'] },
      } as never),
      spread('port'),
      spread('ip-hash'),
      groupDoc('two', {
        ...(two as object),
        teaming: { active: ['uplink2', 'uplink1'], standby: [] },
      } as never),
    ],
    sets: [addressSet('a', a), addressSet('b', b), portSet('p', ...p)],
    ports: ports.map((p, i) => ({ n: i + 1, ...p }) as unknown as PortSpec),
  });
  return { desired, facts: factsOf(desired, lan === undefined ? {} : { multicast: { 'pt-lan': lan } }) };
};
export const scene = fc
  .tuple(fc.array(port, { maxLength: 7 }), looks, members, heard)
  .map(([ports, look, its, lan]) => sceneOf(ports, NO_POLICIES, look, its, lan));

/** One port becomes another, or only its policy does. */
const edit = fc.record({ at: fc.nat(5), to: port, whole: fc.constantFrom(false, false, false, true) });
export type Edit = typeof edit extends fc.Arbitrary<infer E> ? E : never;
/** Of ports, or of what one group says. */
export const change = fc.oneof(
  fc.array(edit),
  fc.record({ group: fc.constantFrom(0 as const, 1 as const), policy: groupPolicy }),
  fc.record({ members }),
);
export const edited = (ports: Port[], { at, to, whole }: Edit): Port[] =>
  ports.map((p, i) => (i !== at ? p : whole ? to : { ...p, override: to.override }));

export type Scene = ReturnType<typeof sceneOf>;
/** Documents that say the same are the same objects, as an agent has them. */
export function follow(before: Scene, { desired, facts }: Scene): Scene {
  const kept = <T>(old: readonly T[], now: readonly T[]): T[] =>
    now.map((it) => old.find((o) => text(o) === text(it)) ?? it);
  return {
    desired: {
      host: desired.host,
      ports: kept(before.desired.ports, desired.ports),
      switches: kept(before.desired.switches, desired.switches),
      groups: kept(before.desired.groups, desired.groups),
      sets: kept(before.desired.sets ?? [], desired.sets ?? []),
    },
    facts: text(facts) === text(before.facts) ? before.facts : facts,
  };
}

/** All that a value says, so that two can be compared; not what only saves work, nor what moves by itself. */
export const text = (value: unknown): string =>
  JSON.stringify(value, (key, it: unknown) =>
    key === 'pieces' || key === 'durationMs' ? undefined : typeof it === 'bigint' ? it.toString() : it,
  );
