import { type List, type Map, type Set } from 'immutable';
import {
  type Epoch,
  type EvacuationId,
  type GroupName,
  type HostName,
  type IfaceId,
  type Lineage,
  type Mac,
  type MigrationId,
  type PortId,
  type Revision,
  type SetName,
  type SwitchName,
} from '#kernel';
import { type PolicyField, type PolicyPatch } from '../policy/policy.js';
import { type SwitchFeatures } from '../switch/spec.js';
import { type Ability } from './abilities.js';

/** The whole state, folded from the log. Immutable maps, so a snapshot, a what-if and an as-of are free. */
export interface State {
  readonly lineage: Lineage | null;
  readonly revision: Revision;
  /** Time of the last commit, ms since the epoch: the sequencer's clock as the log knows it. */
  readonly time: number;
  readonly hosts: Map<HostName, Host>;
  readonly switches: Map<SwitchName, Switch>;
  readonly groups: Map<GroupName, Group>;
  readonly ports: Map<PortId, Port>;
  readonly sets: Map<SetName, MemberSet>;
  readonly migrations: Map<MigrationId, Migration>;
  readonly evacuations: Map<EvacuationId, Evacuation>;
  /** connectee's iface-id → its one port. */
  readonly byIface: Map<IfaceId, PortId>;
  /** `<switch> <segment> <mac>` → port: a MAC once per switch and VLAN. */
  readonly byMac: Map<string, PortId>;
  /** Indexes, always derivable from the ports; not part of digests. Ports that are not deleted, by group. */
  readonly byGroup: Map<GroupName, Set<PortId>>;
  /** Ports of a group without a connectee. */
  readonly free: Map<GroupName, Set<PortId>>;
  /** Ports with a binding of any role (active, standby, retiring) on a host. */
  readonly byHost: Map<HostName, Set<PortId>>;
  /** Connected ports by the owner of their connectee. */
  readonly byOwner: Map<string, Set<PortId>>;
  /** `group <name>`, `port <id>`, `owner <name>` → the sets of ports that list it. */
  readonly bySetMember: Map<string, Set<SetName>>;
  /** Port → the migration that moves it now. */
  readonly moving: Map<PortId, MigrationId>;
  /** Deleted ports that are still held, those that went first in front. */
  readonly deleted: List<PortId>;
  /** Everything up to here was reported as realised by every host concerned. */
  readonly realised: Revision;
  readonly nextPort: number;
  readonly nextMigration: number;
  readonly nextEvacuation: number;
  /** New bindings take no epoch below this one: a history that is no more may have used it. */
  readonly epochsFrom: number;
  readonly schemaLevel: number;
}

export interface Host {
  readonly name: HostName;
  /** Revision of the last change of intent: the version for optimistic concurrency. */
  readonly version: Revision;
  readonly labels: Readonly<Record<string, string>>;
  /** pNIC (or port) that carries management: never taken over by a switch without a warning; see commit-confirm. */
  readonly managementPath: string | null;
  /** Groups that this host's agent holds although no port of it uses them. */
  readonly preload: readonly GroupName[];
  /** The highest fact number taken in, per boot of the agent's host. */
  readonly facts: { readonly boot: string; readonly seq: number } | null;
  /** Earlier boots, newest last, at most 8: what is delivered late for one of them is ignored. */
  readonly formerBoots: readonly string[];
  /** `<switch> <uplink>` of uplinks that the host reported as down. */
  readonly downUplinks: readonly string[];
  /** Bit/s by `<switch> <uplink>`, of uplinks that told; absent: none did. */
  readonly uplinkSpeeds?: Readonly<Record<string, number>>;
  /** Bytes that the device takes at once, likewise. */
  readonly uplinkMtus?: Readonly<Record<string, number>>;
  /** VLANs that the health check finds not to get through, of uplinks that lack some; sorted, 0 for untagged. */
  readonly uplinkVlans?: Readonly<Record<string, readonly number[]>>;
  /** No guest is sent here, and none is chosen to come. What is plugged in is bound all the same. */
  readonly maintenance: boolean;
  /** Guests that may leave at once, and guests that may arrive at once. */
  readonly migrationLimit: number;
  readonly foreignFlows: 'report' | 'remove';
  /** What its agent said last that it can do; absent: nothing that needs saying. */
  readonly abilities?: readonly Ability[];
  /** Somebody's word that nothing runs there; absent once it tells of itself again. */
  readonly dead?: HostDeath;
  /** Ports that are plugged in there, as far as is known, and are not its own: they wait, or were taken from it. */
  readonly claims?: readonly PortId[];
  /** Last commit that took ports from it while it was lost: it may open none before it has carried that out. */
  readonly fence?: Revision;
}

export interface HostDeath {
  readonly by: string;
  readonly reason: string;
  /** ms since the epoch. */
  readonly at: number;
}

