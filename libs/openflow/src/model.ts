import { type FieldName } from './fields.js';

/** One field compared with a value; with a mask only the mask's bits count, and the value has no bit outside it. */
export interface FieldMatch {
  readonly value: bigint;
  readonly mask?: bigint;
}

/** What a frame must look like. Fields are named as Open vSwitch's manual (ovs-fields) names them. */
export type Match = Readonly<Partial<Record<FieldName, FieldMatch>>>;

/** OpenFlow port number, or one of the reserved ports that a flow may name. */
export type OutputPort = number | 'in_port' | 'controller' | 'local' | 'normal';

/** Bits `offset .. offset+bits-1` of a field. */
export interface SubField {
  readonly field: FieldName;
  readonly offset: number;
  readonly bits: number;
}

/** What a `learn` writes into the flow it adds. */
export type LearnSpec =
  | { readonly kind: 'match-value'; readonly dst: SubField; readonly value: bigint }
  | { readonly kind: 'match-field'; readonly dst: SubField; readonly src: SubField }
  | { readonly kind: 'load-value'; readonly dst: SubField; readonly value: bigint }
  | { readonly kind: 'load-field'; readonly dst: SubField; readonly src: SubField };

export interface LearnAction {
  readonly kind: 'learn';
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
  /** Seconds, 0 for none. */
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  /** The same once a TCP FIN or RST was seen; absent for none. */
  readonly finIdleTimeout?: number;
  readonly finHardTimeout?: number;
  /** Most flows with this cookie in this table; absent for as many as there is room for. */
  readonly limit?: number;
  /** One bit: 1 after learning (or knowing already), 0 when the limit stood in the way. */
  readonly resultDst?: SubField;
  /** What was learned goes with the flow that learns. */
  readonly deleteLearned?: boolean;
  readonly specs: readonly LearnSpec[];
}

export interface SetFieldAction {
  readonly kind: 'set-field';
  readonly field: FieldName;
  readonly value: bigint;
  readonly mask?: bigint;
}

export interface MoveAction {
  readonly kind: 'move';
  readonly src: SubField;
  readonly dst: SubField;
}

/**
 * Looks the frame up among the connections of a zone. With `table` the frame goes on there with the connection's
 * state in `ct_state`, `ct_mark` and so on, as a second way beside what follows; without, nobody learns of it.
 */
export interface CtAction {
  readonly kind: 'ct';
  /** A number under 65,536, or 16 bits of a field. */
  readonly zone: number | SubField;
  /** Remember the connection. */
  readonly commit?: boolean;
  /** The frame's direction is the connection's original one, whatever stands; only with `commit`. */
  readonly force?: boolean;
  readonly table?: number;
  /** What a commit writes into the connection: `ct_mark` and `ct_label` only. */
  readonly exec?: readonly (SetFieldAction | MoveAction)[];
}

/** Tells 1 of 65,536 / `probability` frames to the collectors of a Flow_Sample_Collector_Set (IPFIX). */
export interface SampleAction {
  readonly kind: 'sample';
  /** 1 to 65,535; 65,535 is every frame. */
  readonly probability: number;
  readonly collectorSet: number;
  readonly domain: number;
  readonly point: number;
  /** Tells that this is the frame as it leaves by, or came by, the port. */
  readonly port?: number;
  readonly direction?: 'ingress' | 'egress';
}

/** Sends the frame to the agent as packet-in; `userdata` comes back with it. */
export interface ControllerAction {
  readonly kind: 'controller';
  readonly maxLen: number;
  readonly userdata: Uint8Array;
  /** Code that the packet-in gives for its reason; absent: 1, an action. */
  readonly reason?: number;
  /** Meter that the packet-in passes: what it drops is not told, and goes on through the tables all the same. */
  readonly meter?: number;
}

