import {
  TRAFFIC_CLASSES,
  type PolicyField,
  type PrivateVlan,
  type SwitchBandwidth,
  type Teaming,
} from '#domain';
import { policyOf as effective } from '../model/policy.js';
import {
  type GroupSpec,
  type HostSpec,
  type PortSpec,
  type SetSpec,
  type SwitchSpec,
  type World,
} from '../model/world.js';
import { withMirrors } from './mirrors.js';
import { changedFilter, policyOf, teaming, vlan, type Kind, type Scope } from './policies.js';
import { type Random } from './random.js';
import { ipv4Of, ipv6Of, macOf, PRIMARY, SECONDARIES } from './values.js';

/** What there is to plug in: of each host, the devices of guests and of uplinks by switch. */
export interface Place {
  readonly name: string;
  readonly guests: Readonly<Record<string, readonly string[]>>;
  readonly uplinks: Readonly<Record<string, readonly string[]>>;
}

export const UPLINKS = ['uplink1', 'uplink2', 'uplink3'] as const;
const FIELDS: readonly PolicyField[] = [
  ...(['vlan', 'blocked', 'promiscuous', 'macChanges', 'forgedTransmits', 'macs', 'addresses'] as const),
  ...(['macLearning', 'shapingIn', 'shapingOut', 'bandwidth', 'filter', 'teaming'] as const),
];
const PAIRS = [
  { primary: PRIMARY, secondary: PRIMARY, kind: 'promiscuous' },
  { primary: PRIMARY, secondary: SECONDARIES.isolated, kind: 'isolated' },
  { primary: PRIMARY, secondary: SECONDARIES.red, kind: 'community' },
  { primary: PRIMARY, secondary: SECONDARIES.blue, kind: 'community' },
] as unknown as readonly PrivateVlan[];

/** The switches that there may be: `lan` on all hosts that are in the world, the others on those that have them. */
export const mapped = (place: Place): HostSpec['members'] =>
  Object.fromEntries(
    Object.entries(place.uplinks).map(([sw, devices]) => [
      sw,
      Object.fromEntries(devices.map((device, i) => [UPLINKS[i] as string, device])),
    ]),
  );

/** All switches, and nobody on them. */
export function emptyWorld(places: readonly Place[]): World {
  const names = [...new Set(places.flatMap((place) => Object.keys(place.guests)))];
  const all = {
    mode: 'explicit',
    active: UPLINKS,
    standby: [],
    failback: true,
    notify: false,
    detection: 'link',
  };
  const policy = { teaming: all as unknown as Teaming };
  return {
    switches: names.map((name) => ({
      name,
      kind: 'distributed',
      uplinks: UPLINKS,
      privateVlans: [],
      mirrors: [],
      multicast: 'basic',
      classLimits: {},
      policy,
    })),
    groups: [],
    sets: [],
    hosts: places.map((place) => ({ name: place.name, members: mapped(place), ports: [], down: [] })),
  };
}

export function randomWorld(random: Random, places: readonly Place[], kind: Kind): World {
  const chosen = random.shuffled(places).slice(0, random.weighted([2, 1], [3, 2], [2, 3]));
  const names = [...new Set(chosen.flatMap((place) => Object.keys(place.guests)))];
  const sets = random.chance(0.6) ? randomSets(random) : [];
  const switches = names.map((name) => randomSwitch(random, name, sets, kind));
  const groups = switches.flatMap((sw) => randomGroups(random, sw, sets, kind));
  const bare = chosen.map((place) => hostOf(random, place));
  let n = 0;
  const hosts = bare.map((host, i) => {
    const ports = Object.entries((chosen[i] as Place).guests).flatMap(([sw, devices]) => {
      const used =
        sw === 'lan' ? devices.slice(0, random.between(2, devices.length)) : random.some(devices, 0.4);
      return used.map((device) => {
        n += 1;
        const spec = switches.find((s) => s.name === sw) as SwitchSpec;
        return randomPort(random, { n, device, sw: spec, groups, scope: scopeOf(spec, sets, kind) });
      });
    });
    return { ...host, ports };
  });
  return withMirrors(random, withTwins(random, { switches, groups, hosts, sets }));
}

/** Some of its policies are others, of filters mostly: what a change of rules does to connections is asked, too. */
export function changed(random: Random, world: World, kind: Kind): World {
  const groups = world.groups.map((group) => {
    const sw = world.switches.find((s) => s.name === group.switch);
    if (sw === undefined || !random.chance(0.6)) return group;
    const { filter } = group.policy;
    const wholly = filter === undefined || random.chance(0.3);
    // The VLAN stays: two ports with one MAC must not come into one segment.
    const { vlan: _, ...policy } = wholly
      ? policyOf(random, scopeOf(sw, world.sets, kind), 0.5)
      : { filter: changedFilter(random, scopeOf(sw, world.sets, kind), filter) };
    return { ...group, policy: { ...group.policy, ...policy } };
  });
  return {
    ...world,
    groups,
    sets: random.chance(0.6) ? world.sets : world.sets.map((s) => changedSet(random, s)),
  };
}

const ADDRESSES = [
  '10.0.0.0/24',
  '10.0.0.0/29',
  '10.0.1.0/24',
  '224.0.0.0/4',
  '2001:db8::/64',
  'fe80::/64',
  '::/0',
];

