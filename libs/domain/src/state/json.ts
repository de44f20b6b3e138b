import { List, Map } from 'immutable';
import { err, ok, problem, type HostName, type PortId, type Result, type Revision } from '#kernel';
import {
  connecteeShape,
  evacuationShape,
  groupShape,
  hostShape,
  LONGEST_WAIT,
  migrationShape,
  revisionShape,
  setShape,
  standbyShape,
  switchShape,
} from '../events/shapes.js';
import {
  abilitiesShape,
  epochShape,
  inexactShape,
  incarnationShape,
  portIdShape,
  rawShape,
  vlansShape,
} from '../facts/shapes.js';
import { type Ability } from '../model/abilities.js';
import {
  type Binding,
  type Group,
  type Host,
  type HostDeath,
  type AddressSet,
  type CountersReset,
  type Evacuation,
  type Ledger,
  type MemberSet,
  type Migration,
  type Port,
  type PortClaim,
  type PortSet,
  type Segment,
  type State,
  type Switch,
} from '../model/state.js';
import { type HostResource } from '../model/resources.js';
import {
  addressSetSpecShape,
  groupSpecShape,
  hostSpecShape,
  portSetSpecShape,
  switchSpecShape,
} from '../manifest/shapes.js';
import { LONGEST_REASON } from '../ledger/reason.js';
import { policyPatchShape } from '../policy/shape.js';
import {
  bool,
  dictionary,
  filled,
  int,
  list,
  nullable,
  object,
  oneOf,
  optional,
  parseWith,
  tagged,
  text,
  time,
  type Shape,
} from '../shape/shape.js';
import { hasEnded } from '../migration/phases.js';
import { byDeletion } from '../port/deleted.js';
import { put as putSet } from '../set/evolve.js';
import { FEATURE_FIELDS } from '../switch/spec.js';
import { fullState, shortGroup, shortHost, shortPort, shortSwitch } from './forms.js';
import { initialState } from './initial.js';
import { putPort, type Next } from './next.js';

/** The state as plain JSON: maps as lists in a fixed order, indexes left out. Equal states give equal JSON. */
export interface StateJson {
  readonly lineage: State['lineage'];
  readonly revision: State['revision'];
  readonly time: number;
  readonly hosts: readonly Host[];
  readonly switches: readonly Switch[];
  readonly groups: readonly Group[];
  readonly ports: readonly Port[];
  /** Absent: none, as with `epochsFrom`. */
  readonly sets?: readonly MemberSet[] | undefined;
  readonly migrations: readonly Migration[];
  /** Absent: none, as with `nextEvacuation`. */
  readonly evacuations?: readonly Evacuation[] | undefined;
  readonly realised: State['realised'];
  readonly nextPort: number;
  readonly nextMigration: number;
  /** Absent: 1. */
  readonly nextEvacuation?: number | undefined;
  /** Absent: 0, so that states of before have the digest that they had. */
  readonly epochsFrom?: number | undefined;
  readonly schemaLevel: number;
}

const byName = <T extends { readonly name: string }>(items: Iterable<T>): readonly T[] =>
  [...items].sort((a, b) => (a.name < b.name ? -1 : 1));
/** Each number is read once: read at each comparison, this took three times as long, in one piece, for 100,000 ports. */
const byNumber = <T extends { readonly id: string }>(items: Iterable<T>): readonly T[] =>
  [...items]
    .map((item) => ({ item, n: Number(item.id.slice(1)) }))
    .sort((a, b) => a.n - b.n)
    .map(({ item }) => item);

/**
 * The whole state for digests (through canonicalJson) and snapshots. In the short form: a state that says nothing new
 * has the digest that it had before there were words for more.
 */
export function stateDigestInput(state: State): StateJson {
  return {
    lineage: state.lineage,
    revision: state.revision,
    time: state.time,
    hosts: byName(state.hosts.values()).map(shortHost),
    switches: byName(state.switches.values()).map(shortSwitch),
    groups: byName(state.groups.values()).map(shortGroup),
    ports: byNumber(state.ports.values()).map(shortPort),
    ...(state.sets.isEmpty() ? {} : { sets: byName(state.sets.values()) }),
    migrations: byNumber(state.migrations.values()),
    ...(state.evacuations.isEmpty() ? {} : { evacuations: byNumber(state.evacuations.values()) }),
    realised: state.realised,
    nextPort: state.nextPort,
    nextMigration: state.nextMigration,
    ...(state.nextEvacuation === 1 ? {} : { nextEvacuation: state.nextEvacuation }),
    ...(state.epochsFrom === 0 ? {} : { epochsFrom: state.epochsFrom }),
    schemaLevel: state.schemaLevel,
  };
}

