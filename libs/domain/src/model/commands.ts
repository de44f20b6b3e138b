import {
  type Epoch,
  type EvacuationId,
  type HostName,
  type MigrationId,
  type PortId,
  type Revision,
} from '#kernel';
import { type PolicyPatch } from '../policy/policy.js';
import { type Resource, type ResourceKind } from './resources.js';
import { type MigrationPhase, type RawCounters } from './state.js';

/** What comes in with every command: nothing impure is left to decide. */
export interface CommandContext {
  /** ms since the epoch, the sequencer's clock. */
  readonly now: number;
  readonly actor: string;
}

export type Command =
  /** One file applied: all or nothing. */
  | { readonly type: 'Apply'; readonly resources: readonly Resource[] }
  | {
      readonly type: 'Delete';
      readonly kind: ResourceKind;
      readonly name: string;
      readonly version?: number;
      /** Of a host that will not come back: its last checkpoints, at which its open segments close, inexact. */
      readonly checkpoints?: readonly CounterCheckpoint[];
    }
  /**
   * Nobody will come with the counters that a host still owes: what waits for them goes on without. `dead`: nothing
   * runs there any more either, so what is plugged in there is let go as if its host had seen it leave. `fenced`: that
   * is known of whoever took its power away, and needs no silence to be believed.
   */
  | {
      readonly type: 'GiveUpCounters';
      readonly host: HostName;
      readonly reason: string;
      readonly dead?: boolean;
      readonly fenced?: boolean;
      readonly checkpoints?: readonly CounterCheckpoint[];
    }
  /**
   * The switch of a host that is not heard of has closed every port of its groups that isolate, by itself: those that
   * somebody waits for go there. Said by the leader, who counts how long ago that was.
   */
  | {
      readonly type: 'TakeOver';
      readonly host: HostName;
      readonly reason: string;
      /** What the host is known to have carried out; absent: no more than all hosts. */
      readonly realised?: Revision;
      readonly checkpoints?: readonly CounterCheckpoint[];
    }
  /** Plugs a connectee into a port of a group (or a named port) before or without its host knowing. */
  | {
      readonly type: 'ConnectPort';
      readonly group: string;
      readonly port?: PortId;
      readonly connectee: {
        readonly kind: 'vm' | 'container' | 'kernel';
        readonly ifaceId: string;
        readonly mac: string;
        readonly owner: string;
      };
    }
  | { readonly type: 'DisconnectPort'; readonly port: PortId; readonly version?: number }
  /** Puts a connected port into another group of its switch, live: it keeps its number, counters and overrides. */
  | {
      readonly type: 'MovePort';
      readonly port: PortId;
      readonly group: string;
      readonly version?: number;
    }
  /** What is shown counts from `at` on, which is what the ledger came to for whoever asked. The ledger goes on. */
  | {
      readonly type: 'ResetCounters';
      readonly port: PortId;
      readonly at: RawCounters;
      readonly reason: string;
    }
  | {
      readonly type: 'SetPort';
      readonly port: PortId;
      readonly override: PolicyPatch;
      readonly version?: number;
    }
  | {
      readonly type: 'IngestFacts';
      readonly host: HostName;
      readonly boot: string;
      /** Number of the fact before the first of these, 0 at the beginning. Absent: the sender does not say. */
      readonly after?: number;
      readonly facts: readonly NumberedFact[];
      /** What its agent says that it can do. Absent: one that does not say so. */
      readonly abilities?: readonly string[];
      /** Hosts that are not heard of, by the leader's own clock. */
      readonly suspects?: readonly HostName[];
      /** The host's last: it opens segments where it has forgotten others, which close at these, inexact. */
      readonly checkpoints?: readonly CounterCheckpoint[];
    }
  /** Moves every port of an owner (a VM) from where it is to `destination`. */
  | {
      readonly type: 'StartMigration';
      readonly owner: string;
      readonly destination: HostName;
      readonly attempt?: number;
      readonly reason?: string;
    }
  /** The coordinator's proposal. Refused as fenced when phase or episode moved on. */
  | {
      readonly type: 'AdvanceMigration';
      readonly migration: MigrationId;
      readonly episode: number;
      readonly from: MigrationPhase;
      readonly to: MigrationPhase;
      /** host → the revision that it reported as realised; checked by the sequencer's shell against its own. */
      readonly evidence: Readonly<Record<string, number>>;
      readonly reason?: string;
    }
  | { readonly type: 'AbortMigration'; readonly migration: MigrationId; readonly reason: string }
  /**
   * `stoodMs`: how long the episode has stood, by a clock that nobody sets; the sequencer's shell puts it in, whoever
   * asks. Absent: not at all.
   */
  | {
      readonly type: 'TimeOutMigration';
      readonly migration: MigrationId;
      readonly episode: number;
      readonly stoodMs?: number;
    }
  /** Sums up what hosts reported: every host concerned realised everything up to here. */
  /** All guests are to leave a host, which is put into maintenance. What is absent: see `Evacuation`. */
  | {
      readonly type: 'StartEvacuation';
      readonly host: HostName;
      readonly to?: readonly HostName[];
      readonly parallel?: number;
      readonly attempts?: number;
      readonly reason?: string;
    }
  /**
   * The coordinator's proposal that there is something to do: what it is, is decided here. `silent`: hosts that are not
   * heard of, to which nothing is sent; the sequencer's shell puts them in.
   */
  | {
      readonly type: 'AdvanceEvacuation';
      readonly evacuation: EvacuationId;
      readonly episode: number;
      readonly silent?: readonly HostName[];
    }
  /** No guest is sent off any more. `abortRunning`: those that are on their way are called back where that is possible. */
  | {
      readonly type: 'AbortEvacuation';
      readonly evacuation: EvacuationId;
      readonly reason: string;
      readonly abortRunning?: boolean;
    }
  | { readonly type: 'RecordRealised'; readonly upTo: number; readonly hosts: number }
  | { readonly type: 'RaiseSchemaLevel'; readonly level: number };

