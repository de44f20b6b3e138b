import { type Mac, type VlanId } from '#kernel';

/**
 * `none`: untagged only, segment 0. `access`: one VLAN, untagged to the vNIC. `trunk`: the vNIC tags itself; what it
 * sends untagged is of the native VLAN, or dropped. `private`: one secondary VLAN of the switch's private VLAN map;
 * MACs belong to the primary.
 */
export type VlanPolicy =
  | { readonly mode: 'none' }
  | { readonly mode: 'access'; readonly id: VlanId }
  | { readonly mode: 'trunk'; readonly ranges: readonly VlanRange[]; readonly native?: VlanId }
  | { readonly mode: 'private'; readonly primary: VlanId; readonly secondary: VlanId };

/** Both ends included; ranges of one trunk do not overlap and are sorted. */
export interface VlanRange {
  readonly from: VlanId;
  readonly to: VlanId;
}

/** Policing in one direction. Rates in bit/s, burst in bytes; average ≤ peak; burst ≥ max(rate × 1 ms, one frame). */
export interface Shaping {
  readonly average: number;
  readonly peak: number;
  readonly burst: number;
}

/** MACs beside the port's own. `extra` are its alone, as its own is; `shared` may be others' as well (VRRP). */
export interface Macs {
  readonly extra: readonly Mac[];
  readonly shared: readonly Mac[];
}

/** Foreign source MACs are taken as the port's, up to the limit; those not heard of for a while are forgotten. */
export interface MacLearning {
  readonly limit: number;
  /** What becomes of frames from a MAC over the limit, or of those to it: dropped, or let through and flooded. */
  readonly atLimit: 'drop' | 'flood';
  readonly ageSeconds: number;
  /** The port also gets unicast frames for nobody known. */
  readonly floodUnknown: boolean;
}

/** Which addresses the guest may use as its own. Its RARP and gratuitous ARP for them always pass. */
export interface Addresses {
  /** Prefixes. */
  readonly allow: readonly string[];
  /** ARP is checked: the sender's MAC and address. */
  readonly arp: boolean;
  /** Neighbour discovery is checked: target and link-layer address. */
  readonly nd: boolean;
  /** DHCP requests pass before the guest has an address. */
  readonly dhcp: boolean;
}

export const TEAMING_MODES = ['port', 'mac', 'ip-hash', 'explicit', 'load'] as const;
export type TeamingMode = (typeof TEAMING_MODES)[number];

/**
 * Uplinks, by name (or the name of a LAG). `explicit`: the first active one with a live link carries the port, then
 * the standby ones in order. The other modes spread ports, source MACs or connections over all active ones.
 */
export interface Teaming {
  readonly mode: TeamingMode;
  readonly active: readonly string[];
  readonly standby: readonly string[];
  /** A port goes back to its uplink when that is up again. */
  readonly failback: boolean;
  /** The switches outside are told where a port is now. */
  readonly notify: boolean;
  readonly detection: 'link' | 'beacon';
}

export const TRAFFIC_CLASSES = ['management', 'migration', 'vm', 'storage'] as const;
export type TrafficClass = (typeof TRAFFIC_CLASSES)[number];

/** Rates in bit/s. Shares divide an uplink that is full; the reservation is what a port is sure of. */
export interface Bandwidth {
  readonly shares: number;
  readonly limit: number | null;
  readonly reservation: number;
  readonly class: TrafficClass;
}

/** Shares in words. */
export const SHARES = { low: 25, normal: 50, high: 100 } as const;
