import {
  TRAFFIC_CLASSES,
  type Addresses,
  type Bandwidth,
  type Filter,
  type FilterMatch,
  type FilterRule,
  type MacLearning,
  type PolicyPatch,
  type PrivateVlan,
  type Teaming,
  type VlanPolicy,
} from '#domain';
import { PLAIN } from '../model/frame.js';
import { type Random } from './random.js';
import {
  DSCPS,
  extraMacOf,
  ipv4Of,
  ipv6Of,
  linkLocalOf,
  macOf,
  PORTS,
  PRIMARY,
  PRIORITIES,
  SHARED_MACS,
  VLANS,
} from './values.js';

/** What policies may speak of. */
export interface Scope {
  readonly uplinks: readonly string[];
  readonly privateVlans: readonly PrivateVlan[];
  /** Numbers of ports that there may be. */
  readonly ports: number;
  /** Names of sets. */
  readonly sets: readonly string[];
  readonly kind: Kind;
}

/** What of what lasts from frame to frame a case is about. */
export type Kind = 'plain' | 'learning' | 'groups' | 'links' | 'limits';

/** For a switch or a group; `n` is the port that an override is of, which alone can have MACs of its own. */
export function policyOf(random: Random, scope: Scope, p: number, n?: number): PolicyPatch {
  const { kind } = scope;
  // Where a story is told, most of it is to be heard.
  const guards = kind === 'groups' || kind === 'learning' ? 0.25 : 0.7;
  const maybe = (often: number): boolean => random.chance(p * often);
  return {
    ...(maybe(1) ? { vlan: vlan(random, scope) } : {}),
    ...(maybe(0.15) ? { blocked: random.chance(0.5) } : {}),
    ...(maybe(0.3) ? { promiscuous: random.chance(0.6) } : {}),
    ...(maybe(0.3) ? { macChanges: random.chance(0.6) } : {}),
    ...(maybe(0.4) ? { forgedTransmits: random.chance(0.7) } : {}),
    ...(maybe(0.35) ? { macs: macs(random, n) } : {}),
    ...(maybe(guards / 2) ? { addresses: random.chance(0.15) ? null : addresses(random, scope, n) } : {}),
    ...(maybe(kind === 'learning' ? 0.9 : 0) ? { macLearning: macLearning(random) } : {}),
    ...(maybe(kind === 'limits' ? 0.6 : 0.15) ? { shapingIn: shaping(random, kind) } : {}),
    ...(maybe(kind === 'limits' ? 0.6 : 0.15) ? { shapingOut: shaping(random, kind) } : {}),
    ...(maybe(0.15) ? { bandwidth: bandwidth(random) } : {}),
    ...(maybe(guards) ? { filter: filter(random, scope) } : {}),
    ...(maybe(0.5) ? { teaming: teaming(random, scope) } : {}),
  };
}

export function vlan(random: Random, { privateVlans, kind }: Scope): VlanPolicy {
  const id = (): number => random.pick(privateVlans.length > 0 ? [...VLANS, PRIMARY] : VLANS);
  const value = random.weighted<() => unknown>(
    [1, () => ({ mode: 'none' })],
    [4, () => ({ mode: 'access', id: id() })],
    [
      3,
      () => ({
        mode: 'trunk',
        ranges: ranges(random, kind),
        ...(random.chance(0.5) ? { native: id() } : {}),
      }),
    ],
    [privateVlans.length > 0 ? 5 : 0, () => ({ mode: 'private', ...pair(random, privateVlans) })],
  )();
  return value as VlanPolicy;
}

const pair = (random: Random, pairs: readonly PrivateVlan[]) => {
  const { primary, secondary } = random.pick(pairs);
  return { primary, secondary };
};

const ranges = (random: Random, kind: Kind): readonly { from: number; to: number }[] =>
  random.pick(kind === 'groups' ? FEW_VLANS : MANY_VLANS);

