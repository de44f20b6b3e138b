import { type FilterRule, type Policy } from '#domain';
import { mayUse } from './addresses.js';
import { Connections } from './connections.js';
import { octetsOf } from './encode.js';
import { type Way } from './filter.js';
import { isGroupMac, type Frame, type Tag } from './frame.js';
import { type When } from './limits.js';
import { type Memory } from './memory.js';
import { Mirrors, mirrorVlansOf } from './mirrors.js';
import { audienceOf } from './multicast.js';
import { policyOf } from './policy.js';
import { carries, isInRanges } from './segments.js';
import { Sets } from './sets.js';
import { carrierOf, hasNone, type Carrier } from './teaming.js';
import { type Delivery, type HostSpec, type PortSpec, type SwitchSpec, type World } from './world.js';

/** Who sent a frame, in a private VLAN. */
type Community = { readonly kind: 'promiscuous' | 'isolated' | 'community'; readonly vlan: number };

/** A frame on its way through a switch, its segment's tag taken off. */
interface Carried {
  readonly frame: Frame;
  readonly segment: number;
  readonly sender: Community;
  /** The priority in the tag with which it came, or what a rule made of it. */
  readonly cos: number;
}

interface Port {
  readonly spec: PortSpec;
  readonly device: string;
  readonly policy: Policy;
  readonly carrier: Carrier;
  readonly connections: Connections;
}

/** The reference: one switch of one host, by what the documentation says that policies mean. */
export class ModelSwitch {
  private readonly ports: readonly Port[];
  /** Names by device. */
  private readonly uplinks: ReadonlyMap<string, string>;
  /** What the host has to say that it can't carry out: `port/p<n> <code>`. Such a port is closed. */
  readonly refused: string[] = [];
  /** MACs of ports that are on this host and not plugged in, or closed: nobody else has them here. */
  private readonly absent: readonly Pick<Port, 'spec' | 'policy'>[];
  private readonly sets: Sets;
  private readonly mirrors: Mirrors;

  constructor(
    private readonly sw: SwitchSpec,
    world: World,
    host: HostSpec,
    private readonly memory: Memory,
  ) {
    const devices = host.members[sw.name] ?? {};
    this.uplinks = new Map(Object.entries(devices).map(([uplink, device]) => [device, uplink]));
    this.sets = new Sets(world, sw);
    const isLive = (device: string): boolean => !host.down.includes(device);
    const names = Object.keys(devices);
    memory.links.now(names.filter((name) => isLive(devices[name] as string)));
    const absent: Pick<Port, 'spec' | 'policy'>[] = [];
    this.absent = absent;
    this.ports = host.ports.flatMap((spec): Port[] => {
      const group = world.groups.find((g) => g.name === spec.group);
      if (group?.switch !== sw.name) return [];
      const policy = policyOf(sw, group, spec);
      if (this.uplinks.size > 0 && hasNone(policy.teaming, devices)) {
        this.refused.push(`port/p${spec.n} uplink-missing`);
        absent.push({ spec, policy });
        return [];
      }
      if (spec.device === null) {
        absent.push({ spec, policy });
        return [];
      }
      const carrier = carrierOf(policy.teaming, spec, devices, isLive, memory.links.late);
      const known = policy.filter.stateful ? memory.connections.get(spec.n) : undefined;
      const connections = known ?? new Connections(memory.lasting);
      return [{ spec, device: spec.device, policy, carrier, connections }];
    });
    this.remember();
    this.mirrors = new Mirrors(
      sw,
      host,
      (n) => this.ports.find((p) => p.spec.n === n && !p.policy.blocked)?.device,
    );
    this.refused.push(...this.mirrors.refused);
  }

  /** What comes out of it for a frame that comes in by a device. */
  receive(device: string, frame: Frame, when?: When): Delivery[] {
    if (when !== undefined) this.memory.limits.now = when;
    const uplink = this.uplinks.get(device);
    const port = this.ports.find((p) => p.device === device);
    const vid = frame.tags[0]?.vid ?? 0;
    if (uplink !== undefined) {
      const place = { uplink, direction: 'in' } as const;
      // A tag of no VLAN is none.
      const isTagged = vid !== 0;
      const seen = isTagged ? frame : { ...frame, tags: frame.tags.slice(1) };
      const copies = this.mirrors.copies({ place, frame: seen, isTagged, segment: vid, from: device });
      return isReserved(frame.to) ? copies : [...copies, ...this.fromUplink(device, frame)];
    }
    if (port === undefined) return [];
    // On a trunk, a tag of no VLAN is of no segment.
    const isTagged = port.policy.vlan.mode === 'trunk' && frame.tags.length > 0;
    const segment = isTagged ? vid || -1 : homeOf(port.policy.vlan);
    const copies = this.mirrors.copies({
      place: { ...port.spec, direction: 'in' },
      frame,
      isTagged,
      segment,
      from: device,
    });
    const isOver = !this.hasRoom(port, 'in', frame);
    return isOver || isReserved(frame.to) ? copies : [...copies, ...this.fromPort(port, frame)];
  }

