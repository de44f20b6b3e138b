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
  | { readonly kind: 'load-value'; readonly dst: SubField; readonly value: bigint };

export interface LearnAction {
  readonly kind: 'learn';
  readonly table: number;
  readonly priority: number;
  readonly cookie: bigint;
  /** Seconds, 0 for none. */
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly specs: readonly LearnSpec[];
}

/** Actions run in order; an empty list drops. `goto` may only stand last. */
export type Action =
  | { readonly kind: 'output'; readonly port: OutputPort; readonly maxLen?: number }
  | { readonly kind: 'set-field'; readonly field: FieldName; readonly value: bigint; readonly mask?: bigint }
  | { readonly kind: 'move'; readonly src: SubField; readonly dst: SubField }
  | { readonly kind: 'push-vlan' }
  | { readonly kind: 'pop-vlan' }
  | { readonly kind: 'resubmit'; readonly table: number }
  | { readonly kind: 'clone'; readonly actions: readonly Action[] }
  | { readonly kind: 'group'; readonly group: number }
  | { readonly kind: 'meter'; readonly meter: number }
  /** Truncates to `maxLen` bytes and outputs; in a clone with a `maxLen` of 65535 it only forces a datapath clone. */
  | { readonly kind: 'output-trunc'; readonly port: number; readonly maxLen: number }
  /** Sends the frame to the agent as packet-in; `userdata` comes back with it. */
  | { readonly kind: 'controller'; readonly maxLen: number; readonly userdata: Uint8Array }
  | LearnAction
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

export interface Group {
  readonly id: number;
  readonly type: 'all' | 'select' | 'indirect' | 'fast-failover';
  readonly buckets: readonly Bucket[];
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

/** OpenFlow port as the switch describes it. */
export interface OfPort {
  readonly number: number;
  readonly name: string;
  readonly linkUp: boolean;
  readonly adminUp: boolean;
}