const MANY_VLANS = [
  [{ from: 1, to: 4094 }],
  [{ from: 100, to: 200 }],
  [{ from: 200, to: 200 }],
  [
    { from: 90, to: 100 },
    { from: 300, to: 510 },
  ],
];
/** An agent asks in each of them. */
const FEW_VLANS = [
  [{ from: 99, to: 101 }],
  [{ from: 200, to: 200 }],
  [
    { from: 100, to: 100 },
    { from: 300, to: 301 },
  ],
];

function macs(random: Random, n: number | undefined): NonNullable<PolicyPatch['macs']> {
  const extra = n !== undefined && random.chance(0.7) ? [extraMacOf(n)] : [];
  return { extra, shared: random.some(SHARED_MACS, 0.5) } as unknown as NonNullable<PolicyPatch['macs']>;
}

function addresses(random: Random, { ports }: Scope, n: number | undefined): Addresses {
  const own = n === undefined ? ['10.0.0.0/24', '2001:db8::/64'] : [ipv4Of(n), ipv6Of(n)];
  const more = random.some(['10.0.1.0/24', ipv4Of(random.between(1, ports)), 'fe80::/64'], 0.4);
  const allow = [...new Set([...random.some(own, 0.85), ...more])];
  return { allow, arp: random.chance(0.7), nd: random.chance(0.7), dhcp: random.chance(0.6) };
}

function macLearning(random: Random): MacLearning | null {
  if (random.chance(0.1)) return null;
  const atLimit = random.pick(['drop', 'flood'] as const);
  return {
    limit: random.weighted([3, 1], [2, 2], [1, 3]),
    atLimit,
    ageSeconds: 300,
    floodUnknown: random.chance(0.3),
  };
}

/** Takes one large frame, and the next one more than ten seconds later. */
export const SCARCE = { average: 1000, peak: 1000, burst: 1625 } as const;
/** Whole packets, and another one after a second. */
export const scarceRate = (burst: number) => ({ unit: 'pps', rate: 1, burst }) as const;

/** So wide that nothing is dropped, or so narrow that what is dropped is no question of milliseconds. */
const shaping = (random: Random, kind: Kind) =>
  random.weighted(
    [1, null],
    [2, { average: 1e9, peak: 1e9, burst: 1e7 }],
    [2, { average: 1e9, peak: 2e9, burst: 1e7 }],
    [kind === 'limits' ? 8 : 0, SCARCE],
  );

const bandwidth = (random: Random): Bandwidth | null =>
  random.weighted(
    [1, null],
    [4, { shares: 50, limit: random.pick([null, 1e9]), reservation: 0, class: random.pick(TRAFFIC_CLASSES) }],
  );

export function teaming(random: Random, { uplinks, kind }: Scope): Teaming {
  const mode = random.weighted<Teaming['mode']>(
    [4, 'explicit'],
    [3, 'port'],
    [2, 'mac'],
    [1, 'load'],
    [1, 'ip-hash'],
  );
  const order = random.shuffled(uplinks);
  const least = random.chance(0.03) ? 0 : mode === 'ip-hash' ? order.length - 1 : 1;
  const active = order.slice(0, random.between(least, order.length));
  const standby = mode === 'ip-hash' || active.length === 0 ? [] : order.slice(active.length);
  const failback = random.chance(kind === 'links' ? 0.4 : 0.8);
  const usual = { notify: false, detection: 'link' } as const;
  return { mode, active, standby: random.some(standby, 0.85), failback, ...usual };
}

function filter(random: Random, scope: Scope): NonNullable<PolicyPatch['filter']> {
  if (scope.kind === 'limits' && random.chance(0.7)) return ratedFilter(random);
  if (scope.sets.length > 0 && random.chance(0.4)) return membersFilter(random, scope);
  if (random.chance(0.35)) return clientsFilter(random, scope);
  const count = random.between(1, 7);
  const rules = Array.from({ length: count }, (_, i) => rule(random, scope, `r${i}`));
  return { stateful: random.chance(0.5), default: random.weighted([2, 'allow'], [1, 'drop']), rules };
}

