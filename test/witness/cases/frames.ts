import { type Policy } from '#domain';
import {
  ETHER,
  isGroupMac,
  PLAIN,
  PROTOCOL,
  type Body,
  type Frame,
  type Ip,
  type Tag,
} from '../model/frame.js';
import { policyOf } from '../model/policy.js';
import { type Arrival, type HostSpec, type PortSpec, type World } from '../model/world.js';
import { type Random } from './random.js';
import {
  BROADCAST,
  DSCPS,
  extraMacOf,
  ipv4Of,
  ipv6Of,
  linkLocalOf,
  MULTICAST,
  NESTED_MACS,
  OUTSIDERS,
  PORTS,
  PRIMARY,
  PRIORITIES,
  RESERVED,
  SHARED_MACS,
  VLANS,
} from './values.js';

/** Whoever sends or gets frames: a port, or somebody outside, whose number is 0. */
export interface Guest {
  readonly n: number;
  readonly mac: string;
  readonly host: string;
  readonly device: string;
  /** Undefined: outside. */
  readonly policy?: Policy;
}

/** Whether there may be others behind it. */
export const learns = ({ policy }: Guest): boolean => (policy?.macLearning ?? null) !== null;

export function guestsOf(world: World): Guest[] {
  return world.hosts.flatMap((host) => host.ports.flatMap((port) => guestOf(world, host, port) ?? []));
}

function guestOf(world: World, { name }: HostSpec, port: PortSpec): Guest | undefined {
  const group = world.groups.find((g) => g.name === port.group);
  const sw = world.switches.find((s) => s.name === group?.switch);
  if (group === undefined || sw === undefined || port.device === null) return undefined;
  return { n: port.n, mac: port.mac, host: name, device: port.device, policy: policyOf(sw, group, port) };
}

/** Somebody of the physical network who reaches a host by one of its uplinks. */
export function outsiders(random: Random, world: World): Guest[] {
  return world.hosts.flatMap((host) => {
    const devices = Object.values(host.members).flatMap((m) => Object.values(m));
    const live = devices.filter((d) => !host.down.includes(d));
    return live.map((device) => ({ n: 0, mac: random.pick(OUTSIDERS), host: host.name, device }));
  });
}

/** A frame as guests mostly send them, and now and then as they must not. */
export function randomFrame(random: Random, world: World): Arrival {
  const guests = guestsOf(world);
  const from =
    random.chance(0.72) && guests.length > 0 ? random.pick(guests) : outside(random, world, guests);
  const to = destination(random, guests);
  const body = randomBody(random, from.n, to.n, to.mac);
  const source = from.n === 0 ? from.mac : anySource(random, guests, from);
  const frame: Frame = {
    to: to.mac,
    from: source,
    tags: tagsOf(random, from),
    body: withMac(random, body, source),
  };
  return { host: from.host, device: from.device, frame };
}

/** Also frames that come back, or are said to: they bear a port's MAC. */
function outside(random: Random, world: World, guests: readonly Guest[]): Guest {
  const all = outsiders(random, world);
  const somebody = all.length > 0 ? random.pick(all) : (guests[0] as Guest);
  const other = random.weighted<string | undefined>(
    [6, undefined],
    [3, guests.length > 0 ? random.pick(guests).mac : undefined],
    [1, random.pick(SHARED_MACS)],
  );
  return other === undefined ? somebody : { ...somebody, mac: other };
}

function anySource(random: Random, guests: readonly Guest[], from: Guest): string {
  return random.weighted(
    [16, from.mac],
    [1, extraMacOf(from.n)],
    [1, random.pick(SHARED_MACS)],
    [1, random.pick(guests).mac],
    [1, random.pick(OUTSIDERS)],
    [learns(from) ? 8 : 0, random.pick(NESTED_MACS)],
    [0.3, MULTICAST],
  );
}

function destination(random: Random, guests: readonly Guest[]): { readonly mac: string; readonly n: number } {
  const port = guests.length > 0 ? random.pick(guests) : { mac: OUTSIDERS[0], n: 0 };
  return random.weighted(
    [9, { mac: port.mac, n: port.n }],
    [1, { mac: extraMacOf(port.n), n: port.n }],
    [2, { mac: random.pick(SHARED_MACS), n: 0 }],
    [2, { mac: random.pick(OUTSIDERS), n: 0 }],
    [guests.some(learns) ? 5 : 0, { mac: random.pick(NESTED_MACS), n: 0 }],
    [4, { mac: BROADCAST, n: 0 }],
    [2, { mac: MULTICAST, n: 0 }],
    [0.7, { mac: random.pick(RESERVED), n: 0 }],
  );
}

