import { type LearnAction, type LearnSpec } from '../model.js';
import { type Writer } from './bytes.js';
import { fieldOfHeader, wireField } from './match.js';
import { type Reader } from './reader.js';

/** A spec's first word: width in the low bits, then where the value comes from and what it becomes. */
const BITS_MASK = 0x3ff;
const IMMEDIATE = 1 << 13;
const LOAD = 1 << 11;
const DESTINATION = 3 << 11;

/** The body of NXAST_LEARN after its subtype. */
export function writeLearn(w: Writer, learn: LearnAction): void {
  w.u16(learn.idleTimeout).u16(learn.hardTimeout).u16(learn.priority).u64(learn.cookie);
  w.u16(0).u8(learn.table).u8(0).u16(0).u16(0);
  for (const spec of learn.specs) writeSpec(w, spec);
}

function writeSpec(w: Writer, spec: LearnSpec): void {
  const { bits } = spec.dst;
  if (spec.kind === 'match-field') {
    w.u16(bits).u32(wireField(spec.src.field).header).u16(spec.src.offset);
  } else {
    w.u16(bits | IMMEDIATE | (spec.kind === 'load-value' ? LOAD : 0));
    w.uint(spec.value, 2 * Math.ceil(bits / 16));
  }
  w.u32(wireField(spec.dst.field).header).u16(spec.dst.offset);
}

/** Reads what writeLearn wrote, up to the reader's end. */
export function readLearn(reader: Reader): LearnAction {
  const idleTimeout = reader.u16();
  const hardTimeout = reader.u16();
  const priority = reader.u16();
  const cookie = reader.u64();
  const flags = reader.u16();
  const table = reader.u8();
  reader.skip(1);
  const finTimeouts = reader.u32();
  if (flags !== 0 || finTimeouts !== 0) reader.foreign('learn with flags or FIN time-outs');
  const specs: LearnSpec[] = [];
  while (reader.left >= 2) {
    const head = reader.u16();
    if (head === 0) break;
    specs.push(readSpec(reader, head));
  }
  return { kind: 'learn', table, priority, cookie, idleTimeout, hardTimeout, specs };
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
  if (destination === LOAD) reader.foreign('learn that loads from a field');
  const src = readSubField(reader, bits);
  return { kind: 'match-field', src, dst: readSubField(reader, bits) };
}

function readSubField(reader: Reader, bits: number) {
  const field = fieldOfHeader(reader, reader.u32()).name;
  return { field, offset: reader.u16(), bits };
}
