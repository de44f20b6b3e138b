import { igmp } from './igmp.js';
import { mld } from './mld.js';
import { type Message } from './said.js';

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const HEADER = 14;

/** A frame without a tag, as a switch handed it over; null: it is malformed, or says nothing of groups. Never throws. */
export function readMessage(frame: Uint8Array): Message | null {
  if (frame.length < HEADER) return null;
  const type = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);
  const packet = frame.subarray(HEADER);
  if (type === IPV4) return igmp(packet);
  return type === IPV6 ? mld(packet) : null;
}
