import { type FlowStats, type Match } from '../model.js';
import { DecodeFault, type Writer } from './bytes.js';
import { ALL_TABLES, ANY_GROUP, PORT } from './constants.js';
import { filter, readInstructionsOrWhy, timeouts, writeInstructions } from './flow.js';
import { readMatch } from './match-decode.js';
import { writeMatch } from './match.js';
import { type FlowFilter, type OfMessage, type UnreadableFlow } from './messages.js';
import { type Reader } from './reader.js';

type FlowRemoved = Extract<OfMessage, { kind: 'flow-removed' }>;

const OXS_CLASS = 0x8002;
const OXS = { duration: 0, packets: 4, bytes: 5 } as const;

export interface Counts {
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly durationMs: number;
}

export function writeFlowFilter(w: Writer, request: FlowFilter): void {
  w.u8(request.table ?? ALL_TABLES).zeros(3);
  w.u32(PORT.any).u32(ANY_GROUP).u32(0).u64(request.cookie).u64(request.cookieMask);
  writeMatch(w, request.match);
}

export function readFlowFilter(reader: Reader): FlowFilter {
  const table = reader.u8();
  reader.skip(15);
  const cookie = reader.u64();
  const cookieMask = reader.u64();
  return { ...filter(table), cookie, cookieMask, match: readMatch(reader) };
}

/** Entries of the reply, up to the reader's end. */
export function readFlowStats(reader: Reader): { flows: FlowStats[]; unreadable: UnreadableFlow[] } {
  const flows: FlowStats[] = [];
  const unreadable: UnreadableFlow[] = [];
  while (reader.left > 0) {
    const start = reader.position;
    const length = reader.lengthFrom(start, 32, 'flow');
    const entry = reader.sub(length - 2).skip(2);
    const table = entry.u8();
    const priority = entry.skip(1).u16();
    const idle = entry.u16();
    const hard = entry.u16();
    const cookie = entry.skip(4).u64();
    const match = readMatchOrWhy(entry);
    if (typeof match === 'string') {
      unreadable.push({ table, priority, cookie, reason: match });
      continue;
    }
    const counts = readCounts(entry);
    const rest = readInstructionsOrWhy(entry);
    flows.push({ flow: { table, priority, match, cookie, ...timeouts(idle, hard), ...rest }, ...counts });
  }
  return { flows, unreadable };
}

/** The match, or why the model can't tell it. */
export function readMatchOrWhy(entry: Reader): Match | string {
  try {
    return readMatch(entry);
  } catch (fault) {
    if (fault instanceof DecodeFault && fault.foreign) return fault.reason;
    throw fault;
  }
}

export function writeFlowStats(w: Writer, flows: readonly FlowStats[]): void {
  for (const { flow, ...counts } of flows) {
    const start = w.position;
    w.u16(0).u16(0).u8(flow.table).u8(0).u16(flow.priority);
    w.u16(flow.idleTimeout ?? 0)
      .u16(flow.hardTimeout ?? 0)
      .u16(0)
      .u16(0)
      .u64(flow.cookie);
    writeMatch(w, flow.match);
    writeCounts(w, counts);
    writeInstructions(w, flow.actions);
    w.patch16(start, w.position - start);
  }
}

function readCounts(reader: Reader): Counts {
  const start = reader.position;
  reader.skip(2);
  const length = reader.lengthFrom(start, 4, 'statistics');
  const stats = reader.sub(length - 4);
  reader.pad8(length);
  let [packets, bytes, durationMs] = [0n, 0n, 0];
  while (stats.left > 0) {
    const header = stats.u32();
    const value = stats.sub(header & 0xff);
    const field = (header >>> 9) & 0x7f;
    if (header >>> 16 !== OXS_CLASS || value.left !== 8) continue;
    if (field === OXS.duration) durationMs = value.u32() * 1000 + Math.floor(value.u32() / 1e6);
    else if (field === OXS.packets) packets = value.u64();
    else if (field === OXS.bytes) bytes = value.u64();
  }
  return { packets, bytes, durationMs };
}

function writeCounts(w: Writer, counts: Counts): void {
  const start = w.position;
  const header = (field: number) => w.u32(((OXS_CLASS << 16) | (field << 9) | 8) >>> 0);
  w.u16(0).u16(4 + 3 * 12);
  header(OXS.duration);
  w.u32(Math.floor(counts.durationMs / 1000)).u32((counts.durationMs % 1000) * 1e6);
  header(OXS.packets).u64(counts.packets);
  header(OXS.bytes).u64(counts.bytes);
  w.align8(start);
}

export function writeFlowRemoved(w: Writer, message: FlowRemoved): void {
  const { flow } = message;
  w.u8(flow.table).u8(message.reason).u16(flow.priority).u16(0).u16(0).u64(flow.cookie);
  writeMatch(w, flow.match);
  writeCounts(w, message);
}

export function readFlowRemoved(reader: Reader): FlowRemoved {
  const table = reader.u8();
  const reason = reader.u8();
  const priority = reader.u16();
  const cookie = reader.skip(4).u64();
  const match = readMatch(reader);
  return { kind: 'flow-removed', flow: { table, priority, match, cookie }, reason, ...readCounts(reader) };
}
