import { equalJson, sameItems, type Epoch, type PortId, type SetName, type SwitchName } from '#kernel';
import { type EffectivePolicy, type Lag, type MirrorSource, type Policy, type PrivateVlan } from '#domain';
import { type BindingRole, type SetDocument, type SwitchDocument } from '#contracts';
import { type BridgeExports, type ObservedInterface } from '#openflow';
import { type Range } from '../ranges.js';
import { type MulticastFacts, type Uplink } from '../types.js';

/**
 * What a binding is to the data plane.
 *
 * | life | who may send and receive |
 * | --- | --- |
 * | owner | the port, here |
 * | armed | the port, here, until a frame with the token turns it away |
 * | turned | nobody: the port went to another host |
 * | waiting | nobody, until the guest's first frame opens it |
 * | closed | nobody: retired, or not to be carried out |
 */
export type Life = 'owner' | 'armed' | 'turned' | 'waiting' | 'closed';

export interface UplinkPlan extends Uplink {
  /** The LAG that it is in: it carries nothing by itself. */
  readonly lag?: LagMembership;
}

export interface LagMembership {
  readonly name: string;
  readonly hash: Lag['hash'];
  /** The host has two of its uplinks at least. */
  readonly formed: boolean;
  /** LACP's partner is there and takes it for one of the bundle. */
  readonly bundled: boolean;
}

/** A LAG of a switch, with the devices that it has on this host. */
export interface LagPlan extends Pick<Lag, 'name' | 'mode' | 'fast'> {
  /** Of its row in the switch's database. */
  readonly port: string;
  readonly devices: readonly string[];
}

/** What is the same for all ports of a bridge, and decides about each. */
export interface Place {
  readonly switchDoc: SwitchDocument | undefined;
  readonly mapping: Readonly<Record<string, string>>;
  readonly uplinks: readonly UplinkPlan[];
  readonly interfaces: readonly ObservedInterface[];
  /** Uplinks that ports without failback do not go back to, the longest out first. */
  readonly passedOver: readonly string[];
  /** Uplinks whose link is up and that lead nowhere. */
  readonly unhealthy: readonly string[];
  /** Those whose copies have somewhere to go on this host. */
  readonly mirrors: readonly MirrorPlan[];
}

/** A session of mirroring, as far as this host is concerned. */
export interface MirrorPlan extends Omit<MirrorCopy, 'into'> {
  readonly sources: readonly MirrorSource[];
  readonly to: MirrorWay;
  /** Bytes of each frame; null: whole. */
  readonly snapLength: number | null;
}

/** `slot` of a port of this host, which gets nothing else if it is `alone`; or the first live uplink, in a VLAN of its own. */
export type MirrorWay =
  | { readonly kind: 'port'; readonly slot: number; readonly alone: boolean }
  | { readonly kind: 'uplinks'; readonly vlan: number; readonly uplinks: readonly UplinkPlan[] };

/** That something is copied. */
export interface MirrorCopy {
  /** Place in the switch's list of mirrors, from 1. */
  readonly number: number;
  readonly into: 'port' | 'vlan';
  /** Segments whose frames are copied; absent: all. */
  readonly ranges?: readonly Range[];
}

/** What a port sends, and what it gets. */
export interface PortMirrors {
  readonly in: readonly MirrorCopy[];
  readonly out: readonly MirrorCopy[];
}

/** That a collector is told of samples of a port's frames. */
export interface SamplePlan {
  /** Of 65,536. */
  readonly probability: number;
  readonly domain: number;
  /** Only what the port gets from ports of this host. */
  readonly internalOnly: boolean;
}

/**
 * Uplinks that carry one or more ports. `order`: the first with a live link does; `hash`: all do, each its share of
 * the connections, and the other end takes them for one link.
 */
export interface TeamPlan {
  /** Group id and register value; depends on kind and order only. */
  readonly id: number;
  readonly kind: 'order' | 'hash';
  /** Of `hash`: what is looked at; absent: IP addresses. */
  readonly by?: Lag['hash'];
  readonly uplinks: readonly UplinkPlan[];
}

