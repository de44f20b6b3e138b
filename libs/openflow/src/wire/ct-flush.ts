import { type Writer } from './bytes.js';
import { type CtFilter, type CtTuple, type OfMessage } from './messages.js';
import { type Reader } from './reader.js';

const PROPERTY = { original: 0, reply: 1, zone: 2 } as const;
const TUPLE = { src: 0, dst: 1, srcPort: 2, dstPort: 3, icmpId: 4, icmpType: 5, icmpCode: 6 } as const;
/** What stands before the 32 bits of an IPv4 address in the 128 of an IPv6 one. */
const MAPPED = 0xffffn << 32n;

/** The body of NXT_CT_FLUSH. */
export function writeCtFlush(w: Writer, filter: CtFilter): void {
  w.u8(filter.protocol ?? 0).zeros(7);
  if (filter.original !== undefined) writeTuple(w, PROPERTY.original, filter.original);
  if (filter.reply !== undefined) writeTuple(w, PROPERTY.reply, filter.reply);
  const { zone } = filter;
  if (zone !== undefined) property(w, PROPERTY.zone, () => w.u16(zone));
}

function writeTuple(w: Writer, type: number, tuple: CtTuple): void {
  const start = w.position;
  w.u16(type).u16(0).u32(0);
  const mapped = (address: bigint) => (tuple.family === 4 ? MAPPED | address : address);
  const { src, dst, srcPort, dstPort, icmpId, icmpType, icmpCode } = tuple;
  if (src !== undefined) property(w, TUPLE.src, () => w.uint(mapped(src), 16));
  if (dst !== undefined) property(w, TUPLE.dst, () => w.uint(mapped(dst), 16));
  if (srcPort !== undefined) property(w, TUPLE.srcPort, () => w.u16(srcPort));
  if (dstPort !== undefined) property(w, TUPLE.dstPort, () => w.u16(dstPort));
  if (icmpId !== undefined) property(w, TUPLE.icmpId, () => w.u16(icmpId));
  if (icmpType !== undefined) property(w, TUPLE.icmpType, () => w.u8(icmpType));
  if (icmpCode !== undefined) property(w, TUPLE.icmpCode, () => w.u8(icmpCode));
  w.patch16(start + 2, w.position - start);
}

function property(w: Writer, type: number, body: () => void): void {
  const start = w.position;
  w.u16(type).u16(0);
  body();
  w.patch16(start + 2, w.position - start).align8(start);
}

export function readCtFlush(reader: Reader): OfMessage {
  const protocol = reader.u8();
  reader.skip(7);
  let filter: CtFilter = protocol === 0 ? {} : { protocol };
  eachProperty(reader, (type, value) => {
    if (type === PROPERTY.original) filter = { ...filter, original: readTuple(value) };
    else if (type === PROPERTY.reply) filter = { ...filter, reply: readTuple(value) };
    else if (type === PROPERTY.zone) filter = { ...filter, zone: value.u16() };
    else value.foreign(`property ${type} of a conntrack flush`);
  });
  return { kind: 'ct-flush', ...filter };
}

/** A tuple of no address is of either family: it reads as IPv6. */
function readTuple(reader: Reader): CtTuple {
  let tuple: CtTuple = { family: 6 };
  const address = (value: Reader): bigint => {
    const whole = value.uint(16);
    if (whole >> 32n !== 0xffffn) return whole;
    tuple = { ...tuple, family: 4 };
    return whole & 0xffffffffn;
  };
  eachProperty(reader.skip(4), (type, value) => {
    if (type === TUPLE.src) {
      const src = address(value);
      tuple = { ...tuple, src };
    } else if (type === TUPLE.dst) {
      const dst = address(value);
      tuple = { ...tuple, dst };
    } else if (type === TUPLE.srcPort) tuple = { ...tuple, srcPort: value.u16() };
    else if (type === TUPLE.dstPort) tuple = { ...tuple, dstPort: value.u16() };
    else if (type === TUPLE.icmpId) tuple = { ...tuple, icmpId: value.u16() };
    else if (type === TUPLE.icmpType) tuple = { ...tuple, icmpType: value.u8() };
    else if (type === TUPLE.icmpCode) tuple = { ...tuple, icmpCode: value.u8() };
    else value.foreign(`property ${type} of a connection`);
  });
  return tuple;
}

function eachProperty(reader: Reader, see: (type: number, value: Reader) => void): void {
  while (reader.left > 0) {
    const start = reader.position;
    const type = reader.u16();
    const length = reader.lengthFrom(start, 4, 'property');
    see(type, reader.sub(length - 4));
    reader.pad8(length);
  }
}
