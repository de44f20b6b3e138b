import { type Action, type Flow, type FlowStats, type Group, type Match, type Meter } from '../model.js';
import { type GroupStats, type MeterStats, type OfPort, type PortStats, type TableStats } from '../model.js';

export interface BundleFlags {
  readonly atomic: boolean;
  /** In the order in which the messages were added. */
  readonly ordered: boolean;
}

export type BundleControl = 'open' | 'close' | 'commit' | 'discard';

/** A flow that stands on the switch but whose match or framing the model has no words for. */
export interface UnreadableFlow {
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly reason: string;
}

export type FlowMod =
  /** Adds, or replaces the flow of the same identity and resets its counters. */
  | {
      readonly kind: 'flow-mod';
      readonly command: 'add';
      readonly flow: Flow;
      readonly notifyRemoved?: boolean;
    }
  | {
      readonly kind: 'flow-mod';
      readonly command: 'delete-strict';
      readonly flow: Pick<Flow, 'table' | 'priority' | 'match'>;
    }
  /** Every flow of the table (absent: of all tables) whose cookie agrees in the mask's bits and that the match covers. */
  | ({ readonly kind: 'flow-mod'; readonly command: 'delete' } & FlowFilter);

/** Which flows a request speaks of. */
export interface FlowFilter {
  readonly table?: number;
  readonly cookie: bigint;
  /** 0: any cookie. */
  readonly cookieMask: bigint;
  readonly match: Match;
}

export type GroupMod =
  | { readonly kind: 'group-mod'; readonly command: 'add' | 'modify'; readonly group: Group }
  | { readonly kind: 'group-mod'; readonly command: 'delete'; readonly id: number };

export type MeterModMessage =
  | { readonly kind: 'meter-mod'; readonly command: 'add' | 'modify'; readonly meter: Meter }
  | { readonly kind: 'meter-mod'; readonly command: 'delete'; readonly id: number };

/** One change as a flow monitor tells it. `own`: a change of this very connection, told by the xid that caused it. */
export type FlowUpdate =
  | {
      readonly event: 'initial' | 'added' | 'modified' | 'removed';
      readonly flow: Flow;
      /** Why it was removed: 0 idle, 1 hard time-out, 2 delete, 3 group delete, 4 meter delete, 5 eviction. */
      readonly reason: number;
    }
  | { readonly event: 'own'; readonly xid: number }
  /** The switch ran out of buffer: updates are missing until `resumed`. */
  | { readonly event: 'paused' | 'resumed' }
  | ({ readonly event: 'unreadable' } & UnreadableFlow);

export interface FlowMonitorRequest {
  readonly kind: 'flow-monitor-request';
  readonly command: 'add' | 'modify' | 'delete';
  readonly id: number;
  /** Absent: all tables. */
  readonly table?: number;
  readonly match: Match;
  /** Reply with the flows that stand now. */
  readonly initial: boolean;
  readonly added: boolean;
  readonly removed: boolean;
  readonly modified: boolean;
  /** Tell the actions too. */
  readonly instructions: boolean;
  /** Tell own changes in full; without it they come as `own`, one for a batch. */
  readonly own: boolean;
}

export interface PacketIn {
  readonly kind: 'packet-in';
  readonly table: number;
  readonly cookie: bigint;
  /** 0 no match, 1 action, 2 invalid TTL, 3 action set, 4 group, 5 packet-out. */
  readonly reason: number;
  readonly metadata: Match;
  readonly userdata: Uint8Array;
  readonly frame: Uint8Array;
  /** Length of the whole frame, when it was cut. */
  readonly fullLength?: number;
}

/** Masks of reasons, one bit a reason, that the switch shall tell this connection of. */
export interface AsyncMasks {
  readonly packetIn: number;
  readonly portStatus: number;
  readonly flowRemoved: number;
  /** Others' changes of groups (1) and of meters (2). */
  readonly requestForward: number;
}

/** One direction of a connection; what is absent may be anything. Addresses as numbers, of the family told. */
export interface CtTuple {
  readonly family: 4 | 6;
  readonly src?: bigint;
  readonly dst?: bigint;
  readonly srcPort?: number;
  readonly dstPort?: number;
  readonly icmpId?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
}

export interface CtFilter {
  readonly zone?: number;
  /** IP protocol; needed where ports or ICMP's numbers are told. */
  readonly protocol?: number;
  readonly original?: CtTuple;
  readonly reply?: CtTuple;
}

