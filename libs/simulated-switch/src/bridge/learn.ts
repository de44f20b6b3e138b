import {
  type Action,
  type FieldMatch,
  type FieldName,
  type Flow,
  type LearnAction,
  type SubField,
} from '#openflow';
import { bitsOf } from '../table/ops.js';
import { slotOf, valueOf } from '../frame/layout.js';
import { type Packet } from '../frame/packet.js';
import { type Tables } from './tables.js';

/** Whether a `learn` with a limit may add its flow: it stands already, or fewer than the limit do. */
export function hasRoom({ limit, table, cookie }: LearnAction, flow: Flow, tables: Tables): boolean {
  if (limit === undefined || tables.find(flow) !== undefined) return true;
  return tables.countIn(table, cookie) < limit;
}

export function setBit(at: SubField, on: boolean, packet: Packet): void {
  const { word, shift } = bitsOf(at);
  const bit = 1 << shift;
  packet.words[word] = on ? (packet.words[word] ?? 0) | bit : (packet.words[word] ?? 0) & ~bit;
}

/** The flow that a `learn` adds for a frame. */
export function learned(action: LearnAction, packet: Packet): Flow {
  const match: Partial<Record<FieldName, FieldMatch>> = {};
  const actions: Action[] = [];
  for (const spec of action.specs) {
    const { field, value, mask } = placed(spec.dst, 'src' in spec ? read(spec.src, packet) : spec.value);
    if (spec.kind === 'load-value' || spec.kind === 'load-field') {
      actions.push({ kind: 'set-field', field, value, ...(mask === undefined ? {} : { mask }) });
      continue;
    }
    const before = match[field];
    match[field] =
      before?.mask === undefined || mask === undefined
        ? { value, ...(mask === undefined ? {} : { mask }) }
        : { value: before.value | value, mask: before.mask | mask };
  }
  return {
    table: action.table,
    priority: action.priority,
    cookie: action.cookie,
    match,
    actions,
    ...(action.idleTimeout > 0 ? { idleTimeout: action.idleTimeout } : {}),
    ...(action.hardTimeout > 0 ? { hardTimeout: action.hardTimeout } : {}),
  };
}

function read({ field, offset, bits }: SubField, packet: Packet): bigint {
  return (valueOf(packet.words, slotOf(field)) >> BigInt(offset)) & ((1n << BigInt(bits)) - 1n);
}

function placed(
  { field, offset, bits }: SubField,
  value: bigint,
): { field: FieldName; value: bigint; mask?: bigint } {
  const width = slotOf(field).bits;
  const shifted = value << BigInt(offset);
  if (offset === 0 && bits === width) return { field, value: shifted };
  return { field, value: shifted, mask: ((1n << BigInt(bits)) - 1n) << BigInt(offset) };
}
