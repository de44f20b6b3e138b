import {
  type Epoch,
  type HostName,
  type Lineage,
  type MigrationId,
  type PortId,
  type Revision,
} from '#kernel';
import { type NumberedFact, type RawCounters } from '#domain';
import { type RuleLog } from './rule-log.js';

/** One small cumulative message a host: sent on change (coalesced) and every 5 s. */
export interface Report {
  readonly schema: 1;
  readonly host: HostName;
  readonly lineage: Lineage;
  readonly boot: string;
  /** Everything up to this revision that concerns the host is confirmed by its switch and effective. */
  readonly realised: Revision;
  /** Everything up to this revision has been received (marks). */
  readonly received: Revision;
  /** What could not be carried out: the port is closed, the rest of the revision stands. */
  readonly exceptions: readonly {
    readonly port: PortId | null;
    readonly object: string;
    readonly code: string;
    readonly reason: string;
  }[];
  /** ms since the epoch, the host's clock. */
  readonly time: number;
  /** Grows with each report within a boot, whatever becomes of the clock. Absent: an old agent. */
  readonly n?: number;
  readonly version: string;
  readonly driver: 'openvswitch' | 'simulated';
}

/** Asked every 2 s by hosts with ports of groups that isolate: may they stay open? */
export interface LeaseQuestion {
  readonly schema: 1;
  readonly host: HostName;
  readonly boot: string;
  /** What the host has carried out: who lost a port meanwhile has no lease before it knows. */
  readonly lineage: Lineage;
  readonly realised: Revision;
}

/** Of the leader alone. Nobody who leads: no answer. */
export interface LeaseAnswer {
  readonly schema: 1;
  readonly granted: boolean;
  /** Why not. */
  readonly reason?: string;
}

/** Facts on their way to the log, in order. Kept in the agent's journal until the host document covers them. */
export interface FactBatch {
  readonly schema: 1;
  readonly host: HostName;
  readonly boot: string;
  /** Number of the fact before the first of these; 0: they begin the numbering. Absent: an old sender. */
  readonly after?: number;
  /** What the agent can do that earlier ones could not. Absent: one of those. */
  readonly abilities?: readonly string[];
  readonly facts: readonly NumberedFact[];
}

/** Raw counters of one port binding at one instant. */
export interface CounterSample {
  readonly port: PortId;
  readonly epoch: Epoch;
  readonly incarnation: string;
  readonly raw: RawCounters;
  /** Frames that policy or shaping dropped; absent when not read. */
  readonly dropped?: { readonly in: number; readonly out: number };
}

/** Last-value stream, one key a host, every 30 s: what an inexact close falls back on. */
export interface Checkpoint {
  readonly schema: 1;
  readonly host: HostName;
  readonly boot: string;
  readonly time: number;
  readonly counters: readonly CounterSample[];
}

/** Live telemetry, about once a second; never in the log. */
export interface Telemetry {
  readonly schema: 1;
  readonly host: HostName;
  readonly boot: string;
  readonly time: number;
  readonly counters: readonly CounterSample[];
  readonly vms: readonly {
    readonly owner: string;
    readonly state: 'running' | 'paused' | 'incoming' | 'stopped';
    /** Packets that the guest itself says it sent, where the guest can tell (simulated guests). */
    readonly sent?: number;
    readonly received?: number;
    readonly migration?: MigrationId;
  }[];
  readonly interfaces: readonly {
    readonly name: string;
    readonly ifaceId: string | null;
    readonly port: PortId | null;
    readonly state: string;
  }[];
  readonly uplinks: readonly {
    readonly switch: string;
    readonly uplink: string;
    readonly device: string;
    readonly up: boolean;
  }[];
  /** Of uplinks whose ports go by load, over the last interval; in bit/s. Absent: there are none. */
  readonly loads?: readonly {
    readonly switch: string;
    readonly uplink: string;
    readonly speed: number;
    readonly sent: number;
    readonly received: number;
    /** Ports that were put on it for the load. */
    readonly moved: readonly PortId[];
  }[];
  /** Beside the ledger, of bindings whose device was looked at; absent: nothing was yet. */
  readonly beside?: readonly BesideLedger[];
  /** Devices of uplinks. */
  readonly devices?: readonly DeviceCounts[];
  /** Who is at the other end of an uplink (LLDP), as it says itself. Absent: nobody that is known. */
  readonly neighbours?: readonly Neighbour[];
  /**
   * All flows, groups and meters that were carried out, as sixteen hexadecimal digits: the same for the same tables, so that
   * a change that was taken back shows as such. Absent: none yet.
   */
  readonly tables?: string;
  /** Absent: there are none, or they were not read. */
  readonly rules?: readonly RuleHits[];
  /** Frames that rules log; absent: none since. */
  readonly log?: RuleLog;
  /** Whether uplinks whose link is up lead anywhere, where ports want to know. Absent: none does. */
  readonly beacons?: readonly {
    readonly switch: string;
    readonly uplink: string;
    readonly state: 'heard' | 'alone' | 'unknown';
  }[];
  /** Of uplinks of switches whose health is checked. Absent: there are none. */
  readonly health?: readonly UplinkHealth[];
}

/** What the health check found out about an uplink. */
export interface UplinkHealth {
  readonly switch: string;
  readonly uplink: string;
  /** Other hosts of the switch that were heard of late, by any uplink. */
  readonly hosts: number;
  /** VLANs in which somebody answered last, and in which nobody did. */
  readonly answered: number;
  readonly unheard: number;
  readonly faults: readonly HealthFault[];
}

export interface HealthFault {
  readonly kind: 'vlan' | 'mtu' | 'teaming';
  /** 0: frames without a tag. */
  readonly vlan: number;
  /** With what is to be done. */
  readonly reason: string;
}

export interface Neighbour {
  readonly switch: string;
  readonly uplink: string;
  readonly chassis: string;
  readonly port: string;
  /** Seconds for which it said so. */
  readonly ttl: number;
  readonly portDescription: string | null;
  readonly systemName: string | null;
  readonly systemDescription: string | null;
  readonly capabilities: readonly string[];
  readonly managementAddress: string | null;
  /** How many more are heard by this uplink. */
  readonly others: number;
}

interface Amount {
  readonly packets: number;
  readonly bytes: number;
}
interface BothWays {
  readonly in: number;
  readonly out: number;
}

/** What is told of a binding and is no part of its ledger: see docs/counters.md. */
export interface BesideLedger {
  readonly port: PortId;
  readonly epoch: Epoch;
  /** Frames that its device took and the switch never read, since the agent began to look. */
  readonly lost: number;
  /** Errors of its device since then. */
  readonly exceptions: BothWays;
  /** What came by an uplink for it, and what of it went to one; absent: by no uplink. */
  readonly pnic?: { readonly from: Amount; readonly to: Amount };
}

/** What the device of an uplink counted, `in` from the wire, since it came up. */
export interface DeviceCounts {
  readonly switch: string;
  readonly device: string;
  /** ms, the host's clock, of the reading. */
  readonly time: number;
  readonly in: Amount;
  readonly out: Amount;
  readonly dropped: BothWays;
  readonly errors: BothWays;
  /** Frames from the wire with the MAC of a guest that is active here, or to an address of tokens; since the flows were made. */
  readonly refused?: number;
}

/** Of one list of rules on a host: frames that each rule took, of all these ports together, since the agent began to look. */
export interface RuleHits {
  readonly switch: string;
  readonly ports: readonly PortId[];
  readonly hits: Readonly<Record<string, number>>;
}
