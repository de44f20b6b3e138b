import { type GroupName, type PortId, type VlanId } from '#kernel';
import { type TrafficClass } from '../policy/fields.js';

/** A secondary VLAN and the primary that it belongs to. `promiscuous` names the primary itself. */
export interface PrivateVlan {
  readonly primary: VlanId;
  readonly secondary: VlanId;
  readonly kind: 'promiscuous' | 'isolated' | 'community';
}

/** Uplinks that the other end takes for one link. Its name counts as an uplink's in teaming. */
export interface Lag {
  readonly name: string;
  readonly uplinks: readonly string[];
  /** LACP: `active` speaks first. */
  readonly mode: 'active' | 'passive';
  /** A word each second instead of every 30. */
  readonly fast: boolean;
  readonly hash: 'l2' | 'l3l4';
}

export type MirrorSource = { readonly direction: 'in' | 'out' | 'both' } & (
  { readonly port: PortId } | { readonly group: GroupName } | { readonly uplink: string }
);

/** A port of this switch; uplinks in a VLAN of their own (RSPAN); a collector behind a tunnel. */
export type MirrorTarget =
  | { readonly port: PortId }
  | { readonly uplinks: readonly string[]; readonly vlan: VlanId }
  | { readonly erspan: string; readonly session: number };

export interface Mirror {
  readonly name: string;
  readonly sources: readonly MirrorSource[];
  /** Frames of these segments only; absent: of all. */
  readonly vlans?: readonly number[];
  readonly to: MirrorTarget;
  /** Bytes of each frame; null: whole. */
  readonly snapLength: number | null;
  /** The port that gets the copies may send and receive as well. */
  readonly allowTraffic: boolean;
}

export interface Ipfix {
  /** `ip:port` */
  readonly collector: string;
  readonly domain: number;
  /** Seconds. */
  readonly activeTimeout: number;
  /** One packet in so many. */
  readonly sampling: number;
  readonly internalOnly: boolean;
}

export interface Sflow {
  readonly collector: string;
  readonly sampling: number;
  readonly pollingSeconds: number;
  /** Bytes of each sampled frame. */
  readonly header: number;
}

/** LLDP. */
export interface Discovery {
  readonly mode: 'off' | 'listen' | 'advertise' | 'both';
  readonly intervalSeconds: number;
}

/** Rates in bit/s, of one uplink. */
export interface ClassBandwidth {
  readonly shares: number;
  readonly limit: number | null;
  readonly reservation: number;
}

export interface SwitchBandwidth {
  readonly classes: { readonly [C in TrafficClass]?: ClassBandwidth };
  /** How much of an uplink may be promised, in percent. */
  readonly reservable: number;
}

/** What a switch does beside what its ports' policies say. */
export interface SwitchFeatures {
  readonly privateVlans: readonly PrivateVlan[];
  readonly lags: readonly Lag[];
  readonly mirrors: readonly Mirror[];
  readonly ipfix: Ipfix | null;
  readonly sflow: Sflow | null;
  readonly discovery: Discovery;
  readonly multicast: 'basic' | 'snooping';
  /** VLANs, MTU and teaming are probed between hosts. */
  readonly healthCheck: { readonly intervalSeconds: number } | null;
  readonly bandwidth: SwitchBandwidth | null;
}

/** Of a switch about which nothing is said: also what a document or a log of before means. */
export const NO_FEATURES: SwitchFeatures = {
  privateVlans: [],
  lags: [],
  mirrors: [],
  ipfix: null,
  sflow: null,
  discovery: { mode: 'off', intervalSeconds: 30 },
  multicast: 'basic',
  healthCheck: null,
  bandwidth: null,
};

export const FEATURE_FIELDS = Object.keys(NO_FEATURES) as readonly (keyof SwitchFeatures)[];

/** The features alone, of whatever has them among other fields. */
export function featuresOf(s: SwitchFeatures): SwitchFeatures {
  const { privateVlans, lags, mirrors, ipfix, sflow, discovery, multicast, healthCheck, bandwidth } = s;
  return { privateVlans, lags, mirrors, ipfix, sflow, discovery, multicast, healthCheck, bandwidth };
}
