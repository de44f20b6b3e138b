import { checksum, pseudoHeader } from '../frames/checksum.js';
import { numberAt, readRecords } from './records.js';
import { type Message } from './said.js';

const HOP_BY_HOP = 0;
const ICMPV6 = 58;
const TYPE = { query: 130, report1: 131, done: 132, report2: 143 } as const;
const HEADER = 40;
const REPORT_HEAD = 8;
/** Of the first version: with one address. */
const SHORT = 24;
const LONG_QUERY = 28;

/** An IPv6 packet; null: it is malformed, has come from another net, or says nothing of groups. */
export function mld(packet: Uint8Array): Message | null {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  if (packet.length < HEADER || view.getUint8(0) >> 4 !== 6 || view.getUint8(7) !== 1) return null;
  const length = view.getUint16(4);
  if (HEADER + length > packet.length || !isOfLink(view)) return null;
  const start = bodyAt(view, HEADER + length);
  if (start === null) return null;
  const body = packet.subarray(start, HEADER + length);
  if (checksum(pseudoHeader(packet.subarray(8, HEADER), body.length, ICMPV6), body) !== 0) return null;
  return readBody(body, numberAt(view, 8, 16));
}

/** Sent by an address of the link, or by who has none yet. */
const isOfLink = (view: DataView): boolean =>
  view.getUint16(8) >> 6 === 0xfe80 >> 6 || numberAt(view, 8, 16) === 0n;

/** Behind the hop-by-hop options, which every such message has (they say that routers are to look at it). */
function bodyAt(view: DataView, end: number): number | null {
  if (view.getUint8(6) !== HOP_BY_HOP || end < HEADER + 8) return null;
  const at = HEADER + (view.getUint8(HEADER + 1) + 1) * 8;
  return view.getUint8(HEADER) === ICMPV6 && at + REPORT_HEAD <= end ? at : null;
}

function readBody(body: Uint8Array, from: bigint): Message | null {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const type = view.getUint8(0);
  if (type === TYPE.report2) {
    const records = readRecords(body.subarray(REPORT_HEAD), view.getUint16(6), 16);
    return records === null ? null : report(records.joined, records.left);
  }
  if (body.length < SHORT) return null;
  const group = numberAt(view, 8, 16);
  switch (type) {
    case TYPE.query:
      if (body.length !== SHORT && body.length < LONG_QUERY) return null;
      if (group !== 0n && !isGroup(group)) return null;
      return { kind: 'query', family: 6, from, group: group === 0n ? null : group };
    case TYPE.report1:
      return report([group], []);
    case TYPE.done:
      return report([], [group]);
    default:
      return null;
  }
}

const report = (joined: readonly bigint[], left: readonly bigint[]): Message | null =>
  [...joined, ...left].every(isGroup) ? { kind: 'report', family: 6, joined, left } : null;

const isGroup = (address: bigint): boolean => address >> 120n === 0xffn;
