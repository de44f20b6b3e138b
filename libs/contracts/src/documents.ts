import {
  type Epoch,
  type GroupName,
  type HostName,
  type Lineage,
  type Mac,
  type MigrationId,
  type PortId,
  type Revision,
  type SetName,
  type SwitchName,
} from '#kernel';
import {
  type Connectee,
  type PolicyField,
  type PolicyPatch,
  type SetMembers,
  type SwitchFeatures,
} from '#domain';

/**
 * Desired documents: level-triggered state at the edge. Key = NATS subject without its prefix `doc.`.
 *
 * | key | who holds it |
 * | --- | --- |
 * | `h.<host>.host` | that host |
 * | `h.<host>.port.<port>` | that host |
 * | `s.switch.<switch>`, `s.group.<group>`, `s.set.<set>` | hosts that need it |
 * | `s.mark` | everyone |
 * | `h.<host>.note` | that host; told, never stored |
 */
export type DocumentKey = string;

interface DocumentOf<T extends string> {
  readonly type: T;
  readonly schema: 1;
  readonly key: DocumentKey;
  readonly lineage: Lineage;
  /** The commit that this version of the document reflects. */
  readonly revision: Revision;
}

/** A set that the rules of a document name: until it is held at this revision or later, ports with these rules stay closed. */
export interface SetRef {
  readonly name: SetName;
  readonly minRevision: Revision;
}

/** What one host is to do. Lists its port documents, so that holding all of them can be proved. */
export interface HostDocument extends DocumentOf<'host'> {
  readonly host: HostName;
  /** Switches that the host is a member of, with the pNIC for each uplink. */
  readonly switches: readonly {
    readonly switch: SwitchName;
    readonly uplinks: Readonly<Record<string, string>>;
  }[];
  /** Every port with a binding of any role here, sorted. */
  readonly ports: readonly PortId[];
  /** Groups to hold: those in use and those to preload, sorted. */
  readonly groups: readonly GroupName[];
  readonly managementPath: string | null;
  readonly maintenance: boolean;
  /** What becomes of flows that another program put on a bridge of ours. */
  readonly foreignFlows: 'report' | 'remove';
  /** The facts of this boot up to this number are in the log: the agent's journal may drop them. */
  readonly acceptedFactSeq: { readonly boot: string; readonly seq: number } | null;
  /** What the hypervisor is asked to do, level-triggered: present until the outcome was accepted. */
  readonly migrations: readonly MigrationOrder[];
  /** Guests that are sent here by such an order of another host, sorted. Absent: none. */
  readonly arrivals?: readonly Arrival[];
  /** Commit-confirm: if the host does not reach the centre by then, it goes back to the confirmed set. */
  readonly confirm: { readonly deadline: number; readonly confirmed: Revision } | null;
}

export interface MigrationOrder {
  readonly migration: MigrationId;
  readonly attempt: number;
  readonly action: 'start' | 'abort';
  readonly owner: string;
  readonly destination: HostName;
  /** The destination does not have every interface of the guest with its policy yet: it must not be switched. */
  readonly held?: true;
}

/** A guest that this host's hypervisor is to let in. */
export type Arrival = Pick<MigrationOrder, 'migration' | 'attempt' | 'owner'>;

/** `active` forwards; `standby` waits for the guest's first frame; `retired` is closed and hands in its counters. */
export type BindingRole = 'active' | 'standby' | 'retired';

export interface PortDocument extends DocumentOf<'port'> {
  readonly port: PortId;
  readonly host: HostName;
  readonly switch: SwitchName;
  readonly group: GroupName;
  /** Until the group's document is held at this revision or later, the port stays closed. */
  readonly minRevision: Revision;
  readonly epoch: Epoch;
  readonly role: BindingRole;
  /** Null only on a retired one whose connectee was unplugged meanwhile. */
  readonly connectee: Connectee | null;
  readonly override: PolicyPatch;
  /** Named by the override, sorted. Absent: none. */
  readonly sets?: readonly SetRef[];
  /**
   * Present on both sides of a migration: the secret MAC of the switch-over frame. On the standby: send it. On the
   * active: a frame with it and the port's source MAC turns the port away, to `epoch`.
   */
  readonly handover: { readonly migration: MigrationId; readonly token: Mac; readonly epoch: Epoch } | null;
  /** Blocks of ports leased to the host for attaching without the centre; later. */
  readonly lease: null;
}