export interface PortPlan {
  readonly port: PortId;
  readonly epoch: Epoch;
  readonly role: BindingRole;
  readonly slot: number;
  readonly life: Life;
  readonly mac: bigint;
  readonly policy: Policy;
  readonly ignored: EffectivePolicy['ignored'];
  /** Segments the port takes part in. */
  readonly ranges: readonly Range[];
  /** What the port is in a private VLAN; its segment is the primary. */
  readonly secondary?: PrivateVlan;
  /** Out-tables that its copies go through, see pipeline/stages.ts. */
  readonly stages: number;
  readonly ofport?: number;
  readonly ifaceName?: string;
  /** Absent: the switch has no uplink on this host. */
  readonly team?: TeamPlan;
  readonly token?: bigint;
  /** It is open only while the host's lease stands. */
  readonly leased?: true;
  /** Absent: nothing of it is copied. */
  readonly mirrors?: PortMirrors;
  /** It is there for copies and nothing else. */
  readonly alone?: true;
  /** Absent: nobody is told. */
  readonly sampled?: SamplePlan;
  /** The plan that it came of by changes of its policy alone: what a copy says otherwise, it must not have. */
  readonly origin?: PortPlan;
}

/** A set that rules of the bridge's ports name. */
export interface SetPlan {
  readonly name: SetName;
  readonly kind: SetDocument['members']['kind'];
  /** In the registers of its kind, 0 to 31. */
  readonly bit: number;
  readonly document: SetDocument;
}

export interface BridgePlan {
  readonly name: string;
  readonly switch: SwitchName;
  readonly mtu: number;
  /** Devices to plug, with their uplinks' names. */
  readonly devices: readonly { readonly device: string; readonly uplink: string }[];
  /** Devices of these belong into one port. */
  readonly lags: readonly LagPlan[];
  /** Uplinks whose device the switch has opened. */
  readonly uplinks: readonly UplinkPlan[];
  readonly teams: readonly TeamPlan[];
  readonly privateVlans: readonly PrivateVlan[];
  /** What of the uplinks' frames the host itself takes. */
  readonly heard: readonly ('neighbour' | 'probe' | 'beacon')[];
  /** In a fixed order. */
  readonly sets: readonly SetPlan[];
  readonly mirrors: readonly MirrorPlan[];
  /** VLANs that carry copies and nothing else, whether or not any leave this host. */
  readonly mirrorVlans: readonly number[];
  readonly exports?: BridgeExports;
  /** Absent: multicast is not filtered. */
  readonly multicast?: MulticastFacts;
  /** What the ports of a class may send by one uplink, in bit/s. */
  readonly classLimits: readonly { readonly number: number; readonly limit: number }[];
  /** Ports that are carried out, in the order of their numbers. */
  readonly ports: readonly PortPlan[];
  /** Ports of which only the meters stand. */
  readonly closed: readonly PortPlan[];
}

/** All but the members of sets and groups: they change, and what stands for the whole bridge does not. */
export type SteadyPlan = Omit<BridgePlan, 'sets' | 'multicast'>;

export const isPlugged = (port: PortPlan): port is PortPlan & { readonly ofport: number } =>
  port.ofport !== undefined;

const originOf = (plan: PortPlan): PortPlan => plan.origin ?? plan;

/** The same port under another policy, of which nothing else in the plan and no other port depends. */
export const withPolicy = (plan: PortPlan, policy: Policy): PortPlan => ({
  ...plan,
  policy,
  origin: originOf(plan),
});

/** Whether two plans of one binding differ in nothing but what the policy says, and in the stages that follow from it. */
export const sameButPolicy = (a: PortPlan, b: PortPlan): boolean =>
  originOf(a) === originOf(b) || sameElse(a, b);

const sameElse = (a: PortPlan, b: PortPlan): boolean =>
  a.slot === b.slot &&
  a.life === b.life &&
  a.role === b.role &&
  a.mac === b.mac &&
  a.ofport === b.ofport &&
  a.ifaceName === b.ifaceName &&
  a.token === b.token &&
  a.leased === b.leased &&
  sameTeam(a.team, b.team) &&
  sameJson(a.ranges, b.ranges) &&
  sameJson(a.secondary, b.secondary) &&
  a.alone === b.alone &&
  sameJson(a.mirrors, b.mirrors) &&
  sameJson(a.sampled, b.sampled) &&
  sameJson(a.ignored, b.ignored);

const sameTeam = (a: PortPlan['team'], b: PortPlan['team']): boolean =>
  a === b ||
  (a !== undefined &&
    b !== undefined &&
    a.id === b.id &&
    a.kind === b.kind &&
    a.by === b.by &&
    (sameItems(a.uplinks, b.uplinks) || equalJson(a, b)));

const sameJson = (a: unknown, b: unknown): boolean => a === b || equalJson(a, b);