/** A spec's shape with more fields beside: what the state holds flat. */
function flat<T, S>(
  spec: Shape<S>,
  rest: Shape<Omit<T, keyof S>>,
  keys: readonly (keyof S & string)[],
): Shape<T> {
  const part = (v: unknown, inSpec: boolean): unknown => {
    if (typeof v !== 'object' || v === null) return v;
    return Object.fromEntries(Object.entries(v).filter(([k]) => keys.includes(k as never) === inSpec));
  };
  return {
    is: (v): v is T => spec.is(part(v, true)) && rest.is(part(v, false)),
    explain: (v, path, out) => {
      spec.explain(part(v, true), path, out);
      rest.explain(part(v, false), path, out);
    },
    fill: (v) => ({ ...spec.fill(part(v, true)), ...rest.fill(part(v, false)) }) as T,
  };
}

const EVERY = Number.MAX_SAFE_INTEGER;
/** By switch and uplink. */
const FIGURES = dictionary(text(128), int(1));

type HostOwn = Exclude<keyof Host, keyof HostResource['spec']>;
const host = flat<Host, Omit<Host, HostOwn>>(
  hostSpecShape,
  object<Pick<Host, HostOwn>>({
    name: hostShape,
    version: revisionShape,
    facts: nullable(object<{ boot: string; seq: number }>({ boot: text(), seq: int(1) })),
    formerBoots: list(text()),
    downUplinks: list(text()),
    uplinkSpeeds: optional(FIGURES) as Shape<Readonly<Record<string, number>>>,
    uplinkMtus: optional(FIGURES) as Shape<Readonly<Record<string, number>>>,
    uplinkVlans: optional(dictionary(text(128), vlansShape)) as Shape<
      Readonly<Record<string, readonly number[]>>
    >,
    abilities: optional(abilitiesShape) as Shape<readonly Ability[]>,
    dead: optional(
      object<HostDeath>({ by: text(), reason: filled(LONGEST_REASON), at: time }),
    ) as Shape<HostDeath>,
    claims: optional(list(portIdShape, EVERY)) as Shape<readonly PortId[]>,
    fence: optional(revisionShape) as Shape<Revision>,
  }),
  ['labels', 'managementPath', 'preload', 'maintenance', 'migrationLimit', 'foreignFlows'],
);

type SwitchOwn = 'name' | 'kind' | 'version';
const sw = flat<Switch, Omit<Switch, SwitchOwn>>(
  switchSpecShape,
  object<Pick<Switch, SwitchOwn>>({
    name: switchShape,
    kind: oneOf('distributed', 'standard'),
    version: revisionShape,
  }),
  ['uplinks', 'mtu', 'policy', 'members', ...FEATURE_FIELDS],
);

type GroupOwn = 'name' | 'version' | 'phase' | 'isolatesSince';
const group = flat<Group, Omit<Group, GroupOwn>>(
  groupSpecShape,
  object<Pick<Group, GroupOwn>>({
    name: groupShape,
    version: revisionShape,
    isolatesSince: optional(revisionShape) as Shape<Revision>,
    phase: oneOf('open', 'closing'),
  }),
  [
    'switch',
    'policy',
    'overridable',
    'binding',
    'ports',
    'autoExpand',
    'autoShrink',
    'resetAtDisconnect',
    'partitionPolicy',
    'startOffline',
  ],
);

type SetOwn = 'kind' | 'name' | 'version';
const set: Shape<MemberSet> = tagged<MemberSet>('kind', {
  addresses: flat<AddressSet, Omit<AddressSet, SetOwn>>(
    addressSetSpecShape,
    object<Pick<AddressSet, SetOwn>>({ kind: oneOf('addresses'), name: setShape, version: revisionShape }),
    ['addresses'],
  ),
  ports: flat<PortSet, Omit<PortSet, SetOwn>>(
    portSetSpecShape,
    object<Pick<PortSet, SetOwn>>({ kind: oneOf('ports'), name: setShape, version: revisionShape }),
    ['groups', 'ports', 'owners'],
  ),
});