  /** What of before still means something. */
  private remember(): void {
    const { connections, learned, memberships } = this.memory;
    connections.clear();
    for (const { spec, policy, connections: own } of this.ports)
      if (policy.filter.stateful) connections.set(spec.n, own);
    const numbers = (of: readonly Port[]): Set<number> => new Set(of.map(({ spec }) => spec.n));
    learned.keep(numbers(this.ports.filter(({ policy }) => policy.macLearning !== null)));
    memberships.keep(numbers(this.ports));
  }

  private fromPort(port: Port, frame: Frame): Delivery[] {
    const { policy } = port;
    const isSilent = policy.blocked || this.mirrors.isAlone(port.spec.n) || isGroupMac(frame.from);
    const taken = isSilent ? undefined : this.segmentOf(port, frame);
    if (taken === undefined) return [];
    const mine = new Set(macsOf(port));
    const { macLearning, addresses } = policy;
    const acceptsOthers = policy.forgedTransmits || macLearning !== null;
    if (!acceptsOthers && !mine.has(frame.from)) return [];
    const macs = acceptsOthers ? null : mine;
    if (addresses !== null && !mayUse({ addresses, macs }, taken.frame)) return [];
    if (macLearning === null || mine.has(frame.from)) return this.forwarded(port, taken);
    const { learned } = this.memory;
    const { n } = port.spec;
    const isLearned = learned.hasRoom(n, macLearning, taken.segment, frame.from);
    if (!isLearned && macLearning.atLimit === 'drop') return [];
    const out = this.forwarded(port, taken);
    // It holds from the next frame on.
    if (isLearned) learned.teach(n, taken.segment, frame.from);
    return out;
  }

  /** What becomes of what a port may send. */
  private forwarded(port: Port, taken: Carried): Delivery[] {
    const passed = this.filtered(port, 'in', taken);
    if (passed === undefined) return [];
    const { receivers, leaves } = this.receiversOf(passed, port);
    const others = receivers.filter((receiver) => receiver !== port);
    const copies = this.deliverAll(others, passed, port.device);
    const away = leaves ? this.byUplink(port, passed) : [];
    return [...copies, ...away, ...this.heard(passed, port)];
  }

  private fromUplink(device: string, frame: Frame): Delivery[] {
    const [tag, ...inner] = frame.tags;
    const { segment, sender } = this.onWire(tag?.vid ?? 0);
    const cos = tag?.pcp ?? 0;
    const carried: Carried = { frame: { ...frame, tags: inner }, segment, sender, cos };
    const isHere = this.ports.some(
      (p) => carries(this.sw, p.policy.vlan, segment) && ownMacs(p).includes(frame.from),
    );
    const { learned } = this.memory;
    const behind = this.ports.find(({ spec }) => spec.n === learned.whose(segment, frame.from));
    // A frame of a MAC that was learned here, by another uplink than its port's, has come back.
    if (isHere || (behind !== undefined && !takesFrom(behind.carrier, device))) return [];
    const { receivers, isKnown } = this.receiversOf(carried);
    const takers = receivers.filter((p) => isKnown || takesFrom(p.carrier, device));
    const out = [...this.deliverAll(takers, carried, device), ...this.heard(carried, device)];
    // The MAC has moved, which holds from the next frame on.
    if (behind !== undefined) learned.forget(segment, frame.from);
    return out;
  }

  /**
   * What is said of multicast groups is noted. A question about one group of IPv4 looks like an answer to the switch: the
   * agent brings it to the group's members.
   */
  private heard(carried: Carried, by: Port | string): Delivery[] {
    const { frame, segment } = carried;
    const { memberships, lasting } = this.memory;
    const { body, tags } = frame;
    if (!lasting || this.sw.multicast !== 'snooping' || !isGroupMac(frame.to)) return [];
    if (tags.length > 0 || body.kind !== 'ip' || body.says === undefined) return [];
    if (mirrorVlansOf(this.sw).includes(segment)) return [];
    const { says } = body;
    const got = this.receiversOf(carried).receivers;
    if (typeof by !== 'string') memberships.hear(by.spec.n, segment, says, body.src);
    const { group } = says;
    if (says.kind !== 'query' || body.version !== 4 || group === null) return [];
    const members = this.ports.filter(
      (p) => p !== by && memberships.isMember(p.spec.n, segment, group) && !got.includes(p),
    );
    const takers = typeof by === 'string' ? members.filter((p) => takesFrom(p.carrier, by)) : members;
    return this.deliverAll(takers, carried, '');
  }

