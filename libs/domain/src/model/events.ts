import {
  type Epoch,
  type EvacuationId,
  type GroupName,
  type HostName,
  type Lineage,
  type MigrationId,
  type PortId,
  type Revision,
  type SetName,
  type SwitchName,
} from '#kernel';
import { type PolicyPatch } from '../policy/policy.js';
import { type Ability } from './abilities.js';
import { type Fact } from './commands.js';
import {
  type AddressSetResource,
  type GroupResource,
  type HostResource,
  type PortSetResource,
  type SwitchResource,
} from './resources.js';
import {
  type Connectee,
  type Evacuation,
  type EvacuationPhase,
  type EvacuationRefusal,
  type HypervisorOutcome,
  type MigrationPhase,
  type Migration,
  type RawCounters,
  type Standby,
} from './state.js';

/** What evolve gets beside the event. */
export interface EventMeta {
  readonly revision: Revision;
  readonly lineage: Lineage;
  /** ms since the epoch. */
  readonly time: number;
}

/** Events as evolve sees them: newest version; older ones are upcast before. */
export type DomainEvent =
  | { readonly type: 'HostDefined'; readonly name: HostName; readonly spec: HostResource['spec'] }
  | { readonly type: 'HostRemoved'; readonly name: HostName }
  /** Somebody's word, or the result of fencing: nothing runs on it any more. */
  | { readonly type: 'HostDied'; readonly host: HostName; readonly by: string; readonly reason: string }
  /** It told of itself all the same, or again. */
  | { readonly type: 'HostReturned'; readonly host: HostName }
  | {
      readonly type: 'SwitchDefined';
      readonly name: SwitchName;
      readonly kind: 'distributed' | 'standard';
      readonly spec: SwitchResource['spec'];
    }
  | { readonly type: 'SwitchRemoved'; readonly name: SwitchName }
  | { readonly type: 'GroupDefined'; readonly name: GroupName; readonly spec: GroupResource['spec'] }
  | { readonly type: 'GroupClosing'; readonly name: GroupName }
  | { readonly type: 'GroupDeleted'; readonly name: GroupName }
  | {
      readonly type: 'AddressSetDefined';
      readonly name: SetName;
      readonly spec: AddressSetResource['spec'];
    }
  | { readonly type: 'PortSetDefined'; readonly name: SetName; readonly spec: PortSetResource['spec'] }
  | { readonly type: 'SetRemoved'; readonly name: SetName }
  | {
      readonly type: 'PortCreated';
      readonly port: PortId;
      readonly group: GroupName;
      readonly switch: SwitchName;
    }
  /** From one group to another of its switch. Its binding, its epoch and its ledger go on. */
  | { readonly type: 'PortMoved'; readonly port: PortId; readonly group: GroupName }
  | { readonly type: 'PortOverridden'; readonly port: PortId; readonly override: PolicyPatch }
  | { readonly type: 'PortDeleted'; readonly port: PortId }
  | { readonly type: 'PortConnected'; readonly port: PortId; readonly connectee: Connectee }
  | { readonly type: 'PortDisconnected'; readonly port: PortId }
  | {
      readonly type: 'PortBound';
      readonly port: PortId;
      readonly host: HostName;
      readonly epoch: Epoch;
      /** Somebody plugged it in on a host that is in maintenance. */
      readonly inMaintenance?: boolean;
    }
  | { readonly type: 'PortUnbound'; readonly port: PortId; readonly host: HostName; readonly epoch: Epoch }
  /** Its connectee is plugged in on `host`, which has to wait for the port. */
  | { readonly type: 'PortClaimed'; readonly port: PortId; readonly host: HostName; readonly reason: string }
  /** `host` was seen without its connectee: it does not wait for the port, nor has it a twin of who has it. */
  | { readonly type: 'PortReleased'; readonly port: PortId; readonly host: HostName }
  /** Its host is lost and certainly lets no frame of it out: the binding ends without that host's word. */
  | {
      readonly type: 'PortTakenOver';
      readonly port: PortId;
      readonly host: HostName;
      readonly epoch: Epoch;
      readonly reason: string;
    }
  | { readonly type: 'StandbyGranted'; readonly port: PortId; readonly standby: Standby }
  | { readonly type: 'StandbyRevoked'; readonly port: PortId; readonly host: HostName; readonly epoch: Epoch }
  /** The same of a port that was activated on somebody's word before its host had told of the frame. */
  | {
      readonly type: 'FirstFrameNoted';
      readonly migration: MigrationId;
      readonly port: PortId;
      readonly host: HostName;
      readonly epoch: Epoch;
      readonly at: number;
      readonly realised?: number;
      readonly carried?: number;
    }
  /** The guest's first frame would be let through at the standby, or would be no more. */
  | {
      readonly type: 'StandbyReady';
      readonly port: PortId;
      readonly host: HostName;
      readonly epoch: Epoch;
      readonly ready: boolean;
      /** False: its interface left the standby. True: it is back. Absent: that is as it was. */
      readonly plugged?: boolean;
    }
  /** The standby became the active binding; the former one retires. */
  | {
      readonly type: 'PortActivated';
      readonly port: PortId;
      readonly host: HostName;
      readonly epoch: Epoch;
      /** As the fact says; absent: it was activated on somebody's word, or its host does not know when. */
      readonly at?: number;
      readonly realised?: number;
      readonly carried?: number;
    }
  | {
      readonly type: 'SegmentOpened';
      readonly port: PortId;
      readonly host: HostName;
      readonly epoch: Epoch;
      readonly incarnation: string;
      readonly raw: RawCounters;
    }
  | {
      readonly type: 'SegmentClosed';
      readonly port: PortId;
      readonly host: HostName;
      readonly epoch: Epoch;
      readonly incarnation: string;
      readonly raw: RawCounters;
      readonly inexact?: { readonly checkpointAt: number; readonly reason: string };
      /** As the fact says. */
      readonly turnedAt?: number;
    }
  /** What is shown of the port's counters is what came since: the ledger itself, which was `at` this, goes on. */
  | {
      readonly type: 'CountersReset';
      readonly port: PortId;
      readonly at: RawCounters;
      readonly by: string;
      readonly reason: string;
    }
  /** A retiring host has reported its final counters: its documents may go. */
  | { readonly type: 'BindingRetired'; readonly port: PortId; readonly host: HostName; readonly epoch: Epoch }
  | { readonly type: 'MigrationStarted'; readonly migration: Migration }
  | {
      readonly type: 'MigrationAdvanced';
      readonly migration: MigrationId;
      readonly from: MigrationPhase;
      readonly to: MigrationPhase;
      readonly episode: number;
      readonly deadline: number | null;
      readonly reason?: string;
    }
  /** The hypervisor's word on an attempt was taken in: the order to it may go. */
  | {
      readonly type: 'HypervisorReported';
      readonly migration: MigrationId;
      readonly attempt: number;
      readonly host: HostName;
      readonly outcome: HypervisorOutcome;
      readonly reason?: string;
      readonly pauseMs?: number;
    }
  | {
      readonly type: 'EvacuationStarted';
      readonly evacuation: Pick<
        Evacuation,
        'id' | 'host' | 'to' | 'parallel' | 'attempts' | 'requestedBy' | 'reason'
      >;
    }
  /** A guest can't go anywhere, or not any more. */
  | {
      readonly type: 'EvacuationRefused';
      readonly evacuation: EvacuationId;
      readonly owner: string;
      readonly refusals: readonly EvacuationRefusal[];
    }
  | {
      readonly type: 'EvacuationAdvanced';
      readonly evacuation: EvacuationId;
      readonly to: Exclude<EvacuationPhase, 'running'>;
      readonly reason?: string;
    }
  | {
      readonly type: 'FactsAccepted';
      readonly host: HostName;
      readonly boot: string;
      readonly seq: number;
      /** What its agent can do, where that is another thing than it was. */
      readonly abilities?: readonly Ability[];
    }
  /** A fact that the state does not bear out: recorded, changes nothing. */
  | {
      readonly type: 'FactRefused';
      readonly host: HostName;
      readonly seq: number;
      readonly fact: Fact['type'];
      readonly code: string;
      readonly reason: string;
    }
  /** The log came back older: what it lost may have used numbers up to here, which hosts remember. */
  | { readonly type: 'NumbersRaised'; readonly to: number }
  | {
      readonly type: 'FlappingObserved';
      readonly host: HostName;
      readonly object: string;
      readonly count: number;
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly type: 'DriftObserved';
      readonly host: HostName;
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
      readonly type: 'UplinkChanged';
      readonly host: HostName;
      readonly switch: SwitchName;
      readonly uplink: string;
      readonly up: boolean;
      /** Bit/s, where it is another than before. */
      readonly speed?: number;
      /** Bytes, where it is another than before. */
      readonly mtu?: number;
    }
  | {
      /** The health check finds that these VLANs don't get through by an uplink; none: all that are used do again. */
      readonly type: 'UplinkVlansMissed';
      readonly host: HostName;
      readonly switch: SwitchName;
      readonly uplink: string;
      /** Sorted; 0: frames without a tag. */
      readonly missing: readonly number[];
    }
  | { readonly type: 'RevisionRealised'; readonly upTo: Revision; readonly hosts: number }
  | { readonly type: 'SchemaLevelRaised'; readonly level: number };

export type DomainEventType = DomainEvent['type'];
