import { type Writer } from './bytes.js';
import { ALL_TABLES, ANY_GROUP, PORT } from './constants.js';
import { filter, readInstructionsOrWhy, timeouts, writeInstructions } from './flow.js';
import { readMatchOrWhy } from './flow-stats.js';
import { readMatch } from './match-decode.js';
import { writeMatch } from './match.js';
import { type FlowMonitorRequest, type FlowUpdate } from './messages.js';
import { type Reader } from './reader.js';

const COMMANDS = ['add', 'modify', 'delete'] as const;
const EVENTS = ['initial', 'added', 'removed', 'modified', 'own', 'paused', 'resumed'] as const;
/**
 * Open vSwitch 3.1 refuses NO_ABBREV and takes ONLY_OWN (bit 6) for it: with that bit own changes are told in full,
 * without it they are told as one abbreviated update a batch. Others' changes are told in full in both cases.
 */
const FLAG = { initial: 1, added: 2, removed: 4, modified: 8, instructions: 16, own: 64 } as const;
const FLAGS = Object.entries(FLAG) as [keyof typeof FLAG, number][];

export function writeMonitorRequest(w: Writer, request: FlowMonitorRequest): void {
  const flags = FLAGS.reduce((bits, [name, bit]) => bits | (request[name] ? bit : 0), 0);
  w.u32(request.id).u32(PORT.any).u32(ANY_GROUP).u16(flags);
  w.u8(request.table ?? ALL_TABLES).u8(COMMANDS.indexOf(request.command));
  writeMatch(w, request.match);
}

export function readMonitorRequest(reader: Reader): FlowMonitorRequest {
  const id = reader.u32();
  const flags = reader.skip(8).u16();
  const table = reader.u8();
  const code = reader.u8();
  const command = COMMANDS[code] ?? reader.fail(`flow monitor command ${code} does not exist`);
  const has = (bit: number) => (flags & bit) !== 0;
  return {
    kind: 'flow-monitor-request',
    command,
    id,
    ...filter(table),
    match: readMatch(reader),
    initial: has(FLAG.initial),
    added: has(FLAG.added),
    removed: has(FLAG.removed),
    modified: has(FLAG.modified),
    instructions: has(FLAG.instructions),
    own: has(FLAG.own),
  };
}

export function writeUpdates(w: Writer, updates: readonly FlowUpdate[]): void {
  for (const update of updates) {
    const start = w.position;
    if (update.event === 'unreadable') throw new RangeError('an unreadable update can not be written');
    w.u16(0).u16(EVENTS.indexOf(update.event));
    if (update.event === 'own') w.u32(update.xid);
    else if (!('flow' in update)) w.u32(0);
    else {
      const { flow } = update;
      w.u8(flow.table).u8(update.reason);
      w.u16(flow.idleTimeout ?? 0)
        .u16(flow.hardTimeout ?? 0)
        .u16(flow.priority)
        .u32(0);
      w.u64(flow.cookie);
      writeMatch(w, flow.match);
      writeInstructions(w, flow.actions);
    }
    w.patch16(start, w.position - start);
  }
}

export function readUpdates(reader: Reader): FlowUpdate[] {
  const updates: FlowUpdate[] = [];
  while (reader.left > 0) {
    const start = reader.position;
    const length = reader.lengthFrom(start, 8, 'flow update');
    updates.push(readUpdate(reader.sub(length - 2)));
  }
  return updates;
}

function readUpdate(entry: Reader): FlowUpdate {
  const code = entry.u16();
  const event = EVENTS[code] ?? entry.fail(`flow update event ${code} does not exist`);
  if (event === 'own') return { event, xid: entry.u32() };
  if (event === 'paused' || event === 'resumed') return { event };
  const table = entry.u8();
  const reason = entry.u8();
  const idle = entry.u16();
  const hard = entry.u16();
  const priority = entry.u16();
  const cookie = entry.skip(4).u64();
  const match = readMatchOrWhy(entry);
  if (typeof match === 'string') return { event: 'unreadable', table, priority, cookie, reason: match };
  const flow = { table, priority, match, cookie, ...timeouts(idle, hard), ...readInstructionsOrWhy(entry) };
  return { event, flow, reason };
}