const binding: Shape<Binding> = object<Binding>({ host: hostShape, epoch: epochShape });
const segment: Shape<Segment> = object<Segment>({
  host: hostShape,
  epoch: epochShape,
  incarnation: incarnationShape,
  open: rawShape,
  close: nullable(rawShape),
  openedAt: time,
  closedAt: nullable(time),
  inexact: nullable(inexactShape),
});
const ledger: Shape<Ledger> = object<Ledger>({
  segments: list(segment),
  folded: nullable(rawShape),
  foldedCount: int(),
  foldedInexact: int(),
});
const reset: Shape<CountersReset> = object<CountersReset>({
  at: rawShape,
  by: text(),
  reason: filled(LONGEST_REASON),
  time,
  revision: revisionShape,
});
const port: Shape<Port> = object<Port>({
  id: portIdShape,
  group: groupShape,
  switch: switchShape,
  version: revisionShape,
  override: policyPatchShape,
  connectee: nullable(connecteeShape),
  active: nullable(binding),
  standby: nullable(standbyShape),
  retiring: list(binding),
  epoch: int() as unknown as Shape<Port['epoch']>,
  ledger,
  reset: optional(reset) as Shape<CountersReset>,
  claim: optional(
    object<PortClaim>({ host: hostShape, reason: filled(LONGEST_WAIT), since: time }),
  ) as Shape<PortClaim>,
  taken: optional(list(hostShape)) as Shape<readonly HostName[]>,
  isolatesSince: optional(revisionShape) as Shape<Revision>,
  deleted: bool,
});

const stateShape: Shape<StateJson> = object<StateJson>({
  lineage: nullable(text()) as unknown as Shape<State['lineage']>,
  revision: revisionShape,
  time,
  hosts: list(host, EVERY),
  switches: list(sw, EVERY),
  groups: list(group, EVERY),
  ports: list(port, EVERY),
  sets: optional(list(set, EVERY)) as Shape<readonly MemberSet[]>,
  migrations: list(migrationShape, EVERY),
  evacuations: optional(list(evacuationShape, EVERY)) as Shape<readonly Evacuation[]>,
  realised: revisionShape,
  nextPort: int(1),
  nextMigration: int(1),
  nextEvacuation: optional(int(1)) as Shape<number>,
  epochsFrom: optional(int(1)) as Shape<number>,
  schemaLevel: int(),
});

/** The state of a snapshot, its indexes made anew. Anything that does not fit is a problem naming the field. */
export function stateFromJson(written: unknown): Result<State> {
  const value = fullState(written);
  const parsed = stateShape.is(value) ? ok(value) : parseWith(stateShape, value);
  if (!parsed.ok) return parsed;
  const json = parsed.value;
  const { hosts, switches, groups, ports, sets = [], migrations, evacuations = [] } = json;
  const twice = [hosts, switches, groups, ports, sets, migrations, evacuations].some((l) => hasTwice(l));
  if (twice) return err(problem('invalid', 'the state names an object twice'));
  const next: Next = {
    ...initialState,
    lineage: json.lineage,
    revision: json.revision,
    time: json.time,
    realised: json.realised,
    nextPort: json.nextPort,
    nextMigration: json.nextMigration,
    nextEvacuation: json.nextEvacuation ?? 1,
    epochsFrom: json.epochsFrom ?? 0,
    schemaLevel: json.schemaLevel,
    hosts: Map(hosts.map((x) => [x.name, x])),
    switches: Map(switches.map((x) => [x.name, x])),
    groups: Map(groups.map((x) => [x.name, x])),
    migrations: Map(migrations.map((x) => [x.id, x])),
    evacuations: Map(evacuations.map((x) => [x.id, x])),
  };
  indexAll(next, ports, sets);
  return ok(next);
}

function hasTwice(items: readonly ({ readonly name: string } | { readonly id: string })[]): boolean {
  return new Set(items.map((x) => ('name' in x ? x.name : x.id))).size !== items.length;
}

function indexAll(next: Next, ports: readonly Port[], sets: readonly MemberSet[]): void {
  for (const s of sets) putSet(next, s);
  for (const p of ports) putPort(next, undefined, p);
  next.deleted = List(ports.filter((p) => p.deleted).sort(byDeletion)).map((p) => p.id);
  for (const m of next.migrations.values()) {
    if (hasEnded(m.phase)) continue;
    for (const p of m.ports) next.moving = next.moving.set(p.port, m.id);
  }
}

/** The same state with every index built from nothing: the oracle for those that evolve keeps. */
export function reindexed(state: State): State {
  const { byGroup, free, byHost, byOwner, byIface, byMac, bySetMember, moving, deleted } = initialState;
  const { ports, sets } = initialState;
  const indexes = { byGroup, free, byHost, byOwner, byIface, byMac, bySetMember, moving, deleted };
  const next: Next = { ...state, ...indexes, ports, sets };
  indexAll(next, [...state.ports.values()], [...state.sets.values()]);
  return next;
}
