import {
  type Mirror,
  type PolicyField,
  type PolicyPatch,
  type PrivateVlan,
  type TrafficClass,
} from '#domain';
import { type Frame } from './frame.js';

/** What operators said and hypervisors did, as plain data: everything that the model, and what it is held against, know. */
export interface World {
  readonly switches: readonly SwitchSpec[];
  readonly groups: readonly GroupSpec[];
  readonly hosts: readonly HostSpec[];
  /** Those that rules may name. */
  readonly sets: readonly SetSpec[];
}

export type SetSpec = { readonly name: string } & (
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  /** By their numbers. */
  | { readonly kind: 'ports'; readonly ports: readonly number[] }
);

export interface SwitchSpec {
  readonly name: string;
  readonly kind: 'distributed' | 'standard';
  readonly uplinks: readonly string[];
  readonly privateVlans: readonly PrivateVlan[];
  readonly mirrors: readonly Mirror[];
  readonly multicast: 'basic' | 'snooping';
  /** Bit/s by an uplink of each class of traffic that has a limit. */
  readonly classLimits: Readonly<Partial<Record<TrafficClass, number>>>;
  readonly policy: PolicyPatch;
}

export interface GroupSpec {
  readonly name: string;
  readonly switch: string;
  readonly policy: PolicyPatch;
  readonly overridable: readonly PolicyField[];
}

export interface HostSpec {
  readonly name: string;
  /** Switch → uplink → device, of each switch that the host is a member of. */
  readonly members: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly ports: readonly PortSpec[];
  /** Uplink devices without a link. */
  readonly down: readonly string[];
}

export interface PortSpec {
  /** The port's number: `p<n>`. */
  readonly n: number;
  readonly group: string;
  readonly mac: string;
  readonly override: PolicyPatch;
  /** Where its guest is plugged in; null: nowhere. */
  readonly device: string | null;
}

/** A frame that comes to a host's switch by a device. */
export interface Arrival {
  readonly host: string;
  readonly device: string;
  readonly frame: Frame;
}

/** What must come out: one frame, by one of these devices. */
export interface Delivery {
  readonly devices: readonly string[];
  readonly frame: Frame;
}