/** As most have it: what the guest begins, and answers to that. */
function clientsFilter(random: Random, scope: Scope): Filter {
  const match = random.pick<FilterMatch>([{}, { ipVersion: 4 }, { ipProtocol: 17 }, { ipProtocol: 6 }]);
  const direction = random.weighted([3, 'in'], [1, 'out'], [1, 'both']);
  const talk = { name: 'talk', direction, tier: 1, enabled: true, action: 'allow', match } as FilterRule;
  const others = Array.from({ length: random.below(3) }, (_, i) => rule(random, scope, `r${i}`));
  return { stateful: true, default: 'drop', rules: random.shuffled([talk, ...others]) };
}

/** Few of what it takes. */
function ratedFilter(random: Random): Filter {
  const match = random.pick<FilterMatch>([{}, { ipProtocol: 17 }, { etherType: PLAIN.type }]);
  const direction = random.pick(['in', 'out', 'both'] as const);
  const rate = scarceRate(random.between(1, 3));
  const few = { name: 'few', direction, tier: 1, enabled: true, action: 'allow', match, rate } as FilterRule;
  return { stateful: random.chance(0.3), default: random.pick(['allow', 'drop'] as const), rules: [few] };
}

/** Only between those in sets. */
function membersFilter(random: Random, scope: Scope): Filter {
  const direction = random.pick(['in', 'out', 'both']);
  const match = ends(random, scope);
  const members = {
    name: 'members',
    direction,
    tier: 1,
    enabled: true,
    action: 'allow',
    match,
  } as FilterRule;
  const other = { ...members, name: 'back', direction: direction === 'in' ? 'out' : 'in', match: {} };
  const rules = direction === 'both' ? [members] : [members, other as FilterRule];
  return { stateful: random.chance(0.5), default: 'drop', rules };
}

/** One thing of it is another. */
export function changedFilter(random: Random, scope: Scope, from: Filter): Filter {
  const { rules } = from;
  const at = random.below(rules.length + 1);
  return random.weighted<() => Filter>(
    [3, () => ({ ...from, rules: rules.filter((_, i) => i !== at) })],
    [3, () => ({ ...from, rules: [...rules.slice(0, at), rule(random, scope, 'new'), ...rules.slice(at)] })],
    [2, () => ({ ...from, rules: random.shuffled(rules) })],
    [1, () => ({ ...from, default: from.default === 'allow' ? 'drop' : 'allow' })],
    [1, () => ({ ...from, stateful: !from.stateful })],
    [1, () => ({ ...from, rules: rules.map((r, i) => (i === at ? { ...r, name: 'renamed' } : r)) })],
  )();
}

const WIDE_RATES = [
  { unit: 'pps', rate: 1e6, burst: 1e5 },
  { unit: 'kbps', rate: 1e6, burst: 1e5 },
] as const;

function rule(random: Random, scope: Scope, name: string): FilterRule {
  const action = random.weighted<FilterRule['action']>(
    [5, 'allow'],
    [3, 'drop'],
    [1, 'reject'],
    [2, 'pass'],
    [1, 'allow-stateless'],
  );
  const match = matchOf(random, scope);
  const allows = action === 'allow' || action === 'allow-stateless';
  const mark = {
    ...(isIp(match) && random.chance(0.6) ? { dscp: random.pick(DSCPS) } : {}),
    ...(random.chance(0.5) ? { cos: random.pick(PRIORITIES) } : {}),
  };
  return {
    name,
    direction: random.weighted([2, 'in'], [2, 'out'], [1, 'both']),
    tier: random.weighted([1, 0], [4, 1], [1, 2], [1, 3]),
    enabled: random.chance(0.95),
    action,
    match,
    ...(allows && random.chance(0.6) && Object.keys(mark).length > 0 ? { mark } : {}),
    ...(random.chance(0.08) ? { log: { perSecond: random.pick([1, 100]), sample: 1 } } : {}),
    ...(allows && random.chance(0.08) ? { rate: random.pick(WIDE_RATES) } : {}),
  } as FilterRule;
}

const isIp = (match: FilterMatch): boolean =>
  ['ipVersion', 'ipProtocol', 'src', 'dst', 'dscp', 'fragments'].some((field) => field in match) ||
  match.etherType === 0x0800 ||
  match.etherType === 0x86dd;