/** One virtual switch. A standard one has exactly one member and is of that host only. */
export interface Switch extends SwitchFeatures {
  readonly name: SwitchName;
  readonly kind: 'distributed' | 'standard';
  readonly version: Revision;
  readonly uplinks: readonly string[];
  /** Bytes, 576 to 9000 (payload). */
  readonly mtu: number;
  readonly policy: PolicyPatch;
  /** Members and, for each, uplink name → pNIC. An empty map: internal-only on that host. */
  readonly members: Readonly<Record<HostName, Readonly<Record<string, string>>>>;
}

export interface Group {
  readonly name: GroupName;
  readonly switch: SwitchName;
  readonly version: Revision;
  readonly policy: PolicyPatch;
  readonly overridable: readonly PolicyField[];
  readonly binding: 'static' | 'ephemeral';
  /** Static: how many ports exist at least. Ephemeral: the most that may exist (0: no limit). */
  readonly ports: number;
  /** Static: make more when none is free. */
  readonly autoExpand: boolean;
  /** Static: what was made so goes again when it falls free. */
  readonly autoShrink: boolean;
  readonly resetAtDisconnect: boolean;
  readonly partitionPolicy: 'keep' | 'isolate';
  readonly startOffline: boolean;
  /**
   * It kept what was cut off before this revision: a host that did not carry that out yet leaves its ports open. Absent: it
   * never did, or does.
   */
  readonly isolatesSince?: Revision;
  /** Closing: refuses binds; deleted when the last port is free. */
  readonly phase: 'open' | 'closing';
}

/** What rules may name in the place of addresses. */
export type MemberSet = AddressSet | PortSet;

export interface AddressSet {
  readonly kind: 'addresses';
  readonly name: SetName;
  readonly version: Revision;
  readonly addresses: readonly string[];
}

export interface PortSet {
  readonly kind: 'ports';
  readonly name: SetName;
  readonly version: Revision;
  readonly groups: readonly GroupName[];
  readonly ports: readonly PortId[];
  readonly owners: readonly string[];
}

export interface Connectee {
  readonly kind: 'vm' | 'container' | 'kernel';
  readonly ifaceId: IfaceId;
  readonly mac: Mac;
  /** Name or uuid of the VM, container or interface's owner. */
  readonly owner: string;
}

/** Who forwards for a port. `epoch` fences: what speaks for a smaller one is refused. */
export interface Binding {
  readonly host: HostName;
  readonly epoch: Epoch;
}

/** A destination made ready: same port, next epoch, opened by the guest's first frame. */
export interface Standby extends Binding {
  readonly migration: MigrationId;
}

export interface Port {
  readonly id: PortId;
  readonly group: GroupName;
  readonly switch: SwitchName;
  readonly version: Revision;
  readonly override: PolicyPatch;
  readonly connectee: Connectee | null;
  readonly active: Binding | null;
  readonly standby: Standby | null;
  /** An earlier binding whose host has not yet reported its final counters. */
  readonly retiring: readonly Binding[];
  /** The highest epoch ever given. */
  readonly epoch: Epoch;
  readonly ledger: Ledger;
  /** From when on its counters are shown; absent: from the beginning. */
  readonly reset?: CountersReset;
  /** A host that has its connectee plugged in, and waits for the port. Absent: none. */
  readonly claim?: PortClaim;
  /** Hosts that it was taken from while they were lost, and that were not seen without its connectee since. */
  readonly taken?: readonly HostName[];
  /**
   * It came at this revision from a group that keeps what is cut off to one that isolates: as of `Group.isolatesSince`, of
   * the port alone. Absent: it never did, or its group keeps it.
   */
  readonly isolatesSince?: Revision;
  /** A deleted port keeps its epoch and ledger, until many others were deleted after it; then the log alone has them. */
  readonly deleted: boolean;
}

export interface PortClaim {
  readonly host: HostName;
  /** Why it waits, and for what. */
  readonly reason: string;
  /** ms since the epoch. */
  readonly since: number;
}

/** An offset to the ledger's totals, and who wanted it, when and why. */
export interface CountersReset {
  readonly at: RawCounters;
  readonly by: string;
  readonly reason: string;
  /** ms since the epoch. */
  readonly time: number;
  readonly revision: Revision;
}

/** Raw values of one port's count meters, whole packets and bytes, as decimal strings when over 2^53. */
export interface RawCounters {
  readonly in: DirectionCounters;
  readonly out: DirectionCounters;
}

export interface DirectionCounters {
  readonly unicast: PacketsBytes;
  readonly multicast: PacketsBytes;
  readonly broadcast: PacketsBytes;
}

export interface PacketsBytes {
  readonly packets: number;
  readonly bytes: number;
}

