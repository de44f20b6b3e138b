import { checksum, pseudoHeader } from '../frames/checksum.js';

/** Messages about multicast groups, as guests and routers send them. */
const hex = (text: string): number[] => [...Buffer.from(text.replaceAll(/[:.]/g, ''), 'hex')];
const word = (n: number): number[] => [(n >> 8) & 0xff, n & 0xff];
const bytes = (n: bigint, width: number): number[] => hex(n.toString(16).padStart(width * 2, '0'));

export const ip4 = (text: string): bigint =>
  text.split('.').reduce((number, part) => (number << 8n) | BigInt(part), 0n);

/** With the checksum where it belongs. */
function summed(body: readonly number[], at: number, before: Uint8Array = new Uint8Array()): number[] {
  const sum = checksum(before, Uint8Array.from(body));
  return [...body.slice(0, at), ...word(sum), ...body.slice(at + 2)];
}

const tagged = (vlan: number | undefined): number[] => (vlan === undefined ? [] : [0x81, 0, ...word(vlan)]);

export interface Sent {
  readonly mac: string;
  readonly from?: bigint;
  readonly to: bigint;
  readonly vlan?: number;
  readonly ttl?: number;
}

/** An IGMP message in a frame. */
export function igmpFrame(
  { mac, from = 0n, to, vlan, ttl = 1 }: Sent,
  message: readonly number[],
): Uint8Array {
  const head = [0x46, 0xc0, ...word(24 + message.length), 0, 0, 0, 0, ttl, 2, 0, 0];
  const ip = summed([...head, ...bytes(from, 4), ...bytes(to, 4), 0x94, 4, 0, 0], 10);
  const dst = [1, 0, 0x5e, ...bytes(to & 0x7f_ffffn, 3)];
  return Uint8Array.from([...dst, ...hex(mac), ...tagged(vlan), 8, 0, ...ip, ...summed(message, 2)]);
}

/** Type and group of version 1 or 2, and of a question in tenths of a second until when to answer. */
export const igmp2 = (type: number, group: bigint, within = 0): number[] => [
  ...[type, within, 0, 0],
  ...bytes(group, 4),
];

/** Records of version 3: [type, group, number of sources]. */
export const igmp3 = (records: readonly (readonly [number, bigint, number])[]): number[] => [
  ...[0x22, 0, 0, 0, 0, 0, ...word(records.length)],
  ...records.flatMap(([type, group, sources]) => [
    ...[type, 0, ...word(sources), ...bytes(group, 4)],
    ...Array.from({ length: sources * 4 }, () => 7),
  ]),
];

/** An MLD message in a frame. */
export function mldFrame({ mac, from = 0xfe80n << 112n, to, ttl = 1 }: Sent, message: readonly number[]) {
  const addresses = [...bytes(from, 16), ...bytes(to, 16)];
  const head = [0x60, 0, 0, 0, ...word(8 + message.length), 0, ttl];
  const body = summed(message, 2, pseudoHeader(Uint8Array.from(addresses), message.length, 58));
  const dst = [0x33, 0x33, ...bytes(to & 0xffff_ffffn, 4)];
  const options = [58, 0, 5, 2, 0, 0, 1, 0];
  return Uint8Array.from([...dst, ...hex(mac), 0x86, 0xdd, ...head, ...addresses, ...options, ...body]);
}

export const mld1 = (type: number, group: bigint): number[] => [
  type,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  ...bytes(group, 16),
];

export const mld2 = (records: readonly (readonly [number, bigint, number])[]): number[] => [
  ...[143, 0, 0, 0, 0, 0, ...word(records.length)],
  ...records.flatMap(([type, group, sources]) => [
    ...[type, 0, ...word(sources), ...bytes(group, 16)],
    ...Array.from({ length: sources * 16 }, () => 7),
  ]),
];
