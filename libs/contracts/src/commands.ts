import {
  type GroupName,
  type HostName,
  type Lineage,
  type MigrationId,
  type PortId,
  type Problem,
  type Revision,
} from '#kernel';
import { type Command } from '#domain';

/** A command on its way to the sequencer. The same `commandId` always gets the same answer. */
export interface CommandRequest {
  readonly v: 1;
  readonly commandId: string;
  readonly actor: string;
  readonly reason?: string;
  readonly correlationId: string;
  readonly command: Command;
}

/** What a command made, where its sender can't know the name beforehand. */
export interface CommandOutcome {
  readonly ports?: readonly PortId[];
  readonly groups?: readonly GroupName[];
  readonly migration?: MigrationId;
}

export type CommandResponse =
  | {
      readonly ok: true;
      /** The commit's; where nothing had to change, the current one. */
      readonly revision: Revision;
      readonly lineage: Lineage;
      /** The command had been answered before. */
      readonly duplicate?: boolean;
      readonly events?: number;
      /** Hosts whose documents the commit changes. */
      readonly affectedHosts?: readonly HostName[];
      readonly result?: CommandOutcome;
    }
  | { readonly ok: false; readonly problem: Problem };

/** Waits until every host concerned realised a revision, or the time is up. */
export interface WaitRequest {
  readonly v: 1;
  readonly correlationId: string;
  /** Absent: of the current lineage. */
  readonly lineage?: Lineage;
  readonly revision: Revision;
  readonly timeoutMs: number;
}

/** Why a host has not realised a revision. `down`: silent; it takes the revision up when it is back. */
export interface WaitingHost {
  readonly host: HostName;
  /** Null: never heard of in this lineage. */
  readonly realised: Revision | null;
  /** ms since the epoch of its last report; null: none. */
  readonly lastSeen: number | null;
  readonly reason: 'behind' | 'down' | 'exception';
  readonly exceptions: readonly HostException[];
}

export interface HostException {
  readonly port: PortId | null;
  readonly object: string;
  readonly code: string;
  readonly reason: string;
}

/** `done`: all targets realised it without an exception on what it affects. */
export interface WaitOutcome {
  readonly done: boolean;
  readonly lineage: Lineage;
  readonly revision: Revision;
  /** Hosts concerned, now. */
  readonly targets: number;
  readonly realised: readonly HostName[];
  readonly waiting: readonly WaitingHost[];
}

export type WaitResponse =
  { readonly ok: true; readonly outcome: WaitOutcome } | { readonly ok: false; readonly problem: Problem };

export interface StatusRequest {
  readonly v: 1;
  readonly correlationId: string;
}

/** How a host stands, as the manager knows it. `ahead`: it reports what this log never said. */
export interface HostStanding {
  readonly host: HostName;
  readonly state: 'current' | 'behind' | 'down' | 'ahead' | 'other-lineage' | 'unheard';
  readonly realised: Revision | null;
  readonly received: Revision | null;
  readonly lastSeen: number | null;
  readonly exceptions: readonly HostException[];
  readonly version: string | null;
  readonly driver: 'openvswitch' | 'simulated' | null;
}

export interface ManagerStatus {
  readonly manager: string;
  readonly role: 'leader' | 'standby';
  readonly lineage: Lineage | null;
  readonly revision: Revision;
  /** Everything up to here is realised on every host concerned. */
  readonly realisedUpTo: Revision;
  readonly hosts: readonly HostStanding[];
  /** What hosts sent to this copy and it refused, by kind, since it began. Absent: an old manager. */
  readonly refused?: readonly { readonly host: string; readonly kind: string; readonly count: number }[];
  /** ms since the epoch. */
  readonly time: number;
}

export type StatusResponse =
  { readonly ok: true; readonly status: ManagerStatus } | { readonly ok: false; readonly problem: Problem };
