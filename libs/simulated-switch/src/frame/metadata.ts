import { FIELDS, type FieldMatch, type FieldName, type Match } from '#openflow';
import { isRegister, isTold, slotOf, valueOf } from './layout.js';
import { type Packet } from './packet.js';

/** in_port, the registers and what is known of the connection, as far as it is not zero. */
export function metadata(packet: Packet): Match {
  const match: Partial<Record<FieldName, FieldMatch>> = {};
  for (const field of Object.keys(FIELDS) as FieldName[]) {
    if (field !== 'in_port' && !isRegister(field) && !isTold(field)) continue;
    const value = valueOf(packet.words, slotOf(field));
    if (value !== 0n) match[field] = { value };
  }
  return match;
}