/** Actions run in order; an empty list drops. `goto` may only stand last. */
export type Action =
  | { readonly kind: 'output'; readonly port: OutputPort; readonly maxLen?: number }
  | SetFieldAction
  | MoveAction
  | { readonly kind: 'push-vlan' }
  | { readonly kind: 'pop-vlan' }
  | { readonly kind: 'resubmit'; readonly table: number }
  | { readonly kind: 'clone'; readonly actions: readonly Action[] }
  | { readonly kind: 'group'; readonly group: number }
  | { readonly kind: 'meter'; readonly meter: number }
  /** Truncates to `maxLen` bytes and outputs; in a clone with a `maxLen` of 65535 it only forces a datapath clone. */
  | { readonly kind: 'output-trunc'; readonly port: number; readonly maxLen: number }
  | ControllerAction
  | LearnAction
  | CtAction
  /** The frame forgets what a `ct` told of its connection. */
  | { readonly kind: 'ct-clear' }
  | SampleAction
  | { readonly kind: 'goto'; readonly table: number };

export type ActionKind = Action['kind'];

/** A flow. Identity is (table, priority, match); two flows of one identity can't stand side by side. */
export interface Flow {
  readonly table: number;
  readonly priority: number;
  readonly match: Match;
  readonly actions: readonly Action[];
  readonly cookie: bigint;
  /** Seconds, 0 or absent for none. */
  readonly idleTimeout?: number;
  readonly hardTimeout?: number;
  /** Only on flows read back: why its actions can't be told in this model (`actions` is empty then). */
  readonly opaque?: string;
}

/** A meter with one drop band. `rate` in kbit/s or packet/s, `burst` in kbit or packets. */
export interface Meter {
  readonly id: number;
  readonly unit: 'kbps' | 'pktps';
  readonly rate: number;
  /** Absent: the switch's default. */
  readonly burst?: number;
  /** Only on meters read back: why it can't be told in this model (`rate` is 0 then). */
  readonly opaque?: string;
}

export interface Bucket {
  readonly actions: readonly Action[];
  /** The bucket lives while this port's link is up (fast failover, select). */
  readonly watchPort?: number;
  readonly weight?: number;
}

/** Choice by a hash of fields of the frame; equal in all switches for an equal `param`. */
export interface GroupSelection {
  readonly method: 'hash';
  /** Which fields, in the order of FIELDS; those whose prerequisites a frame does not meet are left out of its hash. */
  readonly fields: readonly FieldName[];
  /** Basis of the hash; absent: 0. */
  readonly param?: bigint;
}

export interface Group {
  readonly id: number;
  readonly type: 'all' | 'select' | 'indirect' | 'fast-failover';
  readonly buckets: readonly Bucket[];
  /** How a `select` group chooses; absent: as the switch likes (by the datapath's own hash). */
  readonly selection?: GroupSelection;
  /** Only on groups read back: why its buckets can't be told in this model (`buckets` is empty then). */
  readonly opaque?: string;
}

/** Flow as read from the switch with its statistics. */
export interface FlowStats {
  readonly flow: Flow;
  readonly packets: bigint;
  readonly bytes: bigint;
  /** Milliseconds since it was installed. */
  readonly durationMs: number;
}

/** Meter counts; `durationMs` runs since the meter was made and survives modification (the counts do not). */
export interface MeterStats {
  readonly id: number;
  readonly packetsIn: bigint;
  readonly bytesIn: bigint;
  readonly durationMs: number;
  /** Packets and bytes that the band dropped. */
  readonly dropped: { readonly packets: bigint; readonly bytes: bigint };
}

/** Counts of a port's device: exact at once, gone with the port, and begun before the switch had the device. */
export interface PortStats {
  readonly number: number;
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxDropped: bigint;
  readonly txDropped: bigint;
  readonly rxErrors: bigint;
  readonly txErrors: bigint;
  readonly durationMs: number;
}

/** Counts of a group and of its buckets, in their order. They come as late as those of flows. */
export interface GroupStats {
  readonly id: number;
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly durationMs: number;
  readonly buckets: readonly { readonly packets: bigint; readonly bytes: bigint }[];
}

/** Counts of a table: how many flows, looked up how often, found how often. */
export interface TableStats {
  readonly table: number;
  readonly active: number;
  readonly lookups: bigint;
  readonly matched: bigint;
}

/** OpenFlow port as the switch describes it. */
export interface OfPort {
  readonly number: number;
  readonly name: string;
  readonly linkUp: boolean;
  readonly adminUp: boolean;
}
