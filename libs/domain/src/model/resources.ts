import { type GroupName, type HostName, type PortId, type SetName, type SwitchName } from '#kernel';
import { type PolicyField, type PolicyPatch } from '../policy/policy.js';
import { type SwitchFeatures } from '../switch/spec.js';

/** Intent as operators state it. `version`: the revision they read; absent: whatever it is now. */
interface ResourceOf<K extends string, N extends string, S> {
  readonly kind: K;
  readonly name: N;
  readonly version?: number;
  readonly spec: S;
}

export type HostResource = ResourceOf<
  'Host',
  HostName,
  {
    readonly labels: Readonly<Record<string, string>>;
    readonly managementPath: string | null;
    readonly preload: readonly GroupName[];
    readonly maintenance: boolean;
    /** Guests that may leave at once, and guests that may arrive at once. */
    readonly migrationLimit: number;
    /** What another program put on a bridge of ours: told of, or taken away. */
    readonly foreignFlows: 'report' | 'remove';
  }
>;

export type SwitchResource = ResourceOf<
  'DistributedSwitch' | 'StandardSwitch',
  SwitchName,
  SwitchFeatures & {
    readonly uplinks: readonly string[];
    readonly mtu: number;
    readonly policy: PolicyPatch;
    /** host → uplink → pNIC. A StandardSwitch names exactly one host. */
    readonly members: Readonly<Record<HostName, Readonly<Record<string, string>>>>;
  }
>;

export type GroupResource = ResourceOf<
  'PortGroup',
  GroupName,
  {
    readonly switch: SwitchName;
    readonly policy: PolicyPatch;
    readonly overridable: readonly PolicyField[];
    readonly binding: 'static' | 'ephemeral';
    readonly ports: number;
    readonly autoExpand: boolean;
    /** Ports beyond `ports` go again when they fall free. */
    readonly autoShrink: boolean;
    readonly resetAtDisconnect: boolean;
    readonly partitionPolicy: 'keep' | 'isolate';
    readonly startOffline: boolean;
  }
>;

/** Override of an existing port. */
export type PortResource = ResourceOf<'Port', PortId, { readonly override: PolicyPatch }>;

/** Addresses that rules name as one. Its members change without a rule or a group being touched. */
export type AddressSetResource = ResourceOf<
  'AddressSet',
  SetName,
  {
    /** IPv4 and IPv6 addresses and prefixes. */
    readonly addresses: readonly string[];
  }
>;

/** Ports that rules name as one: those connected that are listed, in a group listed, or of an owner listed. */
export type PortSetResource = ResourceOf<
  'PortSet',
  SetName,
  {
    readonly groups: readonly GroupName[];
    readonly ports: readonly PortId[];
    /** Of connectees: VMs, containers. */
    readonly owners: readonly string[];
  }
>;

export type Resource =
  HostResource | SwitchResource | GroupResource | PortResource | AddressSetResource | PortSetResource;
export type ResourceKind = Resource['kind'];
