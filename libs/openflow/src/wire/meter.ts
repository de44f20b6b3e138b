import { type Meter, type MeterStats } from '../model.js';
import { type Writer } from './bytes.js';
import { type MeterModMessage } from './messages.js';
import { type Reader } from './reader.js';

const COMMAND = { add: 0, modify: 1, delete: 2 } as const;
const FLAG = { kbps: 1, pktps: 2, burst: 4, stats: 8 } as const;
const DROP = 1;

export function writeMeterMod(w: Writer, mod: MeterModMessage): void {
  w.u16(COMMAND[mod.command]);
  if (mod.command === 'delete') w.u16(0).u32(mod.id);
  else writeMeter(w, mod.meter);
}

export function readMeterMod(reader: Reader): MeterModMessage {
  const command = reader.u16();
  if (command === COMMAND.delete) return { kind: 'meter-mod', command: 'delete', id: reader.skip(2).u32() };
  if (command !== COMMAND.add && command !== COMMAND.modify)
    return reader.fail(`meter-mod command ${command} does not exist`);
  return {
    kind: 'meter-mod',
    command: command === COMMAND.add ? 'add' : 'modify',
    meter: readMeter(reader),
  };
}

export function writeMeters(w: Writer, meters: readonly Meter[]): void {
  for (const meter of meters) {
    const start = w.position;
    w.u16(0);
    writeMeter(w, meter);
    w.patch16(start, w.position - start);
  }
}

export function readMeters(reader: Reader): Meter[] {
  const meters: Meter[] = [];
  while (reader.left > 0) {
    const start = reader.position;
    meters.push(readMeter(reader.sub(reader.lengthFrom(start, 8, 'meter') - 2)));
  }
  return meters;
}

function writeMeter(w: Writer, meter: Meter): void {
  const burst = meter.burst === undefined ? 0 : FLAG.burst;
  w.u16(FLAG[meter.unit] | burst | FLAG.stats).u32(meter.id);
  w.u16(DROP)
    .u16(16)
    .u32(meter.rate)
    .u32(meter.burst ?? 0)
    .u32(0);
}

/** Flags, id and bands up to the reader's end; what isn't one drop band is opaque. */
function readMeter(reader: Reader): Meter {
  const flags = reader.u16();
  const id = reader.u32();
  const unit = (flags & FLAG.pktps) !== 0 ? 'pktps' : 'kbps';
  const bands: { type: number; rate: number; burst: number }[] = [];
  while (reader.left > 0) {
    const start = reader.position;
    const type = reader.u16();
    const band = reader.sub(reader.lengthFrom(start, 16, 'band') - 4);
    bands.push({ type, rate: band.u32(), burst: band.u32() });
  }
  const [band] = bands;
  if (band === undefined || bands.length > 1 || band.type !== DROP) {
    return {
      id,
      unit,
      rate: 0,
      opaque: `${bands.length} bands of types ${bands.map((b) => b.type).join(' ')}`,
    };
  }
  return { id, unit, rate: band.rate, ...((flags & FLAG.burst) === 0 ? {} : { burst: band.burst }) };
}

export function writeMeterStats(w: Writer, stats: readonly MeterStats[]): void {
  for (const meter of stats) {
    w.u32(meter.id)
      .u16(40 + 16)
      .zeros(6)
      .u32(0)
      .u64(meter.packetsIn)
      .u64(meter.bytesIn);
    w.u32(Math.floor(meter.durationMs / 1000)).u32((meter.durationMs % 1000) * 1e6);
    w.u64(meter.dropped.packets).u64(meter.dropped.bytes);
  }
}

export function readMeterStats(reader: Reader): MeterStats[] {
  const stats: MeterStats[] = [];
  while (reader.left > 0) {
    const start = reader.position;
    const id = reader.u32();
    const entry = reader.sub(reader.lengthFrom(start, 40, 'meter statistics') - 6).skip(10);
    const packetsIn = entry.u64();
    const bytesIn = entry.u64();
    const durationMs = entry.u32() * 1000 + Math.floor(entry.u32() / 1e6);
    let [packets, bytes] = [0n, 0n];
    while (entry.left > 0) {
      packets += entry.u64();
      bytes += entry.u64();
    }
    stats.push({ id, packetsIn, bytesIn, durationMs, dropped: { packets, bytes } });
  }
  return stats;
}