export interface SwitchDocument extends DocumentOf<'switch'>, SwitchFeatures {
  readonly switch: SwitchName;
  readonly kind: 'distributed' | 'standard';
  readonly uplinks: readonly string[];
  readonly mtu: number;
  readonly policy: PolicyPatch;
  /** Named by the policy, sorted. Absent: none. */
  readonly sets?: readonly SetRef[];
}

export interface GroupDocument extends DocumentOf<'group'> {
  readonly group: GroupName;
  readonly switch: SwitchName;
  readonly policy: PolicyPatch;
  /** Named by the policy, sorted. Absent: none. */
  readonly sets?: readonly SetRef[];
  readonly overridable: readonly PolicyField[];
  readonly binding: 'static' | 'ephemeral';
  readonly partitionPolicy: 'keep' | 'isolate';
  readonly startOffline: boolean;
  readonly phase: 'open' | 'closing';
}

/** Members of a set that rules name. A change of them changes this document, and none that names it. */
export interface SetDocument extends DocumentOf<'set'> {
  readonly set: SetName;
  readonly members:
    | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
    /** By the MACs of connected ports. Null: more than a document can tell. */
    | { readonly kind: 'ports'; readonly places: readonly SetMembers[] | null };
}

/** What stands under a key after its object is gone, until every host concerned reported. */
export interface TombstoneDocument extends DocumentOf<'tombstone'> {
  readonly of: 'port' | 'switch' | 'group' | 'host' | 'set';
}

/**
 * Written last in each batch, and every second as heartbeat. Sequences are those of the document stream; they mean
 * nothing outside it.
 */
export interface MarkDocument extends DocumentOf<'mark'> {
  /** Number of this mark; grows by one. */
  readonly n: number;
  /** Random id of the projector's life that wrote it: numbers alone repeat when a stream is restored or made anew. */
  readonly life: string;
  /**
   * n of the earliest mark after which nothing was written but what this one lists: the mark before, or an earlier one
   * where those between listed nothing. `prevLife`, the life of all of these, is empty where the chain begins, or is
   * broken on purpose.
   */
  readonly prev: number;
  readonly prevLife: string;
  /** Shared keys written since `prev`, with the sequence of their last version. */
  readonly shared: readonly (readonly [DocumentKey, number])[];
  /**
   * Hosts with documents written since `prev`: host, how many messages, sequence of the last. Where their number is not
   * known, it is more than there can be.
   */
  readonly hosts: readonly (readonly [HostName, number, number])[];
  /** For who missed marks: absent where nothing was written before it that could be told. */
  readonly recent?: RecentWrites;
  /** ms since the epoch, the projector's clock. */
  readonly time: number;
}

/**
 * Told to a host that a batch concerns, before a mark tells all: everything that was written since that mark and may
 * concern the host. Never stored, and of no matter when it is lost: the next mark says it, too.
 */
export interface NoteDocument extends DocumentOf<'note'> {
  readonly host: HostName;
  /** Life of the marks that it goes on from, and the numbers of the first and the last of them. */
  readonly life: string;
  readonly prev: number;
  readonly n: number;
  /** Of the host's own documents: how many messages since then, and the sequence of the last; 0 and 0 where none was. */
  readonly own: readonly [number, number];
  /** Shared keys written since then, also those that this host needs not, with the sequence of their last version. */
  readonly shared: readonly (readonly [DocumentKey, number])[];
}

/**
 * What was written of late, up to this mark and with what it lists itself. Who holds all as of one of `marks` whose
 * sequence is `after` or greater has missed nothing but what is listed here.
 */
export interface RecentWrites {
  /** Everything written at a greater sequence is listed. */
  readonly after: number;
  /** Marks that this one goes on from, whoever wrote them: life, n of the first, n of the last. The eldest first. */
  readonly marks: readonly (readonly [string, number, number])[];
  /** Shared keys, with the sequence of their last version. */
  readonly shared: readonly (readonly [DocumentKey, number])[];
  /** Hosts with documents of their own, with the sequence of the last. */
  readonly hosts: readonly (readonly [HostName, number])[];
}

export type Document =
  | HostDocument
  | PortDocument
  | SwitchDocument
  | GroupDocument
  | SetDocument
  | TombstoneDocument
  | MarkDocument
  | NoteDocument;

/** A document that may stand under a key (the mark has its own place). */
export type StateDocument = Exclude<Document, MarkDocument | NoteDocument>;

export const isStateDocument = (document: Document): document is StateDocument =>
  document.type !== 'mark' && document.type !== 'note';

/** As it travels: the document's exact JSON text and an Ed25519 signature over it by the cluster's manager key. */
export interface SignedDocument {
  readonly body: string;
  /** base64url. */
  readonly sig: string;
  readonly kid: string;
}