function matchOf(random: Random, scope: Scope): FilterMatch {
  return random.weighted<() => FilterMatch>(
    [1, () => ({})],
    [2, () => ({ etherType: random.pick([0x0800, 0x0806, 0x86dd, 0x8035, PLAIN.type]) })],
    [2, () => link(random, scope)],
    [5, () => network(random, scope)],
    [1, () => ({ ...link(random, scope), ...network(random, scope) })],
    [scope.sets.length > 0 ? 4 : 0, () => ends(random, scope)],
  )();
}

/** One or two of what any frame has. */
function link(random: Random, { ports }: Scope): FilterMatch {
  const mac = (): string =>
    random.pick([
      macOf(random.between(1, ports)),
      '02:00:00:00:01:00/ff:ff:ff:ff:ff:00',
      'ff:ff:ff:ff:ff:ff',
      SHARED_MACS[0],
    ]);
  const one = (): FilterMatch =>
    random.weighted<() => FilterMatch>(
      [2, () => ({ srcMac: mac() })],
      [2, () => ({ dstMac: mac() })],
      [2, () => ({ vlan: random.pick([0, ...VLANS, PRIMARY, 501]) })],
      [2, () => ({ cos: random.pick(PRIORITIES) })],
    )();
  return random.chance(0.3) ? { ...one(), ...one() } : one();
}

/** Who is in a set, at one end or at both, whatever it says. */
function ends(random: Random, { sets }: Scope): FilterMatch {
  const [srcSet, dstSet] = [random.pick(sets), random.pick(sets)];
  return random.pick([{ srcSet }, { dstSet }, { srcSet, dstSet }]) as FilterMatch;
}

function network(random: Random, { ports, sets }: Scope): FilterMatch {
  const version = random.weighted<4 | 6 | undefined>([3, 4], [2, 6], [2, undefined]);
  const n = (): number => random.between(0, ports);
  const prefix = (): string =>
    version === 6
      ? random.pick([ipv6Of(n()), '2001:db8::/64', linkLocalOf(n())])
      : random.pick([ipv4Of(n()), '10.0.0.0/24', '10.0.0.0/29', '224.0.0.0/4']);
  const end = (which: 'src' | 'dst'): FilterMatch => {
    if (sets.length > 0 && random.chance(0.3)) return { [`${which}Set`]: random.pick(sets) };
    return version !== undefined && random.chance(0.3) ? { [which]: prefix() } : {};
  };
  return {
    ...(version === undefined ? {} : { ipVersion: version }),
    ...end('src'),
    ...end('dst'),
    ...(random.chance(0.15) ? { dscp: random.pick(DSCPS) } : {}),
    ...above(random, version),
  };
}

/** What lies above IP; always something, where nothing else says IP. */
function above(random: Random, version: 4 | 6 | undefined): FilterMatch {
  const range = (): { from: number; to: number } => {
    const [a, b] = [random.pick(PORTS), random.pick(PORTS)];
    return random.pick([
      { from: a, to: a },
      { from: Math.min(a, b), to: Math.max(a, b) },
      { from: 1024, to: 65_535 },
    ]);
  };
  const ends = (): FilterMatch => ({
    ...(random.chance(0.3) ? { srcPort: range() } : {}),
    ...(random.chance(0.7) ? { dstPort: range() } : {}),
  });
  const icmp = version === 6 ? 58 : 1;
  const types = version === 6 ? [128, 129, 135, 136] : [8, 0];
  return random.weighted<() => FilterMatch>(
    [version === undefined ? 0 : 2, () => ({})],
    [3, () => ({ ipProtocol: 17, ...ends() })],
    [3, () => ({ ipProtocol: 6, ...ends() })],
    [1, () => ({ ipProtocol: 132, ...ends() })],
    [1, () => ({ ipProtocol: 6, tcpFlags: { set: ['syn'], clear: ['ack'] } })],
    [1, () => ({ ipProtocol: icmp })],
    [1, () => ({ ipProtocol: icmp, icmpType: random.pick(types) })],
    [1, () => ({ ipProtocol: icmp, icmpType: random.pick(types), icmpCode: 0 })],
    [1, () => ({ fragments: random.pick(['first', 'later']) })],
  )();
}
