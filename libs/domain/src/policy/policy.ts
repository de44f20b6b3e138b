import {
  type Addresses,
  type Bandwidth,
  type MacLearning,
  type Macs,
  type Shaping,
  type Teaming,
  type VlanPolicy,
} from './fields.js';
import { NO_FILTER, type Filter } from './filter.js';

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
  readonly macs: Macs;
  /** Null: no learning. */
  readonly macLearning: MacLearning | null;
  /** Null: any address. */
  readonly addresses: Addresses | null;
  readonly shapingIn: Shaping | null;
  readonly shapingOut: Shaping | null;
  readonly filter: Filter;
  readonly teaming: Teaming;
  readonly bandwidth: Bandwidth | null;
  /** Flows of the port are told to the switch's collector. */
  readonly ipfix: boolean;
}

export type PolicyField = keyof Policy;
export type PolicyPatch = { readonly [F in PolicyField]?: Policy[F] };

/** A list, since order and number matter to what is remembered of a policy, a bit each, and one bit is taken: at most 30. */
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
  'macs',
  'macLearning',
  'addresses',
  'bandwidth',
  'ipfix',
] as const satisfies readonly PolicyField[];

/** Where an effective value comes from. */
export type PolicyOrigin = 'default' | 'switch' | 'group' | 'port';

export interface EffectivePolicy {
  readonly policy: Policy;
  readonly origin: Readonly<Record<PolicyField, PolicyOrigin>>;
  /** Overrides that are stored on the port but not allowed by its group: ignored, and shown as such. */
  readonly ignored: readonly PolicyField[];
}

/** What a teaming says that names uplinks only. */
export const USUAL_TEAMING = {
  mode: 'explicit',
  failback: true,
  notify: false,
  detection: 'link',
} as const satisfies Partial<Teaming>;

/** What holds where nobody said anything: as VDS, closed on MAC security, and all uplinks active in their order. */
export function defaultPolicy(uplinks: readonly string[]): Policy {
  return {
    vlan: { mode: 'none' },
    blocked: false,
    promiscuous: false,
    macChanges: false,
    forgedTransmits: false,
    macs: { extra: [], shared: [] },
    macLearning: null,
    addresses: null,
    shapingIn: null,
    shapingOut: null,
    filter: NO_FILTER,
    teaming: { ...USUAL_TEAMING, active: uplinks, standby: [] },
    bandwidth: null,
    ipfix: false,
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
