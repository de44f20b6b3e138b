import { TOKEN_ADDRESSES } from '#kernel';
import { type Action, type FieldMatch, type FieldName, type Match, type SubField } from '#openflow';
import { encodeNotice, type Notice } from '../notice.js';
import { FLAG, FRAME_COS, FRAME_VLAN, REG, SEGMENT_VLAN, WIRE } from './registers.js';
import { TABLES } from './tables.js';

/** A value, or a value under a mask. */
export type Wanted = number | bigint | { readonly value: number | bigint; readonly mask: number | bigint };

/** `{ reg14: 3, eth_dst: MULTICAST }` in the model's form. */
export function match(fields: Readonly<Partial<Record<FieldName, Wanted>>>): Match {
  const out: Partial<Record<FieldName, FieldMatch>> = {};
  for (const name in fields) {
    const field = name as FieldName;
    const wanted = fields[field];
    if (wanted === undefined) continue;
    out[field] =
      typeof wanted === 'object'
        ? { value: BigInt(wanted.value), mask: BigInt(wanted.mask) }
        : { value: BigInt(wanted) };
  }
  return out;
}

export const MULTICAST: Wanted = { value: 0x010000000000n, mask: 0x010000000000n };
export const BROADCAST = 0xffffffffffffn;
/** 01:80:c2:00:00:00 to :0f, which no bridge forwards. */
export const RESERVED: Wanted = { value: 0x0180c2000000n, mask: 0xfffffffffff0n };

/** Where tokens of hand-overs go: between the switches alone. */
export const TOKENS: Wanted = TOKEN_ADDRESSES;

export const set = (field: FieldName, value: number | bigint): Action => ({
  kind: 'set-field',
  field,
  value: BigInt(value),
});
export const goto = (table: number): Action => ({ kind: 'goto', table });
export const resubmit = (table: number): Action => ({ kind: 'resubmit', table });
export const meter = (id: number): Action => ({ kind: 'meter', meter: id });
export const output = (port: number): Action => ({ kind: 'output', port });

/** Hands the frame to the agent, at most `maxLen` bytes of it and as many as `meter` lets through. */
export const toAgent = (
  notice: Notice,
  how: { readonly maxLen: number; readonly meter?: number },
): Action => ({
  kind: 'controller',
  userdata: encodeNotice(notice),
  ...how,
});

/** Does ACTIVITY know the slot as active? Answers in the active bit. */
export const lookup = (slot: number): Action[] => [
  set(REG.lookup, slot),
  set(REG.active, 0),
  resubmit(TABLES.ACTIVITY),
];

/**
 * Output to a port that never exists, truncated: does nothing, but can't be undone, so a clone that holds it becomes
 * a real datapath clone.
 */
const ISOLATE: Action = { kind: 'output-trunc', port: 65_000, maxLen: 65_535 };

/** Actions that can't touch what comes after them, neither the frame nor, by a meter that drops, the list. */
export const isolated = (actions: readonly Action[]): Action => ({
  kind: 'clone',
  actions: [...actions, ISOLATE],
});

/**
 * One copy to one port. Without isolation a meter that drops the frame for this port would end the list for all
 * later ones, and for the uplink.
 */
export const copyTo = (slot: number): Action => isolated([set(REG.to, slot), resubmit(TABLES.DELIVER)]);

/**
 * Makes the switch change the frame now. It would wait until the next output, and meters on the way would count the
 * octets of the tag with some copies and not with others.
 */
const COMMIT: Action = isolated([]);

/** The segment becomes the frame's tag, with the priority that it had or that a rule gave it. */
export const tagSegment: readonly Action[] = [
  { kind: 'push-vlan' },
  { kind: 'move', src: SEGMENT_VLAN, dst: FRAME_VLAN },
  { kind: 'move', src: FLAG.cos, dst: FRAME_COS },
];

/** The same of a frame that bears another tag on the wire. */
export const tagWire: readonly Action[] = [
  { kind: 'push-vlan' },
  { kind: 'move', src: WIRE.tag, dst: FRAME_VLAN },
  { kind: 'move', src: FLAG.cos, dst: FRAME_COS },
];

/** The frame's tag becomes the segment. */
export const untagToSegment: readonly Action[] = [
  { kind: 'move', src: FRAME_VLAN, dst: SEGMENT_VLAN },
  { kind: 'move', src: FRAME_COS, dst: FLAG.cos },
  { kind: 'pop-vlan' },
  COMMIT,
];

/** Some bits of a register. */
export const setBits = ({ field, offset, bits }: SubField, value: number): Action => ({
  kind: 'set-field',
  field,
  value: BigInt(value) << BigInt(offset),
  mask: ((1n << BigInt(bits)) - 1n) << BigInt(offset),
});

export const bitsAre = ({ offset, bits }: SubField, value: number): Wanted => ({
  value: BigInt(value) << BigInt(offset),
  mask: ((1n << BigInt(bits)) - 1n) << BigInt(offset),
});
