import { PROTOCOL, type Ip } from '../model/frame.js';
import { type Arrival, type World } from '../model/world.js';
import { echo, guestsOf, outsiders, type Guest } from './frames.js';
import { type Random } from './random.js';
import { ipv4Of, ipv6Of, PORTS } from './values.js';

/** What two say to each other, in turn: what comes of an answer depends on what came before it. */
export function conversation(random: Random, world: World, number: number): Arrival[] {
  const guests = guestsOf(world);
  const stateful = guests.filter((g) => g.policy?.filter.stateful === true);
  const [one] = random.shuffled(stateful.length > 0 && random.chance(0.8) ? stateful : guests);
  if (one === undefined) return [];
  const others = guests.filter((g) => g !== one);
  const reachable = others.filter((g) => understand(g, one));
  const near = reachable.length > 0 && random.chance(0.85) ? reachable : others;
  const far = outsiders(random, world).filter((o) => o.host === one.host);
  const candidates = random.chance(0.75) && near.length > 0 ? near : far;
  if (candidates.length === 0) return [];
  const other = random.pick(candidates);
  const ends = random.chance(0.5) ? ([one, other] as const) : ([other, one] as const);
  const tags = new Map([one, other].map((guest) => [guest, tagsFor(guest, one, other)]));
  const talk = words(random, number);
  return talk.map(([asks, body]) => {
    const [from, to] = asks ? ends : ([ends[1], ends[0]] as const);
    const { n } = from;
    const of = body.version === 4 ? ipv4Of : ipv6Of;
    const frame = {
      to: to.mac,
      from: from.mac,
      tags: tags.get(from) ?? [],
      body: { ...body, src: of(n), dst: of(to.n) },
    };
    return { host: from.host, device: from.device, frame };
  });
}

/** Whom both understand, if that can be. */
function tagsFor(guest: Guest, one: Guest, other: Guest): { vid: number; pcp: number }[] {
  const peer = guest === one ? other : one;
  const vlan = guest.policy?.vlan;
  if (vlan !== undefined && vlan.mode !== 'trunk') return [];
  const vid = segmentOf(peer) ?? segmentOf(guest) ?? 200;
  if (vid === 0 || (vlan?.mode === 'trunk' && vlan.native === vid)) return [];
  return [{ vid, pcp: 0 }];
}

function understand(a: Guest, b: Guest): boolean {
  const [x, y] = [segmentOf(a), segmentOf(b)];
  return x === y || x === undefined || y === undefined;
}

function segmentOf({ policy }: Guest): number | undefined {
  const vlan = policy?.vlan;
  if (vlan === undefined || vlan.mode === 'trunk') return undefined;
  return vlan.mode === 'none' ? 0 : vlan.mode === 'access' ? vlan.id : vlan.primary;
}

/** Who speaks (whoever began, or the other) and what. Ports are of this conversation alone. */
function words(random: Random, number: number): (readonly [boolean, Ip])[] {
  const version = random.weighted<4 | 6>([3, 4], [1, 6]);
  const base = { kind: 'ip', version, src: '', dst: '', dscp: 0 } as const;
  const [mine, theirs] = [30_000 + number, random.pick(PORTS)];
  const ports = (asks: boolean) => (asks ? { src: mine, dst: theirs } : { src: theirs, dst: mine });
  const order = random.pick([
    [true, false, true, false],
    [true, false, false],
    [false, true, false],
  ]);
  return random.weighted<() => (readonly [boolean, Ip])[]>(
    [3, () => order.map((asks) => [asks, { ...base, protocol: PROTOCOL.udp, ports: ports(asks) }] as const)],
    [1, () => [true, false, true, false].map((asks) => [asks, echo(base, asks, 5000 + number)] as const)],
    [
      2,
      () => {
        const tcp = (asks: boolean, flags: number, seq: number, ack: number) =>
          [asks, { ...base, protocol: PROTOCOL.tcp, ports: ports(asks), flags, seq, ack }] as const;
        return [
          tcp(true, 2, 100, 0),
          tcp(false, 18, 500, 101),
          tcp(true, 16, 101, 501),
          tcp(false, 16, 501, 101),
        ];
      },
    ],
  )();
}
