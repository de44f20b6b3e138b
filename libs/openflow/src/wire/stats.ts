import { type GroupStats, type PortStats, type TableStats } from '../model.js';
import { type Writer } from './bytes.js';
import { type Reader } from './reader.js';

const PORT_BYTES = 80;
const GROUP_BYTES = 40;

const writeDuration = (w: Writer, ms: number): Writer => w.u32(Math.floor(ms / 1000)).u32((ms % 1000) * 1e6);
const readDuration = (reader: Reader): number => reader.u32() * 1000 + Math.floor(reader.u32() / 1e6);

export function writePortStats(w: Writer, stats: readonly PortStats[]): void {
  for (const port of stats) {
    writeDuration(w.u16(PORT_BYTES).u16(0).u32(port.number), port.durationMs);
    w.u64(port.rxPackets).u64(port.txPackets).u64(port.rxBytes).u64(port.txBytes);
    w.u64(port.rxDropped).u64(port.txDropped).u64(port.rxErrors).u64(port.txErrors);
  }
}

/** Properties (of Ethernet and others) are left out. What the device does not count comes as all ones: as 0 here. */
export function readPortStats(reader: Reader): PortStats[] {
  const stats: PortStats[] = [];
  const count = (entry: Reader): bigint => {
    const value = entry.u64();
    return value === 0xffffffffffffffffn ? 0n : value;
  };
  while (reader.left > 0) {
    const start = reader.position;
    const entry = reader.sub(reader.lengthFrom(start, PORT_BYTES, 'port statistics') - 2).skip(2);
    const number = entry.u32();
    const durationMs = readDuration(entry);
    const [rxPackets, txPackets, rxBytes, txBytes] = [count(entry), count(entry), count(entry), count(entry)];
    const [rxDropped, txDropped, rxErrors, txErrors] = [
      count(entry),
      count(entry),
      count(entry),
      count(entry),
    ];
    const errors = { rxDropped, txDropped, rxErrors, txErrors };
    stats.push({ number, rxPackets, txPackets, rxBytes, txBytes, ...errors, durationMs });
  }
  return stats;
}

export function writeGroupStats(w: Writer, stats: readonly GroupStats[]): void {
  for (const group of stats) {
    w.u16(GROUP_BYTES + 16 * group.buckets.length)
      .u16(0)
      .u32(group.id)
      .zeros(8);
    writeDuration(w.u64(group.packets).u64(group.bytes), group.durationMs);
    for (const bucket of group.buckets) w.u64(bucket.packets).u64(bucket.bytes);
  }
}

export function readGroupStats(reader: Reader): GroupStats[] {
  const stats: GroupStats[] = [];
  while (reader.left > 0) {
    const start = reader.position;
    const entry = reader.sub(reader.lengthFrom(start, GROUP_BYTES, 'group statistics') - 2).skip(2);
    const id = entry.u32();
    const packets = entry.skip(8).u64();
    const bytes = entry.u64();
    const durationMs = readDuration(entry);
    const buckets: { packets: bigint; bytes: bigint }[] = [];
    while (entry.left > 0) buckets.push({ packets: entry.u64(), bytes: entry.u64() });
    stats.push({ id, packets, bytes, durationMs, buckets });
  }
  return stats;
}

export function writeTableStats(w: Writer, stats: readonly TableStats[]): void {
  for (const { table, active, lookups, matched } of stats)
    w.u8(table).zeros(3).u32(active).u64(lookups).u64(matched);
}

export function readTableStats(reader: Reader): TableStats[] {
  const stats: TableStats[] = [];
  while (reader.left > 0) {
    const table = reader.u8();
    stats.push({ table, active: reader.skip(3).u32(), lookups: reader.u64(), matched: reader.u64() });
  }
  return stats;
}
