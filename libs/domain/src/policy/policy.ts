import { type VlanId } from '#kernel';

/** `none`: untagged only, segment 0. `access`: one VLAN, untagged to the vNIC. `trunk`: the vNIC tags itself. */
export type VlanPolicy =
  | { readonly mode: 'none' }
  | { readonly mode: 'access'; readonly id: VlanId }
  | { readonly mode: 'trunk'; readonly ranges: readonly VlanRange[] };

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

/** Seen from the port: `in` is what the vNIC sent, `out` what it receives. */
export type Direction = 'in' | 'out' | 'both';

export interface FilterMatch {
  readonly srcMac?: string;
  readonly dstMac?: string;
  readonly etherType?: number;
  readonly ipProtocol?: number;
  /** IPv4 or IPv6 prefix. */
  readonly src?: string;
  readonly dst?: string;
  /** TCP or UDP ports; need ipProtocol 6 or 17. */
  readonly srcPort?: PortRange;
  readonly dstPort?: PortRange;
  readonly icmpType?: number;
}

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Stateless, ordered, first match decides; what no rule matches is allowed. */
export interface FilterRule {
  readonly name: string;
  readonly direction: Direction;
  readonly action: 'allow' | 'drop';
  readonly match: FilterMatch;
}

/** Uplink order: the first active uplink with a live link carries the port; then the standby ones in order. */
export interface Teaming {
  readonly active: readonly string[];
  readonly standby: readonly string[];
}

/**
 * Everything that can be said about a port. Each field inherits on its own: switch default ← group ← port override,
 * and the port level counts only for fields that its group lets be overridden.
 */
export interface Policy {
  readonly vlan: VlanPolicy;
  readonly blocked: boolean;
  /** The port also gets unicast frames that are for others in its segment. */
  readonly promiscuous: boolean;
  /** The guest may change its effective MAC: frames to a MAC other than the port's own (learned from it) reach it. */
  readonly macChanges: boolean;
  /** The guest may send with a source MAC that is not the port's. */
  readonly forgedTransmits: boolean;
  readonly shapingIn: Shaping | null;
  readonly shapingOut: Shaping | null;
  readonly filter: readonly FilterRule[];
  readonly teaming: Teaming;
}

export type PolicyField = keyof Policy;
export type PolicyPatch = { readonly [F in PolicyField]?: Policy[F] };

export const POLICY_FIELDS = [
  'vlan',
  'blocked',
  'promiscuous',
  'macChanges',
  'forgedTransmits',
  'shapingIn',
  'shapingOut',
  'filter',
  'teaming',
] as const satisfies readonly PolicyField[];

/** Where an effective value comes from. */
export type PolicyOrigin = 'default' | 'switch' | 'group' | 'port';

export interface EffectivePolicy {
  readonly policy: Policy;
  readonly origin: Readonly<Record<PolicyField, PolicyOrigin>>;
  /** Overrides that are stored on the port but not allowed by its group: ignored, and shown as such. */
  readonly ignored: readonly PolicyField[];
}

/** What holds where nobody said anything: as VDS, closed on MAC security, and all uplinks active in their order. */
export function defaultPolicy(uplinks: readonly string[]): Policy {
  return {
    vlan: { mode: 'none' },
    blocked: false,
    promiscuous: false,
    macChanges: false,
    forgedTransmits: false,
    shapingIn: null,
    shapingOut: null,
    filter: [],
    teaming: { active: uplinks, standby: [] },
  };
}

/** The three levels laid over each other, field by field. Pure and total. */
export function effectivePolicy(
  uplinks: readonly string[],
  switchPolicy: PolicyPatch,
  groupPolicy: PolicyPatch,
  overridable: readonly PolicyField[],
  portOverride: PolicyPatch,
): EffectivePolicy {
  const base = defaultPolicy(uplinks);
  const policy: Record<string, unknown> = { ...base };
  const origin: Record<string, PolicyOrigin> = {};
  const ignored: PolicyField[] = [];
  for (const field of POLICY_FIELDS) {
    origin[field] = 'default';
    const take = (value: unknown, from: PolicyOrigin): void => {
      if (value === undefined) return;
      policy[field] = value;
      origin[field] = from;
    };
    take(switchPolicy[field], 'switch');
    take(groupPolicy[field], 'group');
    if (portOverride[field] === undefined) continue;
    if (overridable.includes(field)) take(portOverride[field], 'port');
    else ignored.push(field);
  }
  return {
    policy: policy as unknown as Policy,
    origin: origin as Record<PolicyField, PolicyOrigin>,
    ignored,
  };
}