  /** Whom a frame is for on this host, and whether it is for outside as well. */
  private receiversOf(
    { frame, segment }: Carried,
    from?: Port,
  ): { receivers: Port[]; isKnown: boolean; leaves: boolean } {
    if (mirrorVlansOf(this.sw).includes(segment)) return { receivers: [], isKnown: false, leaves: false };
    const all = this.ports.filter((p) => carries(this.sw, p.policy.vlan, segment));
    if (isGroupMac(frame.to))
      return { receivers: this.listeners(all, frame, segment), isKnown: false, leaves: true };
    const owner = all.find((p) => ownMacs(p).includes(frame.to)) ?? this.learnedOwner(all, frame, segment);
    if (owner !== undefined) {
      const others = all.filter((p) => p.policy.promiscuous && p !== owner);
      return { receivers: [...others, owner], isKnown: true, leaves: false };
    }
    const receivers = all.filter(
      (p) => hearsUnknown(p.policy) || p.policy.macs.shared.includes(frame.to as never),
    );
    return { receivers, isKnown: false, leaves: from !== undefined };
  }

  /** Of multicast, where it is filtered. */
  private listeners(all: readonly Port[], frame: Frame, segment: number): Port[] {
    if (this.sw.multicast === 'basic') return [...all];
    const audience = audienceOf(frame);
    const { memberships } = this.memory;
    return all.filter((p) => p.policy.promiscuous || memberships.wants(p.spec.n, segment, audience));
  }

  /** Of a MAC that is no port's own. */
  private learnedOwner(all: readonly Port[], { to }: Frame, segment: number): Port | undefined {
    const here = this.absent.filter((p) => carries(this.sw, p.policy.vlan, segment));
    const isOfPort = here.some((p) => macsOf(p).includes(to)) || all.some((p) => macsOf(p).includes(to));
    if (isOfPort) return undefined;
    return all.find(({ spec }) => spec.n === this.memory.learned.whose(segment, to));
  }

  /** What a port sends: its segment, or undefined for what its VLAN policy does not take. */
  private segmentOf({ policy: { vlan } }: Port, frame: Frame): Carried | undefined {
    const [tag, ...inner] = frame.tags;
    const untagged = (segment: number, sender: Community): Carried | undefined =>
      tag === undefined ? { frame, segment, sender, cos: 0 } : undefined;
    switch (vlan.mode) {
      case 'none':
        return untagged(0, promiscuousIn(0));
      case 'access':
        return untagged(vlan.id, promiscuousIn(vlan.id));
      case 'private':
        return untagged(vlan.primary, this.communityOf(vlan.secondary));
      case 'trunk': {
        if (tag === undefined)
          return vlan.native === undefined ? undefined : untagged(vlan.native, promiscuousIn(vlan.native));
        if (!isInRanges(this.sw, vlan.ranges, tag.vid)) return undefined;
        const sender = promiscuousIn(tag.vid);
        return { frame: { ...frame, tags: inner }, segment: tag.vid, sender, cos: tag.pcp };
      }
    }
  }

  private communityOf(secondary: number): Community {
    const kind = this.sw.privateVlans.find((p) => p.secondary === secondary)?.kind ?? 'promiscuous';
    return { kind, vlan: secondary };
  }

  /** What a tag on the wire says. */
  private onWire(vid: number): { readonly segment: number; readonly sender: Community } {
    const pair = this.sw.privateVlans.find((p) => p.secondary === vid);
    return pair === undefined
      ? { segment: vid, sender: promiscuousIn(vid) }
      : { segment: pair.primary, sender: this.communityOf(vid) };
  }

  private deliverAll(ports: readonly Port[], carried: Carried, from: string): Delivery[] {
    return this.memory.limits.together(() => ports.flatMap((p) => this.deliver(p, carried, from)));
  }

  /** Whether a port's own limits let a frame pass. */
  private hasRoom({ spec, policy }: Port, way: Way, frame: Frame): boolean {
    const { limits, lasting } = this.memory;
    if (!lasting) return true;
    const most = policy.bandwidth?.limit ?? null;
    const shaping = way === 'in' ? policy.shapingIn : policy.shapingOut;
    const octets = octetsOf(frame);
    const key = `p${spec.n} ${way}`;
    const isWithin = most === null || limits.limit(`${key} limit`, most, octets);
    return isWithin && (shaping === null || limits.shape(key, shaping, octets));
  }

