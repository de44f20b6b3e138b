import { type LearnAction, type LearnSpec } from '../model.js';
import { type Writer } from './bytes.js';
import { fieldOfHeader, wireField } from './match.js';
import { type Reader } from './reader.js';

/** A spec's first word: width in the low bits, then where the value comes from and what it becomes. */
const BITS_MASK = 0x3ff;
const IMMEDIATE = 1 << 13;
const LOAD = 1 << 11;
const DESTINATION = 3 << 11;

const FLAG = { deleteLearned: 2, writeResult: 4 } as const;

/** Whether only NXAST_LEARN2 can say it. */
export const needsLearn2 = (learn: LearnAction): boolean =>
  learn.limit !== undefined || learn.resultDst !== undefined;

/** The body of NXAST_LEARN or NXAST_LEARN2 after its subtype. */
export function writeLearn(w: Writer, learn: LearnAction): void {
  const { resultDst } = learn;
  const flags =
    (learn.deleteLearned === true ? FLAG.deleteLearned : 0) |
    (resultDst === undefined ? 0 : FLAG.writeResult);
  w.u16(learn.idleTimeout).u16(learn.hardTimeout).u16(learn.priority).u64(learn.cookie);
  w.u16(flags).u8(learn.table).u8(0);
  w.u16(learn.finIdleTimeout ?? 0).u16(learn.finHardTimeout ?? 0);
  if (needsLearn2(learn)) {
    w.u32(learn.limit ?? 0)
      .u16(resultDst?.offset ?? 0)
      .u16(0);
    if (resultDst !== undefined) w.u32(wireField(resultDst.field).header);
  }
  for (const spec of learn.specs) writeSpec(w, spec);
}

function writeSpec(w: Writer, spec: LearnSpec): void {
  const { bits } = spec.dst;
  if (spec.kind === 'match-field' || spec.kind === 'load-field') {
    w.u16(bits | (spec.kind === 'load-field' ? LOAD : 0))
      .u32(wireField(spec.src.field).header)
      .u16(spec.src.offset);
  } else {
    w.u16(bits | IMMEDIATE | (spec.kind === 'load-value' ? LOAD : 0));
    w.uint(spec.value, 2 * Math.ceil(bits / 16));
  }
  w.u32(wireField(spec.dst.field).header).u16(spec.dst.offset);
}

/** Reads what writeLearn wrote, up to the reader's end. */
export function readLearn(reader: Reader, second = false): LearnAction {
  const idleTimeout = reader.u16();
  const hardTimeout = reader.u16();
  const priority = reader.u16();
  const cookie = reader.u64();
  const flags = reader.u16();
  const table = reader.u8();
  reader.skip(1);
  const finIdle = reader.u16();
  const finHard = reader.u16();
  if ((flags & ~(FLAG.deleteLearned | FLAG.writeResult)) !== 0) reader.foreign(`learn with flags ${flags}`);
  const { limit, resultDst } = second ? readSecond(reader, flags) : {};
  const specs: LearnSpec[] = [];
  while (reader.left >= 2) {
    const head = reader.u16();
    if (head === 0) break;
    specs.push(readSpec(reader, head));
  }
  return {
    kind: 'learn',
    table,
    priority,
    cookie,
    idleTimeout,
    hardTimeout,
    ...(finIdle === 0 ? {} : { finIdleTimeout: finIdle }),
    ...(finHard === 0 ? {} : { finHardTimeout: finHard }),
    ...(limit === undefined ? {} : { limit }),
    ...(resultDst === undefined ? {} : { resultDst }),
    ...((flags & FLAG.deleteLearned) === 0 ? {} : { deleteLearned: true }),
    specs,
  };
}

/** What NXAST_LEARN2 has more. */
function readSecond(reader: Reader, flags: number): Pick<LearnAction, 'limit' | 'resultDst'> {
  const limit = reader.u32();
  const offset = reader.u16();
  reader.skip(2);
  const bounded = limit === 0 ? {} : { limit };
  if ((flags & FLAG.writeResult) === 0) return bounded;
  return { ...bounded, resultDst: { field: fieldOfHeader(reader, reader.u32()).name, offset, bits: 1 } };
}

function readSpec(reader: Reader, head: number): LearnSpec {
  const bits = head & BITS_MASK;
  const destination = head & DESTINATION;
  if (bits === 0) reader.fail('learn of no bits');
  if (destination !== 0 && destination !== LOAD) reader.foreign('learn with an output');
  if ((head & IMMEDIATE) !== 0) {
    const width = 2 * Math.ceil(bits / 16);
    const value = BigInt.asUintN(bits, reader.uint(width));
    return {
      kind: destination === LOAD ? 'load-value' : 'match-value',
      value,
      dst: readSubField(reader, bits),
    };
  }
  const src = readSubField(reader, bits);
  const kind = destination === LOAD ? 'load-field' : 'match-field';
  return { kind, src, dst: readSubField(reader, bits) };
}

function readSubField(reader: Reader, bits: number) {
  const field = fieldOfHeader(reader, reader.u32()).name;
  return { field, offset: reader.u16(), bits };
}