/** What a VLAN policy takes, mostly. */
export function tagsOf(random: Random, { policy }: Guest): Tag[] {
  const vlan = policy?.vlan;
  const tag = (vid: number): Tag => ({ vid, pcp: random.pick(PRIORITIES) });
  const any = (): Tag => tag(random.pick([...VLANS, PRIMARY, 501, 502, 503, 4000, 0]));
  const outer = ((): Tag[] => {
    if (vlan === undefined) return random.chance(0.1) ? [] : [any()];
    if (vlan.mode !== 'trunk') return random.chance(0.93) ? [] : [any()];
    return random.weighted([6, [any()]], [2, []], [1, [tag(vlan.native ?? 100)]]);
  })();
  return random.chance(0.03) ? [...outer, any()] : outer;
}

function randomBody(random: Random, from: number, to: number, mac: string): Body {
  return random.weighted<() => Body>(
    [2, () => PLAIN],
    [1, () => ({ kind: 'plain', type: ETHER.rarp })],
    [3, () => arp(random, from, to)],
    [9, () => ip(random, 4, from, to, mac)],
    [6, () => ip(random, 6, from, to, mac)],
    [2, () => nd(random, from, to)],
    [1, () => dhcp()],
  )();
}

function arp(random: Random, from: number, to: number): Body {
  const spa = random.weighted([6, ipv4Of(from)], [1, ipv4Of(random.between(0, 9))], [2, '0.0.0.0']);
  const tpa = random.weighted(
    [3, ipv4Of(to)],
    [2, spa === '0.0.0.0' ? ipv4Of(from) : spa],
    [1, ipv4Of(from)],
  );
  return { kind: 'arp', reply: random.chance(0.3), sha: '', spa, tpa };
}

/** The MACs of which a body speaks: those of its sender, mostly. */
function withMac(random: Random, body: Body, source: string): Body {
  const said = (): string => (random.chance(0.85) ? source : (OUTSIDERS[1] as string));
  if (body.kind === 'arp') return { ...body, sha: said() };
  if (body.kind === 'ip' && body.nd !== undefined && random.chance(0.7))
    return { ...body, nd: { ...body.nd, mac: said() } };
  return body;
}

function ip(random: Random, version: 4 | 6, from: number, to: number, mac: string): Ip {
  const of = version === 4 ? ipv4Of : ipv6Of;
  const group = version === 4 ? '224.0.0.251' : 'ff02::fb';
  const src = random.weighted(
    [8, of(from)],
    [1, of(random.between(0, 9))],
    [1, version === 4 ? '10.0.1.7' : linkLocalOf(from)],
  );
  const dst = isGroupMac(mac) ? group : random.weighted([5, of(to)], [1, of(random.between(0, 9))]);
  const dscp = random.weighted([3, 0], [1, random.pick(DSCPS)]);
  const base = { kind: 'ip', version, src, dst, dscp } as const;
  const fragment = random.weighted<Ip['fragment']>([12, undefined], [1, 'first'], [1, 'later']);
  const part = fragment === undefined ? {} : { fragment };
  const port = (): number => random.weighted([2, random.pick(PORTS)], [1, random.between(1024, 9000)]);
  const ports = { src: port(), dst: port() };
  return random.weighted<() => Ip>(
    [4, () => ({ ...base, ...part, protocol: PROTOCOL.udp, ports })],
    [
      4,
      () => ({ ...base, ...part, protocol: PROTOCOL.tcp, ports, flags: random.pick([2, 18, 16, 24, 17, 4]) }),
    ],
    [1, () => ({ ...base, protocol: PROTOCOL.sctp, ports })],
    [2, () => echo(base, random.chance(0.6), random.below(1000))],
    [1, () => ({ ...base, protocol: 47 })],
  )();
}

export function echo(base: Omit<Ip, 'protocol'>, asks: boolean, ident: number): Ip {
  const [request, reply] = base.version === 4 ? [8, 0] : [128, 129];
  const protocol = base.version === 4 ? PROTOCOL.icmp : PROTOCOL.icmpv6;
  return { ...base, protocol, icmp: { type: asks ? request : reply, code: 0, ident } };
}

function nd(random: Random, from: number, to: number): Ip {
  const asks = random.chance(0.5);
  const own = random.pick([linkLocalOf(from), ipv6Of(from)]);
  const target = random.pick(asks ? [ipv6Of(to), own, linkLocalOf(to)] : [own, ipv6Of(from), ipv6Of(to)]);
  const src = random.weighted([4, own], [asks ? 1 : 0, '::'], [1, ipv6Of(to)]);
  const icmp = { type: asks ? 135 : 136, code: 0, ident: 0 };
  return {
    kind: 'ip',
    version: 6,
    src,
    dst: 'ff02::1',
    dscp: 0,
    protocol: PROTOCOL.icmpv6,
    icmp,
    nd: { target },
  };
}

const dhcp = (): Ip => ({
  ...{ kind: 'ip', version: 4, src: '0.0.0.0', dst: '255.255.255.255', dscp: 0 },
  ...{ protocol: PROTOCOL.udp, ports: { src: 68, dst: 67 } },
});