/** Of addresses and of ports; what is in one may be in another. */
function randomSets(random: Random): readonly SetSpec[] {
  return Array.from({ length: random.between(1, 4) }, (_, i) => {
    const name = `set-${i}`;
    return random.chance(0.5)
      ? { name, kind: 'addresses', addresses: randomAddresses(random) }
      : { name, kind: 'ports', ports: randomMembers(random) };
  });
}

const randomMembers = (random: Random): readonly number[] => random.some(NUMBERS, random.pick([0.2, 0.6]));
const randomAddresses = (random: Random): readonly string[] => [
  ...random.some(ADDRESSES, 0.25),
  ...random.some([0, ...NUMBERS], 0.25).map(random.chance(0.7) ? ipv4Of : ipv6Of),
];

const changedSet = (random: Random, set: SetSpec): SetSpec =>
  set.kind === 'ports'
    ? { ...set, ports: randomMembers(random) }
    : { ...set, addresses: randomAddresses(random) };

function hostOf(random: Random, place: Place): HostSpec {
  const uplinks = Object.values(place.uplinks).flat();
  const down = random.chance(0.25) ? random.some(uplinks, 0.5) : [];
  return { name: place.name, members: mapped(place), ports: [], down };
}

const MOST_PORTS = 15;
const NUMBERS = Array.from({ length: MOST_PORTS }, (_, i) => i + 1);

const scopeOf = (
  { privateVlans, uplinks }: Pick<SwitchSpec, 'privateVlans' | 'uplinks'>,
  sets: World['sets'],
  kind: Kind,
): Scope => ({
  kind,
  privateVlans,
  uplinks,
  ports: MOST_PORTS,
  sets: sets.map(({ name }) => name),
});

function randomSwitch(random: Random, name: string, sets: World['sets'], kindOf: Kind): SwitchSpec {
  const isLan = name === 'lan';
  const privateVlans = isLan && random.chance(0.45) ? PAIRS : [];
  const kind = isLan ? ('distributed' as const) : ('standard' as const);
  const classes = random.some(TRAFFIC_CLASSES, random.chance(0.2) ? 0.5 : 0);
  const classLimits = Object.fromEntries(classes.map((name) => [name, 1e9]));
  const multicast = kindOf === 'groups' ? 'snooping' : 'basic';
  const bare = { name, kind, uplinks: UPLINKS, privateVlans, mirrors: [], multicast, classLimits } as const;
  const scope = scopeOf(bare, sets, kindOf);
  return { ...bare, policy: { teaming: teaming(random, scope), ...policyOf(random, scope, 0.15) } };
}

function randomGroups(random: Random, sw: SwitchSpec, sets: World['sets'], kind: Kind): GroupSpec[] {
  const scope = scopeOf(sw, sets, kind);
  return Array.from({ length: random.between(1, sw.name === 'lan' ? 4 : 1) }, (_, i) => ({
    name: `${sw.name}-${i}`,
    switch: sw.name,
    policy: { vlan: vlan(random, scope), ...policyOf(random, scope, 0.6) },
    overridable: random.some(FIELDS, 0.6),
  }));
}

interface Plug {
  readonly n: number;
  readonly device: string;
  readonly sw: SwitchSpec;
  readonly groups: readonly GroupSpec[];
  readonly scope: Scope;
}

function randomPort(random: Random, { n, device, sw, groups, scope }: Plug): PortSpec {
  const group = random.pick(groups.filter((g) => g.switch === sw.name)).name;
  const override = random.chance(0.5) ? policyOf(random, scope, 0.4, n) : {};
  return { n, group, mac: macOf(n), override, device: random.chance(0.93) ? device : null };
}

/** As an operator says it. */
export function bandwidthOf(limits: SwitchSpec['classLimits']): SwitchBandwidth | null {
  const each = Object.entries(limits).map(([name, limit]) => [name, { shares: 50, limit, reservation: 0 }]);
  return each.length === 0 ? null : { classes: Object.fromEntries(each), reservable: 75 };
}

/** Two ports may have one MAC where no segment has both. */
function withTwins(random: Random, world: World): World {
  if (!random.chance(0.25)) return world;
  const all = world.hosts.flatMap((h) => h.ports);
  const [a, b] = [random.pick(all), random.pick(all)];
  const [x, y] = [segmentOf(world, a), segmentOf(world, b)];
  if (x === undefined || y === undefined || x === y) return world;
  const twin = (port: PortSpec): PortSpec => (port === b ? { ...port, mac: a.mac } : port);
  return { ...world, hosts: world.hosts.map((h) => ({ ...h, ports: h.ports.map(twin) })) };
}

/** The one segment of a port, with its switch; undefined for trunks. */
function segmentOf(world: World, port: PortSpec): string | undefined {
  const group = world.groups.find((g) => g.name === port.group);
  const sw = world.switches.find((s) => s.name === group?.switch);
  if (group === undefined || sw === undefined) return undefined;
  const { vlan: policy } = effective(sw, group, port);
  if (policy.mode === 'trunk') return undefined;
  return `${sw.name} ${policy.mode === 'none' ? 0 : policy.mode === 'access' ? policy.id : policy.primary}`;
}
