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
  const message = type === IPV4 ? igmp(packet) : type === IPV6 ? mld(packet) : null;
  const asksAll = message?.kind === 'query' && message.group === null;
  return asksAll && !isToAll(frame, message.family) ? null : message;
}

/** Where addresses stand in a frame, and what they are if it is for all of the link. */
const TO_ALL = {
  4: [
    [0, [1, 0, 0x5e, 0, 0, 1]],
    [30, [224, 0, 0, 1]],
  ],
  6: [
    [0, [0x33, 0x33, 0, 0, 0, 1]],
    [38, [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
  ],
} as const;

/** Who asks everybody has to be heard by everybody: else nobody would answer, and others would not ask for that long. */
const isToAll = (frame: Uint8Array, family: 4 | 6): boolean =>
  TO_ALL[family].every(([at, octets]) => octets.every((octet, i) => frame[at + i] === octet));
