import {
  type Action,
  type Flow,
  type FlowStats,
  type Group,
  type Match,
  type Meter,
  type MeterStats,
  type OfPort,
  type PortStats,
} from './model.js';
import { type Problem } from '#kernel';
import {
  type BridgeExports,
  type BridgeSettings,
  type KeptSettings,
  type LinkBond,
  type OwnDevice,
  type PortSettings,
} from './rows.js';
import { type TrackedConnection } from './connections.js';
import { type CtFilter, type GroupMod, type MeterModMessage, type UnreadableFlow } from './wire/messages.js';

/**
 * What a host's switch must be: the output of compile, and with the same shape what was read back.
 * Pure data; the driver alone does IO.
 */
export interface DataplaneState {
  readonly bridges: readonly BridgeState[];
}

export interface BridgeState {
  /** Name of the bridge on this host, at most 15 characters. */
  readonly name: string;
  /** Name of the switch that it is the local part of. */
  readonly switch: string;
  /** OVSDB: rows that bear our owner. */
  readonly ports: readonly BridgePort[];
  readonly flows: readonly Flow[];
  readonly groups: readonly Group[];
  readonly meters: readonly Meter[];
  /** Bytes; the payload of a frame without its Ethernet header. */
  readonly mtu: number;
  /** Who is told of samples of its frames; absent: nobody. */
  readonly exports?: BridgeExports;
  /**
   * Flows, groups and meters once more, by what they are for, if whoever made them keeps such pieces: those that
   * are the same objects as in another state hold the same, and need not be compared. Nothing of a piece ever changes.
   */
  readonly pieces?: Pieces;
}

export type Piece = Pick<BridgeState, 'flows' | 'groups' | 'meters'>;

/** What stands for one owner: a port, say. */
export interface OwnedPieces {
  readonly list: readonly Piece[];
  /** Numbers of the tables that its flows are in. */
  readonly tables: ReadonlySet<number>;
}

/** By owner. */
export type Pieces = ReadonlyMap<string, OwnedPieces>;

/**
 * An OVSDB port of the bridge that the agent itself plugs (uplinks), or whose markings it owns (vNICs, that a
 * hypervisor plugged: `plugged: 'other'`; only the external_ids are ours, the row is never created or deleted).
 */
export interface BridgePort {
  /** Device name. */
  readonly name: string;
  readonly plugged: 'agent' | 'other';
  /** Interface type, as OVSDB has it; empty for a system device. */
  readonly type: string;
  /** Port.external_ids that are ours; keys start with `portolan-`. */
  readonly marks: Readonly<Record<string, string>>;
  /** Interface.options: where a tunnel goes. */
  readonly options?: Readonly<Record<string, string>>;
  /** The port is a bond of two or more system devices; absent: one device with the port's name. */
  readonly bond?: LinkBond;
}

/** Interfaces as the switch has them. All strings come from outside: validated by whoever reads them. */
export interface ObservedInterface {
  readonly bridge: string;
  readonly name: string;
  /** Name of its port, where that is another: the interface is a member of a bond. */
  readonly port?: string;
  /** OpenFlow port number; absent until the switch gave one, or when the device could not be opened. */
  readonly ofport?: number;
  readonly linkUp: boolean;
  /** Interface.external_ids, whole. */
  readonly externalIds: Readonly<Record<string, string>>;
  /** Port.external_ids that start with `portolan-`. */
  readonly marks: Readonly<Record<string, string>>;
  readonly type: string;
  readonly mac?: string;
  readonly mtu?: number;
  /** What was asked for; absent: nothing. */
  readonly mtuRequest?: number;
  /** Bit/s, as the device tells. */
  readonly linkSpeed?: number;
  /** Member of a bond with LACP: whether its partner is there and agrees. */
  readonly lacpCurrent?: boolean;
  /** Why the switch could not open the device. */
  readonly error?: string;
  /** What somebody set in the rows of port and interface; absent: nothing that we look at. */
  readonly settings?: PortSettings;
}

