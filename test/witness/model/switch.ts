import { type FilterRule, type Policy } from '#domain';
import { mayUse } from './addresses.js';
import { Connections } from './connections.js';
import { type Way } from './filter.js';
import { isGroupMac, type Frame, type Tag } from './frame.js';
import { Mirrors, mirrorVlansOf } from './mirrors.js';
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
  private readonly sets: Sets;
  private readonly mirrors: Mirrors;

  constructor(
    private readonly sw: SwitchSpec,
    world: World,
    host: HostSpec,
    connectionsOf: (port: PortSpec, policy: Policy) => Connections,
  ) {
    const devices = host.members[sw.name] ?? {};
    this.uplinks = new Map(Object.entries(devices).map(([uplink, device]) => [device, uplink]));
    this.sets = new Sets(world, sw);
    const isLive = (device: string): boolean => !host.down.includes(device);
    this.ports = host.ports.flatMap((spec): Port[] => {
      const group = world.groups.find((g) => g.name === spec.group);
      if (group?.switch !== sw.name) return [];
      const policy = policyOf(sw, group, spec);
      if (this.uplinks.size > 0 && hasNone(policy.teaming, devices)) {
        this.refused.push(`port/p${spec.n} uplink-missing`);
        return [];
      }
      if (spec.device === null) return [];
      const carrier = carrierOf(policy.teaming, spec, devices, isLive);
      return [{ spec, device: spec.device, policy, carrier, connections: connectionsOf(spec, policy) }];
    });
    this.mirrors = new Mirrors(
      sw,
      host,
      (n) => this.ports.find((p) => p.spec.n === n && !p.policy.blocked)?.device,
    );
    this.refused.push(...this.mirrors.refused);
  }

  /** What comes out of it for a frame that comes in by a device. */
  receive(device: string, frame: Frame): Delivery[] {
    const uplink = this.uplinks.get(device);
    const port = this.ports.find((p) => p.device === device);
    const vid = frame.tags[0]?.vid ?? 0;
    if (uplink !== undefined) {
      const place = { uplink, direction: 'in' } as const;
      // A tag of no VLAN is none.
      const seen = vid === 0 ? { ...frame, tags: frame.tags.slice(1) } : frame;
      const copies = this.mirrors.copies({ place, frame: seen, segment: vid, from: device });
      return isReserved(frame.to) ? copies : [...copies, ...this.fromUplink(device, frame)];
    }
    if (port === undefined) return [];
    // On a trunk, a tag of no VLAN is of no segment.
    const isTagged = port.policy.vlan.mode === 'trunk' && frame.tags.length > 0;
    const segment = isTagged ? vid || -1 : homeOf(port.policy.vlan);
    const copies = this.mirrors.copies({
      place: { ...port.spec, direction: 'in' },
      frame,
      segment,
      from: device,
    });
    return isReserved(frame.to) ? copies : [...copies, ...this.fromPort(port, frame)];
  }

  private fromPort(port: Port, frame: Frame): Delivery[] {
    const { policy } = port;
    const isSilent = policy.blocked || this.mirrors.isAlone(port.spec.n) || isGroupMac(frame.from);
    const taken = isSilent ? undefined : this.segmentOf(port, frame);
    if (taken === undefined) return [];
    const mine = new Set(macsOf(port));
    if (!policy.forgedTransmits && !mine.has(frame.from)) return [];
    const sender = { addresses: policy.addresses, macs: policy.forgedTransmits ? null : mine };
    if (sender.addresses !== null && !mayUse({ ...sender, addresses: sender.addresses }, taken.frame))
      return [];
    const passed = this.filtered(port, 'in', taken);
    if (passed === undefined) return [];
    const { receivers, leaves } = this.receiversOf(passed, port);
    const copies = receivers.flatMap((receiver) =>
      receiver === port ? [] : this.deliver(receiver, passed, port.device),
    );
    return leaves ? [...copies, ...this.byUplink(port, passed)] : copies;
  }

  private fromUplink(device: string, frame: Frame): Delivery[] {
    const [tag, ...inner] = frame.tags;
    const { segment, sender } = this.onWire(tag?.vid ?? 0);
    const cos = tag?.pcp ?? 0;
    const carried: Carried = { frame: { ...frame, tags: inner }, segment, sender, cos };
    const isHere = this.ports.some(
      (p) => carries(this.sw, p.policy.vlan, segment) && ownMacs(p).includes(frame.from),
    );
    if (isHere) return [];
    const { receivers, isKnown } = this.receiversOf(carried);
    return receivers
      .filter((p) => isKnown || takesFrom(p.carrier, device))
      .flatMap((p) => this.deliver(p, carried, device));
  }

  /** Whom a frame is for on this host, and whether it is for outside as well. */
  private receiversOf(
    { frame, segment }: Carried,
    from?: Port,
  ): { receivers: Port[]; isKnown: boolean; leaves: boolean } {
    if (mirrorVlansOf(this.sw).includes(segment)) return { receivers: [], isKnown: false, leaves: false };
    const all = this.ports.filter((p) => carries(this.sw, p.policy.vlan, segment));
    if (isGroupMac(frame.to)) return { receivers: all, isKnown: false, leaves: true };
    const owner = all.find((p) => ownMacs(p).includes(frame.to));
    if (owner !== undefined) {
      const others = all.filter((p) => p.policy.promiscuous && p !== owner);
      return { receivers: [...others, owner], isKnown: true, leaves: false };
    }
    const receivers = all.filter(
      (p) => p.policy.promiscuous || p.policy.macChanges || p.policy.macs.shared.includes(frame.to as never),
    );
    return { receivers, isKnown: false, leaves: from !== undefined };
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

  /** One copy to one port. */
  private deliver(port: Port, carried: Carried, from: string): Delivery[] {
    const isDeaf = port.policy.blocked || this.mirrors.isAlone(port.spec.n);
    if (isDeaf || !this.hears(port, carried)) return [];
    const passed = this.filtered(port, 'out', carried);
    if (passed === undefined) return [];
    const { vlan } = port.policy;
    const isTagged = vlan.mode === 'trunk' && passed.segment !== vlan.native;
    const frame = isTagged ? tagged(passed, passed.segment) : passed.frame;
    const sight = {
      place: { ...port.spec, direction: 'out' as const },
      frame,
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
    const verdict = connections.judge(filter, way, { frame, segment, cos, sets: this.sets });
    if (!verdict.passes) return undefined;
    return verdict.rule === undefined ? carried : marked(carried, verdict.rule);
  }

  private byUplink({ carrier, device: from }: Port, carried: Carried): Delivery[] {
    const devices =
      carrier.kind === 'any' ? carrier.devices : carrier.device === undefined ? [] : [carrier.device];
    if (devices.length === 0) return [];
    const { segment, sender } = carried;
    const vid = sender.kind === 'promiscuous' ? segment : sender.vlan;
    const frame = segment === 0 ? carried.frame : tagged(carried, vid);
    // Of several that are one link nobody can say by which it goes: such worlds have no mirrors of them.
    const [only] = devices;
    const uplink = devices.length === 1 && only !== undefined ? this.uplinks.get(only) : undefined;
    if (uplink === undefined) return [{ devices, frame }];
    const place = { uplink, direction: 'out' } as const;
    return [{ devices, frame }, ...this.mirrors.copies({ place, frame, segment: vid, from })];
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

const ownMacs = ({ spec, policy }: Port): string[] => [spec.mac, ...policy.macs.extra];
const macsOf = (port: Port): string[] => [...ownMacs(port), ...port.policy.macs.shared];

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