/** One stretch of counting: one host, one epoch, one incarnation of the meters. */
export interface Segment {
  readonly host: HostName;
  readonly epoch: Epoch;
  /** uuid that the agent gave when it made the meters, or found them reset. */
  readonly incarnation: string;
  readonly open: RawCounters;
  readonly close: RawCounters | null;
  readonly openedAt: number;
  readonly closedAt: number | null;
  /** Closed at a checkpoint because the final value can't be had; the bound says how much may be missing. */
  readonly inexact: { readonly checkpointAt: number; readonly reason: string } | null;
}

/** A port's counters: Σ closed (close − open) + (current raw − open) of those still open. */
export interface Ledger {
  readonly segments: readonly Segment[];
  /** Sum of segments that were folded away to keep the list short. */
  readonly folded: RawCounters | null;
  /** How many segments were folded, and how many of them were inexact. */
  readonly foldedCount: number;
  readonly foldedInexact: number;
}

export type MigrationPhase =
  | 'admitted'
  | 'prepared'
  | 'moving'
  | 'switched'
  | 'completed'
  | 'aborting'
  | 'aborted'
  | 'failed'
  | 'unknown';

export type HypervisorOutcome = 'started' | 'completed' | 'failed' | 'aborted' | 'unknown';

export interface MigrationStep {
  readonly phase: MigrationPhase;
  readonly at: number;
  readonly revision: Revision;
  readonly reason?: string;
}

export interface Migration {
  readonly id: MigrationId;
  /** Who began it: the operator (the coordinator drives), or seen from the facts (somebody else drives). */
  readonly origin: 'operator' | 'observed';
  readonly owner: string;
  readonly source: HostName;
  readonly destination: HostName;
  /**
   * Ports that move, each with the epoch it gets at the destination and whether it is active there. `ready`: the
   * destination has its interface and its policy; absent: it did not say so yet. `plugged`: false once its interface
   * was seen to leave the destination, until it is back; absent: it never left.
   */
  readonly ports: readonly {
    readonly port: PortId;
    readonly epoch: Epoch;
    readonly activated: boolean;
    readonly ready?: boolean;
    readonly plugged?: boolean;
    /** When the destination noticed the guest's first frame, and the source its token: ms, each by its own clock. */
    readonly activatedAt?: number;
    readonly turnedAt?: number;
    /** Up to which revision the destination carried everything out when the first frame came. */
    readonly realised?: number;
    /** Which revision of the port's policy the source had carried out, as the guest brought it along: see the fact. */
    readonly carried?: number;
  }[];
  readonly phase: MigrationPhase;
  /** Grows with each phase: a timer or proposal of an earlier episode is refused. */
  readonly episode: number;
  /** Attempt number of the hypervisor's migration; 0: not started by us. */
  readonly attempt: number;
  /** The hypervisor's last word on this attempt; null: none yet. An order is out until this says how it ended. */
  readonly outcome: HypervisorOutcome | null;
  /** ms since the epoch, counted from when the phase began by the log's time: see `allowanceOf`. null: none. */
  readonly deadline: number | null;
  readonly history: readonly MigrationStep[];
  readonly requestedBy: string;
  readonly reason: string | null;
  /** For how long the guest stood still, ms, as its hypervisor counted it. */
  readonly pauseMs?: number;
  /** The evacuation that it is part of. */
  readonly evacuation?: EvacuationId;
}

export type EvacuationPhase = 'running' | 'aborting' | 'completed' | 'incomplete' | 'aborted';

/** An operator's word that all guests are to leave a host, and what became of it. */
export interface Evacuation {
  readonly id: EvacuationId;
  readonly host: HostName;
  /** Where guests may go; empty: wherever they are admitted. */
  readonly to: readonly HostName[];
  /** Most of its moves at once, beside the limits of the hosts; null: these alone. */
  readonly parallel: number | null;
  /** How often one guest is tried. */
  readonly attempts: number;
  readonly requestedBy: string;
  /** Why it was asked for. */
  readonly reason: string | null;
  readonly phase: EvacuationPhase;
  /** Grows with all that becomes of it: what was proposed before is refused. */
  readonly episode: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Why it ended before all was done. */
  readonly why: string | null;
  /** Guests that were tried or found unable to go, in that order. */
  readonly guests: readonly EvacuatedGuest[];
}

export interface EvacuatedGuest {
  readonly owner: string;
  readonly tries: readonly EvacuationTry[];
  /** Why it can't go; empty: nothing is known against it. */
  readonly refusals: readonly EvacuationRefusal[];
}

export interface EvacuationTry {
  readonly migration: MigrationId;
  readonly destination: HostName;
  /** How the migration ended; null: it runs. */
  readonly outcome: 'completed' | 'aborted' | 'failed' | null;
  readonly reason: string | null;
}

/** What of a guest speaks against its going to `destination`; null: to any. */
export interface EvacuationRefusal {
  readonly destination: HostName | null;
  readonly field: string;
  readonly reason: string;
}