/** What was read from one bridge. `flows` holds every flow of the bridge, ours or not. */
export interface BridgeObservation {
  readonly name: string;
  /** external_ids of the bridge row; ours carry `portolan-switch`. */
  readonly externalIds: Readonly<Record<string, string>>;
  /** The bridge is ours, though somebody took the mark away. */
  readonly markLost?: true;
  readonly failMode: string;
  readonly mtu?: number;
  /** What somebody set in the bridge's row; absent: nothing but what every bridge of ours has. */
  readonly settings?: BridgeSettings;
  readonly exports?: BridgeExports;
  /** No fragment has ports for the bridge's flows: somebody set it so. No part of the row. */
  readonly fragmentsBlind?: true;
  readonly flows: readonly FlowStats[];
  readonly groups: readonly Group[];
  readonly meters: readonly (Meter & { readonly durationMs: number })[];
  readonly ports: readonly OfPort[];
  /** Flows whose match this model has no words for: somebody else's, and in the way of ours. */
  readonly unreadable?: readonly UnreadableFlow[];
}

export interface Observation {
  readonly bridges: readonly BridgeObservation[];
  readonly interfaces: readonly ObservedInterface[];
  /** What of the switch's database is malformed; it was treated as absent. */
  readonly problems?: readonly Problem[];
}

/** What of an observation stands in the switch's database. */
export interface ObservedRows {
  readonly bridges: readonly ObservedRow[];
  readonly interfaces: readonly ObservedInterface[];
}

export type ObservedRow = Pick<
  BridgeObservation,
  'name' | 'externalIds' | 'markLost' | 'failMode' | 'mtu' | 'settings' | 'exports'
>;

/** One thing to do, atomic in itself. Steps are applied strictly in order; a step that fails stops the plan. */
export type Step =
  /** One OVSDB transaction. */
  | { readonly kind: 'ovsdb'; readonly changes: readonly OvsdbChange[] }
  | { readonly kind: 'meters'; readonly bridge: string; readonly mods: readonly MeterMod[] }
  /** One atomic OpenFlow bundle. */
  | { readonly kind: 'bundle'; readonly bridge: string; readonly mods: readonly BundleMod[] }
  /** Wait until no later packet is treated by the old flows. */
  | { readonly kind: 'effective'; readonly bridge: string }
  /** Forget connections; after `effective`, as a packet treated by the old flows would bring them back. */
  | { readonly kind: 'flush'; readonly bridge: string; readonly connections: readonly CtFilter[] }
  /** Forget cached decisions, so that the next packet of any kind is an upcall (arming a `learn`). */
  | { readonly kind: 'purge'; readonly bridge: string };

export type OvsdbChange =
  | { readonly op: 'add-bridge'; readonly bridge: string; readonly switch: string; readonly mtu: number }
  | { readonly op: 'set-bridge'; readonly bridge: string; readonly switch: string; readonly mtu: number }
  /** All exports of the bridge are these; none where it is empty. */
  | { readonly op: 'set-exports'; readonly bridge: string; readonly exports: BridgeExports }
  | { readonly op: 'remove-bridge'; readonly bridge: string }
  | { readonly op: 'add-port'; readonly bridge: string; readonly port: BridgePort }
  | {
      readonly op: 'mark-port';
      readonly bridge: string;
      readonly port: string;
      readonly marks: Readonly<Record<string, string>>;
    }
  /** What somebody set in the rows of port and interface; what is not said is cleared. */
  | {
      readonly op: 'set-port';
      readonly bridge: string;
      readonly port: string;
      readonly settings: KeptSettings;
      /** Of one that the agent plugged. */
      readonly device?: OwnDevice;
    }
  | { readonly op: 'remove-port'; readonly bridge: string; readonly port: string };

export type MeterMod =
  { readonly op: 'add' | 'modify'; readonly meter: Meter } | { readonly op: 'delete'; readonly id: number };

