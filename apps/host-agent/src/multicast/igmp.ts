import { checksum } from '../frames/checksum.js';
import { numberAt, readRecords } from './records.js';
import { type Message } from './said.js';

const IGMP = 2;
const TYPE = { query: 0x11, report1: 0x12, report2: 0x16, leave: 0x17, report3: 0x22 } as const;
/** Of the short form, in versions 1 and 2; the third is longer in both kinds. */
const SHORT = 8;
const LONG_QUERY = 12;
const FRAGMENT = 0x3fff;

/** An IPv4 packet; null: it is malformed, a fragment, has come from another net, or says nothing of groups. */
export function igmp(packet: Uint8Array): Message | null {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  if (packet.length < 20 || view.getUint8(0) >> 4 !== 4) return null;
  const head = (view.getUint8(0) & 0xf) * 4;
  const length = view.getUint16(2);
  if (head < 20 || length < head + SHORT || length > packet.length) return null;
  if ((view.getUint16(6) & FRAGMENT) !== 0 || view.getUint8(8) !== 1 || view.getUint8(9) !== IGMP)
    return null;
  if (checksum(packet.subarray(0, head)) !== 0) return null;
  const body = packet.subarray(head, length);
  if (checksum(body) !== 0) return null;
  return readBody(body, numberAt(view, 12, 4));
}

function readBody(body: Uint8Array, from: bigint): Message | null {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const group = numberAt(view, 4, 4);
  switch (view.getUint8(0)) {
    case TYPE.query:
      if (body.length !== SHORT && body.length < LONG_QUERY) return null;
      if (group !== 0n && !isGroup(group)) return null;
      return { kind: 'query', family: 4, from, group: group === 0n ? null : group };
    case TYPE.report1:
    case TYPE.report2:
      return report([group], []);
    case TYPE.leave:
      return report([], [group]);
    case TYPE.report3: {
      const records = readRecords(body.subarray(SHORT), view.getUint16(6), 4);
      return records === null ? null : report(records.joined, records.left);
    }
    default:
      return null;
  }
}

const report = (joined: readonly bigint[], left: readonly bigint[]): Message | null =>
  [...joined, ...left].every(isGroup) ? { kind: 'report', family: 4, joined, left } : null;

const isGroup = (address: bigint): boolean => address >> 28n === 0xen;