  /** One copy to one port. */
  private deliver(port: Port, carried: Carried, from: string): Delivery[] {
    const isDeaf = port.policy.blocked || this.mirrors.isAlone(port.spec.n);
    if (isDeaf || !this.hears(port, carried)) return [];
    const passed = this.filtered(port, 'out', carried);
    if (passed === undefined || !this.hasRoom(port, 'out', passed.frame)) return [];
    const { vlan } = port.policy;
    const isTagged = vlan.mode === 'trunk' && passed.segment !== vlan.native;
    const frame = isTagged ? tagged(passed, passed.segment) : passed.frame;
    const sight = {
      place: { ...port.spec, direction: 'out' as const },
      frame,
      isTagged,
      segment: passed.segment,
      from,
    };
    return [{ devices: [port.device], frame }, ...this.mirrors.copies(sight)];
  }

  private filtered(
    { policy: { filter }, connections }: Port,
    way: Way,
    carried: Carried,
  ): Carried | undefined {
    const { frame, segment, cos } = carried;
    const { limits, lasting } = this.memory;
    // The rate is the rule's, for all ports that have the list, and in both directions.
    const list = JSON.stringify([filter.stateful, filter.default, filter.rules]);
    const isWithin = ({ name, rate }: FilterRule): boolean =>
      !lasting || rate === undefined || limits.rate(`${list} ${name}`, rate, octetsOf(frame));
    const seen = { frame, segment, cos, sets: this.sets };
    const verdict = connections.judge(filter, way, seen, isWithin);
    if (!verdict.passes) return undefined;
    return verdict.rule === undefined ? carried : marked(carried, verdict.rule);
  }

  private byUplink({ carrier, device: from }: Port, carried: Carried): Delivery[] {
    const devices =
      carrier.kind === 'any' ? carrier.devices : carrier.device === undefined ? [] : [carrier.device];
    if (devices.length === 0) return [];
    const { segment, sender } = carried;
    const vid = sender.kind === 'promiscuous' ? segment : sender.vlan;
    const isTagged = segment !== 0;
    const frame = isTagged ? tagged(carried, vid) : carried.frame;
    // Of several that are one link nobody can say by which it goes: such worlds have no mirrors of them.
    const [only] = devices;
    const uplink = devices.length === 1 && only !== undefined ? this.uplinks.get(only) : undefined;
    if (uplink === undefined) return [{ devices, frame }];
    const place = { uplink, direction: 'out' } as const;
    return [{ devices, frame }, ...this.mirrors.copies({ place, frame, isTagged, segment: vid, from })];
  }

  private hears({ policy: { vlan } }: Port, { sender }: Carried): boolean {
    if (vlan.mode !== 'private' || sender.kind === 'promiscuous') return true;
    const own = this.communityOf(vlan.secondary);
    return own.kind === 'promiscuous' || (own.kind === 'community' && own.vlan === sender.vlan);
  }
}

/** The segment of what a port sends without a tag. */
const homeOf = (vlan: Policy['vlan']): number => {
  if (vlan.mode === 'none') return 0;
  if (vlan.mode === 'trunk') return vlan.native ?? 0;
  return vlan.mode === 'access' ? vlan.id : vlan.primary;
};

/** 01:80:c2:00:00:00 to 0f are for the next bridge, and no further. */
const isReserved = (mac: string): boolean => mac.startsWith('01:80:c2:00:00:0');

const promiscuousIn = (vlan: number): Community => ({ kind: 'promiscuous', vlan });

type Macs = Pick<Port, 'spec' | 'policy'>;
const ownMacs = ({ spec, policy }: Macs): string[] => [spec.mac, ...policy.macs.extra];
const macsOf = (port: Macs): string[] => [...ownMacs(port), ...port.policy.macs.shared];

const hearsUnknown = ({ promiscuous, macChanges, macLearning }: Policy): boolean =>
  promiscuous || macChanges || macLearning?.floodUnknown === true;

function marked(carried: Carried, { mark }: FilterRule): Carried {
  const { body } = carried.frame;
  const dscp = mark?.dscp;
  const frame =
    dscp === undefined || body.kind !== 'ip' ? carried.frame : { ...carried.frame, body: { ...body, dscp } };
  return { ...carried, frame, cos: mark?.cos ?? carried.cos };
}

const takesFrom = (carrier: Carrier, device: string): boolean =>
  carrier.kind === 'one' ? carrier.device === device : carrier.devices.includes(device);

function tagged({ frame, cos }: Carried, vid: number): Frame {
  const tag: Tag = { vid, pcp: cos };
  return { ...frame, tags: [tag, ...frame.tags] };
}