/** What the meters of an open segment were last known to say. `at`: ms since the epoch, the host's clock. */
export interface CounterCheckpoint {
  readonly port: PortId;
  readonly epoch: Epoch;
  readonly incarnation: string;
  readonly raw: RawCounters;
  readonly at: number;
}

export interface NumberedFact {
  /** Grows by one within a boot; gaps are allowed (coalesced), repeats are ignored. */
  readonly seq: number;
  readonly at: number;
  readonly fact: Fact;
}

/** An interface as its host sees it. */
export interface InterfaceFact {
  readonly ifaceId: string;
  readonly mac: string;
  /** Port group asked for by the hypervisor (`port-profile`); null: none. */
  readonly profile: string | null;
  readonly owner: string;
  readonly kind: 'vm' | 'container' | 'kernel';
  readonly switch: string;
}

/** What was seen to happen on a host. */
export type Fact =
  /** Level-triggered: everything plugged now. What is bound here and not listed is gone. */
  | { readonly type: 'Inventory'; readonly interfaces: readonly InterfaceFact[] }
  | { readonly type: 'InterfacePlugged'; readonly interface: InterfaceFact }
  | { readonly type: 'InterfaceUnplugged'; readonly ifaceId: string }
  /** The guest's first frame opened the standby gate. */
  | {
      readonly type: 'PortActivated';
      readonly port: PortId;
      readonly epoch: Epoch;
      /** When it was noticed as it happened: ms since the epoch, the host's clock. Absent: found later. */
      readonly at?: number;
      /** Up to which revision the switch carried everything out then, as was reported. */
      readonly realised?: number;
      /**
       * Which revision of the port's policy its source had carried out, by what the guest brought along: the word of
       * another host, that nobody signed. It is told on, and decides nothing.
       */
      readonly carried?: number;
    }
  /** The standby is plugged in, and its whole policy stands in the switch and is effective; or that is so no more. */
  | {
      readonly type: 'StandbyReady';
      readonly port: PortId;
      readonly epoch: Epoch;
      readonly ready: boolean;
    }
  | {
      readonly type: 'SegmentOpened';
      readonly port: PortId;
      readonly epoch: Epoch;
      readonly incarnation: string;
      readonly raw: RawCounters;
      /** Earlier epochs of the port whose counters this host is still to hand in; absent: an agent that does not say. */
      readonly owes?: readonly Epoch[];
    }
  | {
      readonly type: 'SegmentClosed';
      readonly port: PortId;
      readonly epoch: Epoch;
      readonly incarnation: string;
      readonly raw: RawCounters;
      /** Present when the raw values are an older checkpoint's. */
      readonly inexact?: { readonly checkpointAt: number; readonly reason: string };
      /** When the token was noticed that turned this binding away: ms since the epoch, the host's clock. */
      readonly turnedAt?: number;
    }
  /** The hypervisor's word on a migration that was asked of it. */
  | {
      readonly type: 'HypervisorMigration';
      readonly migration: MigrationId;
      readonly attempt: number;
      readonly outcome: 'started' | 'completed' | 'failed' | 'aborted' | 'unknown';
      readonly reason?: string;
      /** For how long the guest stood still, ms, as the hypervisor counted it. */
      readonly pauseMs?: number;
      /**
       * Of the order that it answers. A log that lost its end may use the id for another move. Absent: from older agents,
       * and where nobody ordered it.
       */
      readonly owner?: string;
      readonly destination?: HostName;
    }
  | {
      readonly type: 'Drift';
      readonly object: string;
      readonly differences: readonly {
        readonly field: string;
        readonly expected: string;
        readonly found: string;
      }[];
      readonly repaired: boolean;
      readonly durationMs: number;
    }
  | {
      /** What changed faster than the log is told of: `interface/<iface-id>` or `uplink/<switch>/<uplink>`. */
      readonly type: 'Flapping';
      readonly object: string;
      /** Changes seen from `from` to `to`, ms. */
      readonly count: number;
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly type: 'UplinkState';
      readonly switch: string;
      readonly uplink: string;
      readonly up: boolean;
      /** Bit/s; absent: the device does not tell. */ readonly speed?: number;
      /** Bytes that it takes at once; absent: as `speed`. */ readonly mtu?: number;
    }
  | {
      /** VLANs, of those that ports there use, of which the health check finds that they don't get through; sorted. */
      readonly type: 'UplinkVlans';
      readonly switch: string;
      readonly uplink: string;
      /** 0: frames without a tag. */
      readonly missing: readonly number[];
    };
