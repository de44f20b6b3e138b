import { type GroupMessage } from './frame.js';
import { addressBytes, word } from './octets.js';

/** By version 4 or 6 of IP, a type for each kind; the last is that of reports of version 3 (2 of MLD). */
const TYPES = {
  4: { query: 0x11, join: 0x16, leave: 0x17, records: 0x22 },
  6: { query: 130, join: 131, leave: 132, records: 143 },
} as const;
/** To listen to all senders, to none, to some more. */
const RECORD = { join: 4, leave: 3, source: 5 } as const;
const ANY = { 4: '0.0.0.0', 6: '::' } as const;

/** IGMP or MLD, its checksum still to be filled in. */
export function messageBytes(of: 4 | 6, { kind, group, version, source }: GroupMessage): number[] {
  const address = addressBytes(group ?? ANY[of]);
  const types = TYPES[of];
  if (kind !== 'query' && version === 3) {
    const sources = source === undefined ? [] : addressBytes(source);
    const record = [source === undefined ? RECORD[kind] : RECORD.source, 0, 0, source === undefined ? 0 : 1];
    return [types.records, 0, 0, 0, 0, 0, 0, 1, ...record, ...address, ...sources];
  }
  const within = kind === 'query' ? 100 : 0;
  const head = of === 4 ? [types[kind], within, 0, 0] : [types[kind], 0, 0, 0, ...word(within * 10), 0, 0];
  // Robustness, interval in seconds, no sources.
  const more = kind === 'query' && version === 3 ? [2, 125, 0, 0] : [];
  return [...head, ...address, ...more];
}

/** The type of ICMPv6 that it has in MLD. */
export const mldTypeOf = ({ kind, version }: GroupMessage): number =>
  kind !== 'query' && version === 3 ? TYPES[6].records : TYPES[6][kind];
