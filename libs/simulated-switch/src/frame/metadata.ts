import { FIELDS, type FieldMatch, type FieldName, type Match } from '#openflow';
import { isRegister, slotOf, valueOf } from './layout.js';
import { type Packet } from './packet.js';

/** in_port and the registers that are not zero. */
export function metadata(packet: Packet): Match {
  const match: Partial<Record<FieldName, FieldMatch>> = {};
  for (const field of Object.keys(FIELDS) as FieldName[]) {
    if (field !== 'in_port' && !isRegister(field)) continue;
    const value = valueOf(packet.words, slotOf(field));
    if (value !== 0n) match[field] = { value };
  }
  return match;
}