export type BundleMod =
  /** Adds, or replaces the flow of the same identity (with its counters reset). */
  | { readonly op: 'add-flow'; readonly flow: Flow }
  /** Strict: exactly the flow of this identity. */
  | { readonly op: 'delete-flow'; readonly flow: Pick<Flow, 'table' | 'priority' | 'match'> }
  | { readonly op: 'add-group' | 'modify-group'; readonly group: Group }
  | { readonly op: 'delete-group'; readonly id: number };

/** Flow as a monitor reports it. */
export interface FlowChange {
  readonly change: 'added' | 'modified' | 'removed';
  readonly flow: Flow;
}

/** What a switch tells by itself. Listeners must not throw and must not block. */
export type DriverEvent =
  /** Interfaces, their external_ids, link or numbers changed: read again. */
  | { readonly kind: 'interfaces' }
  | {
      readonly kind: 'packet-in';
      readonly bridge: string;
      readonly table: number;
      readonly cookie: bigint;
      /** in_port, registers and other metadata at the moment of the action. */
      readonly metadata: Match;
      readonly userdata: Uint8Array;
      readonly frame: Uint8Array;
    }
  /** A flow changed, not by a step of ours: learned, or drift. */
  | { readonly kind: 'flows'; readonly bridge: string; readonly changes: readonly FlowChange[] }
  /** Somebody else changed groups, or meters: drift. */
  | { readonly kind: 'groups'; readonly bridge: string; readonly mods: readonly GroupMod[] }
  | { readonly kind: 'meters'; readonly bridge: string; readonly mods: readonly MeterModMessage[] }
  /** Columns of the switch's database changed, as `Table.column`, also those that no interface or flow depends on. */
  | { readonly kind: 'ovsdb'; readonly columns: ReadonlySet<string> }
  /** The switch is there (again): read and reconcile everything. */
  | { readonly kind: 'up'; readonly bridge?: string }
  | { readonly kind: 'down'; readonly bridge?: string; readonly reason: string };

/**
 * The one place that touches a switch. Every method rejects with a ProblemError whose problem says what failed and
 * whether to retry; nothing is half done within one step.
 */
export interface Driver {
  readonly kind: 'openvswitch' | 'simulated';
  /** Connects and keeps reconnecting (jittered, at most 200 ms apart) until closed; resolves when first connected. */
  start(): Promise<void>;
  /** Everything; of bridges that are ours only. */
  read(): Promise<Observation>;
  /** The same without what the bridges hold; cheap, also while a bridge can't be talked to. */
  rows(): Promise<ObservedRows>;
  /** Interfaces only; cheap. */
  interfaces(): Promise<readonly ObservedInterface[]>;
  apply(step: Step): Promise<void>;
  /** Counts of the given meters, exact at the moment of the reply; meters that are gone are left out. */
  meterStats(bridge: string, ids: readonly number[]): Promise<readonly MeterStats[]>;
  /** Flow statistics by exact cookie and mask, for rule hits. */
  flowStats(bridge: string, cookie: bigint, mask: bigint): Promise<readonly FlowStats[]>;
  /** Counts of the ports' devices; exact at the moment of the reply. */
  portStats(bridge: string): Promise<readonly PortStats[]>;
  /** Connections that conntrack remembers in a zone; the switch looks through those of all zones for them. */
  connections(zone: number): Promise<readonly TrackedConnection[]>;
  /**
   * From now on conntrack takes TCP whatever its sequence numbers, in all zones and until the switch restarts. `refused`
   * where the switch knows no such thing.
   */
  ignoreSequences(): Promise<void>;
  /**
   * What libvirt takes along when the guest behind an interface leaves the host: `PORT_DATA` among the external_ids of
   * its row; null: nothing. Nothing else of the row is touched, and no frame goes another way for it.
   */
  setPortData(device: string, data: string | null): Promise<void>;
  /** Whether another hand changed what the switch tells nobody; cheap. What it is, a reading shows. */
  strayed(): Promise<boolean>;
  /** Sends frames out of a port of the bridge, or does this with each, as with one that comes by no port. */
  packetOut(bridge: string, to: number | readonly Action[], ...frames: readonly Uint8Array[]): Promise<void>;
  watch(listener: (event: DriverEvent) => void): () => void;
  close(): Promise<void>;
}
