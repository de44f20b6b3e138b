import { type SetName } from '#kernel';

/** Seen from the port: `in` is what the vNIC sent, `out` what it receives. */
export type Direction = 'in' | 'out' | 'both';

/** Both ends included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Flags that must stand and flags that must not; of a TCP header, 6 to 12 bits by name. */
export interface TcpFlags {
  readonly set: readonly TcpFlag[];
  readonly clear: readonly TcpFlag[];
}

export const TCP_FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr'] as const;
export type TcpFlag = (typeof TCP_FLAGS)[number];

/** Everything that is said must hold; what is not said may be anything. */
export interface FilterMatch {
  /** A MAC, or one under a mask: `02:00:00:00:00:00/ff:ff:ff:00:00:00`. */
  readonly srcMac?: string;
  readonly dstMac?: string;
  readonly etherType?: number;
  /** The segment, 0 for untagged. */
  readonly vlan?: number;
  /** Priority in the tag, 0 to 7. */
  readonly cos?: number;
  readonly ipVersion?: 4 | 6;
  readonly ipProtocol?: number;
  /** IPv4 or IPv6 prefix. */
  readonly src?: string;
  readonly dst?: string;
  /** An address set, or a set of ports. */
  readonly srcSet?: SetName;
  readonly dstSet?: SetName;
  /** Ports of TCP, UDP or SCTP; need ipProtocol 6, 17 or 132. */
  readonly srcPort?: PortRange;
  readonly dstPort?: PortRange;
  readonly icmpType?: number;
  readonly icmpCode?: number;
  readonly tcpFlags?: TcpFlags;
  /** 0 to 63. */
  readonly dscp?: number;
  /** `first`: not a fragment, or the first one; `later`: a fragment without the header above IP. */
  readonly fragments?: 'first' | 'later';
}

/**
 * `allow`: the frame passes; in a stateful list its answers too. `allow-stateless`: it alone. `drop`. `reject`: dropped
 * and told to the sender. `pass`: the next tier decides.
 */
export const RULE_ACTIONS = ['allow', 'allow-stateless', 'drop', 'reject', 'pass'] as const;
export type RuleAction = (typeof RULE_ACTIONS)[number];

/** At least one of them. */
export interface RuleMark {
  readonly dscp?: number;
  readonly cos?: number;
}

/** What goes over it is dropped. Burst in packets or in kbit, as the unit says. */
export interface RuleRate {
  readonly unit: 'pps' | 'kbps';
  readonly rate: number;
  readonly burst?: number;
}

/** At most so many lines a second; of the frames, one in `sample`. */
export interface RuleLog {
  readonly perSecond: number;
  readonly sample: number;
}

/** Within a tier ordered, first match decides. Tiers are asked from 0 to 3; a rule that passes asks the next. */
export interface FilterRule {
  readonly name: string;
  readonly direction: Direction;
  readonly tier: number;
  readonly enabled: boolean;
  readonly action: RuleAction;
  readonly match: FilterMatch;
  readonly mark?: RuleMark;
  readonly rate?: RuleRate;
  readonly log?: RuleLog;
}

/** What no rule takes gets `default`. Stateful: answers to what was allowed pass without a rule of their own. */
export interface Filter {
  readonly stateful: boolean;
  readonly default: 'allow' | 'drop';
  readonly rules: readonly FilterRule[];
}

export const NO_FILTER: Filter = { stateful: false, default: 'allow', rules: [] };

/** The tier of a rule that names none. */
export const USUAL_TIER = 1;
export const LAST_TIER = 3;