/** Every message that the agent sends or reads. Requests of statistics can be answered in several replies (`more`). */
export type OfMessage =
  | { readonly kind: 'hello'; readonly versions: readonly number[] }
  | { readonly kind: 'error'; readonly type: number; readonly code: number; readonly data: Uint8Array }
  | { readonly kind: 'echo-request'; readonly data: Uint8Array }
  | { readonly kind: 'echo-reply'; readonly data: Uint8Array }
  | { readonly kind: 'features-request' }
  | { readonly kind: 'barrier-request' }
  | { readonly kind: 'barrier-reply' }
  | {
      readonly kind: 'features-reply';
      readonly datapathId: bigint;
      readonly buffers: number;
      readonly tables: number;
      readonly auxiliary: number;
      readonly capabilities: number;
    }
  /**
   * A `missSendLen` over 0 is what makes the switch tell a service connection anything by itself. `matchFragments`: the
   * first fragment of a packet has its ports; without it no fragment has any, and what names a port misses them. It holds
   * for the bridge, whoever said it last.
   */
  | { readonly kind: 'set-config'; readonly missSendLen: number; readonly matchFragments: boolean }
  | { readonly kind: 'get-config-request' }
  | { readonly kind: 'get-config-reply'; readonly missSendLen: number; readonly matchFragments: boolean }
  | ({ readonly kind: 'set-async' } & AsyncMasks)
  | { readonly kind: 'set-packet-in-format'; readonly format: 'standard' | 'nxt-packet-in2' }
  | FlowMod
  | GroupMod
  | MeterModMessage
  | {
      readonly kind: 'bundle-control';
      readonly bundle: number;
      readonly control: BundleControl;
      readonly reply: boolean;
      readonly flags: BundleFlags;
    }
  /** The inner message bears the xid of the outer. */
  | {
      readonly kind: 'bundle-add';
      readonly bundle: number;
      readonly flags: BundleFlags;
      readonly message: OfMessage;
    }
  | ({ readonly kind: 'flow-stats-request' } & FlowFilter)
  | {
      readonly kind: 'flow-stats-reply';
      readonly more: boolean;
      readonly flows: readonly FlowStats[];
      readonly unreadable: readonly UnreadableFlow[];
    }
  /** Absent id: all. */
  | { readonly kind: 'group-desc-request'; readonly id?: number }
  | { readonly kind: 'group-desc-reply'; readonly more: boolean; readonly groups: readonly Group[] }
  | { readonly kind: 'meter-config-request'; readonly id?: number }
  | { readonly kind: 'meter-stats-request'; readonly id?: number }
  | { readonly kind: 'meter-config-reply'; readonly more: boolean; readonly meters: readonly Meter[] }
  | { readonly kind: 'meter-stats-reply'; readonly more: boolean; readonly stats: readonly MeterStats[] }
  /** Absent port: all. */
  | { readonly kind: 'port-stats-request'; readonly port?: number }
  | { readonly kind: 'port-stats-reply'; readonly more: boolean; readonly stats: readonly PortStats[] }
  | { readonly kind: 'group-stats-request'; readonly id?: number }
  | { readonly kind: 'group-stats-reply'; readonly more: boolean; readonly stats: readonly GroupStats[] }
  | { readonly kind: 'table-stats-request' }
  | { readonly kind: 'table-stats-reply'; readonly more: boolean; readonly stats: readonly TableStats[] }
  | { readonly kind: 'port-desc-request' }
  | { readonly kind: 'port-desc-reply'; readonly more: boolean; readonly ports: readonly OfPort[] }
  | FlowMonitorRequest
  | { readonly kind: 'flow-monitor-reply'; readonly more: boolean; readonly updates: readonly FlowUpdate[] }
  | PacketIn
  | {
      readonly kind: 'packet-out';
      readonly match: Match;
      readonly actions: readonly Action[];
      readonly frame: Uint8Array;
    }
  | {
      readonly kind: 'flow-removed';
      readonly flow: Pick<Flow, 'table' | 'priority' | 'match' | 'cookie'>;
      readonly reason: number;
      readonly packets: bigint;
      readonly bytes: bigint;
      readonly durationMs: number;
    }
  | { readonly kind: 'port-status'; readonly reason: 'add' | 'delete' | 'modify'; readonly port: OfPort }
  /** What another connection asked for and was granted: a group-mod or a meter-mod. */
  | { readonly kind: 'request-forward'; readonly message: OfMessage }
  /** Every connection of a zone is forgotten. */
  | { readonly kind: 'ct-flush-zone'; readonly zone: number }
  /** Connections with these values are forgotten: in one zone, or in all of the datapath's. */
  | ({ readonly kind: 'ct-flush' } & CtFilter)
  /** A message that is well-formed but means nothing to us; its body without the header. */
  | { readonly kind: 'unknown'; readonly type: number; readonly body: Uint8Array };

export type OfMessageKind = OfMessage['kind'];
