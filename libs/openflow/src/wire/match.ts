import { FIELDS, type FieldName } from '../fields.js';
import { type FieldMatch, type Match } from '../model.js';
import { type Writer } from './bytes.js';
import { type Reader } from './reader.js';

/** A field with what the wire needs to know of it. */
export interface WireField {
  readonly name: FieldName;
  readonly bits: number;
  readonly bytes: number;
  /** Place in FIELDS: prerequisites (eth_type, ip_proto) stand before what needs them. */
  readonly rank: number;
  /** OXM header without mask: class, field, length. */
  readonly header: number;
  /** All bits set. */
  readonly full: bigint;
}

const oxmKey = (oxmClass: number, field: number): number => oxmClass * 128 + field;
const BY_OXM = new Map<number, WireField>();
const BY_NAME = new Map<string, WireField>();

for (const [rank, [name, spec]] of Object.entries(FIELDS).entries()) {
  const bytes = 'bytes' in spec ? spec.bytes : Math.ceil(spec.bits / 8);
  const [oxmClass, number] = spec.oxm;
  const field: WireField = {
    name: name as FieldName,
    bits: spec.bits,
    bytes,
    rank,
    header: ((oxmClass << 16) | (number << 9) | bytes) >>> 0,
    full: (1n << BigInt(spec.bits)) - 1n,
  };
  BY_NAME.set(name, field);
  BY_OXM.set(oxmKey(oxmClass, number), field);
}

/** Inside `learn` and moves the switch writes the older NXM numbers of some fields, whatever it was sent. */
const NXM_ALIASES: readonly (readonly [number, number, FieldName])[] = [
  [0, 1, 'eth_dst'],
  [0, 2, 'eth_src'],
  [0, 3, 'eth_type'],
  [0, 6, 'ip_proto'],
  [0, 7, 'ipv4_src'],
  [0, 8, 'ipv4_dst'],
  [0, 9, 'tcp_src'],
  [0, 10, 'tcp_dst'],
  [0, 11, 'udp_src'],
  [0, 12, 'udp_dst'],
  [0, 13, 'icmpv4_type'],
  [0, 14, 'icmpv4_code'],
  [0, 15, 'arp_op'],
  [0, 16, 'arp_spa'],
  [0, 17, 'arp_tpa'],
  [1, 17, 'arp_sha'],
  [1, 19, 'ipv6_src'],
  [1, 20, 'ipv6_dst'],
  [1, 21, 'icmpv6_type'],
  [1, 22, 'icmpv6_code'],
  [1, 18, 'arp_tha'],
  [1, 23, 'nd_target'],
  [1, 24, 'nd_sll'],
  [1, 25, 'nd_tll'],
  [1, 27, 'ipv6_label'],
  [1, 28, 'ip_ecn'],
  [1, 16, 'tun_id'],
  [1, 34, 'tcp_flags'],
];
for (const [oxmClass, number, name] of NXM_ALIASES) BY_OXM.set(oxmKey(oxmClass, number), wireField(name));

export function wireField(name: FieldName): WireField {
  const field = BY_NAME.get(name);
  if (field === undefined) throw new RangeError(`unknown field ${name}`);
  return field;
}

/** The field that an OXM or NXM header names, without its mask bit and length. */
export function fieldOfHeader(reader: Reader, header: number): WireField {
  const field = BY_OXM.get(oxmKey(header >>> 16, (header >>> 9) & 0x7f));
  if (field === undefined) reader.foreign(`field 0x${header.toString(16)} is not in the model`);
  return field;
}

export const isField = (header: number): boolean => BY_OXM.has(oxmKey(header >>> 16, (header >>> 9) & 0x7f));

/** Header, value and mask of one field; a mask of all ones is left out. */
export function writeOxm(w: Writer, name: FieldName, match: FieldMatch): void {
  const field = wireField(name);
  const masked = match.mask !== undefined && match.mask !== field.full;
  w.u32(masked ? field.header + 0x100 + field.bytes : field.header);
  w.uint(match.value, field.bytes);
  if (masked) w.uint(match.mask, field.bytes);
}

/** Like the switch, a mask of all ones is no mask, and a mask of none is no match. */
export function normalMatch(
  field: WireField,
  value: bigint,
  mask: bigint | undefined,
): FieldMatch | undefined {
  if (mask === undefined) return { value: value & field.full };
  const bits = mask & field.full;
  if (bits === 0n) return undefined;
  return bits === field.full ? { value: value & bits } : { value: value & bits, mask: bits };
}

/** The fields of a match, prerequisites first. */
export function matchFields(match: Match): [WireField, FieldMatch][] {
  const fields: [WireField, FieldMatch][] = [];
  for (const name in match) {
    const value = match[name as FieldName];
    if (value !== undefined) fields.push([wireField(name as FieldName), value]);
  }
  return fields.sort((a, b) => a[0].rank - b[0].rank);
}

export function writeOxms(w: Writer, match: Match): void {
  for (const [field, value] of matchFields(match)) {
    if (value.mask !== 0n) writeOxm(w, field.name, value);
  }
}

/** The match structure: type, length, fields, padding. */
export function writeMatch(w: Writer, match: Match): void {
  const start = w.position;
  w.u16(1).u16(0);
  writeOxms(w, match);
  w.patch16(start + 2, w.position - start).align8(start);
}
