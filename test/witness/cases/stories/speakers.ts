import { type VlanPolicy } from '#domain';
import { PLAIN, PROTOCOL, type Body, type Frame, type Tag } from '../../model/frame.js';
import { isInRanges } from '../../model/segments.js';
import { type Arrival, type World } from '../../model/world.js';
import { guestsOf, outsiders, type Guest } from '../frames.js';
import { type Random } from '../random.js';
import { ipv4Of, VLANS } from '../values.js';

/** Somebody in a segment, and how it tags what it says there. */
export interface Speaker {
  readonly guest: Guest;
  readonly tags: readonly Tag[];
}

/** Who can hear a guest and be heard by it, in one of its segments; itself among them. */
export function speakersWith(random: Random, world: World, guest: Guest): Speaker[] {
  return speakersIn(random, world, switchOf(world, guest) ?? '', segmentFor(random, guest));
}

/** A segment that a guest is in. */
function segmentFor(random: Random, { policy }: Guest): number {
  const vlan = policy?.vlan;
  if (vlan === undefined || vlan.mode === 'none') return 0;
  if (vlan.mode === 'access') return vlan.id;
  if (vlan.mode === 'private') return vlan.primary;
  return vlan.native !== undefined && random.chance(0.5) ? vlan.native : random.pick(VLANS);
}

/** Ports of a switch in a segment, and those outside whom its uplinks lead to. */
function speakersIn(random: Random, world: World, sw: string, segment: number): Speaker[] {
  const { privateVlans = [] } = world.switches.find(({ name }) => name === sw) ?? {};
  const tag = (): Tag[] => [{ vid: segment, pcp: 0 }];
  const tagsOf = (vlan: VlanPolicy): Tag[] | undefined => {
    if (vlan.mode === 'none') return segment === 0 ? [] : undefined;
    if (vlan.mode === 'access') return vlan.id === segment ? [] : undefined;
    if (vlan.mode === 'private') return vlan.primary === segment ? [] : undefined;
    if (vlan.native === segment) return [];
    return isInRanges({ privateVlans }, vlan.ranges, segment) ? tag() : undefined;
  };
  const own = guestsOf(world).filter((guest) => switchOf(world, guest) === sw);
  const inside = own.flatMap((guest): Speaker[] => {
    const tags = guest.policy === undefined ? undefined : tagsOf(guest.policy.vlan);
    return tags === undefined ? [] : [{ guest, tags }];
  });
  const far = outsiders(random, world).filter(({ host, device }) => isOf(world, host, sw, device));
  const outside = far.map((guest): Speaker => ({ guest, tags: segment === 0 ? [] : tag() }));
  return [...inside, ...outside];
}

const switchOf = (world: World, { n }: Guest): string | undefined => {
  const port = world.hosts.flatMap(({ ports }) => ports).find((p) => p.n === n);
  return world.groups.find(({ name }) => name === port?.group)?.switch;
};

const isOf = (world: World, host: string, sw: string, device: string): boolean =>
  Object.values(world.hosts.find(({ name }) => name === host)?.members[sw] ?? {}).includes(device);

export const says = ({ guest, tags }: Speaker, frame: Omit<Frame, 'tags'>): Arrival => ({
  host: guest.host,
  device: guest.device,
  frame: { ...frame, tags },
});

/** Something that no rule knows, or a datagram. */
export function anything(random: Random, { n }: Guest): Body {
  if (random.chance(0.6)) return PLAIN;
  const ports = { src: random.between(1024, 60_000), dst: 53 };
  return { kind: 'ip', version: 4, src: ipv4Of(n), dst: ipv4Of(0), dscp: 0, protocol: PROTOCOL.udp, ports };
}
