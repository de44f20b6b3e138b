import { type FieldName } from '../fields.js';
import { type FieldMatch, type Match } from '../model.js';
import { fieldOfHeader, isField, normalMatch, wireField, type WireField } from './match.js';
import { type Reader } from './reader.js';

export type MutableMatch = Partial<Record<FieldName, FieldMatch>>;

/** OXM class of the 64-bit registers: on a 1.5 connection the switch matches registers in pairs. */
const PACKET_REGISTERS = 0x8001;

/** One OXM entry: its field, value and mask as on the wire. */
export interface OxmEntry {
  readonly field: WireField;
  readonly value: bigint;
  readonly mask: bigint | undefined;
}

/** Reads header, value and mask of one field of the model. */
export function readOxm(reader: Reader): OxmEntry {
  const header = reader.u32();
  const field = fieldOfHeader(reader, header);
  const [value, mask] = readPayload(reader, header, field.bytes);
  return { field, value, mask };
}

/** Reads OXM entries up to the reader's end. `skipForeign` leaves out what the model has no field for. */
export function readOxms(reader: Reader, skipForeign = false): Match {
  const match: MutableMatch = {};
  while (reader.left > 0) {
    const header = reader.u32();
    if (header >>> 16 === PACKET_REGISTERS) {
      readRegisterPair(reader, header, match);
    } else if (skipForeign && !isField(header)) {
      reader.skip(header & 0xff);
    } else {
      const field = fieldOfHeader(reader, header);
      const [value, mask] = readPayload(reader, header, field.bytes);
      put(match, field, value, mask);
    }
  }
  return match;
}

/** Reads a match structure with its padding. */
export function readMatch(reader: Reader): Match {
  const start = reader.position;
  const type = reader.u16();
  if (type !== 1) reader.fail(`match type ${type} is not OXM`);
  const length = reader.lengthFrom(start, 4, 'match');
  const match = readOxms(reader.sub(length - 4));
  reader.pad8(length);
  return match;
}

function readPayload(reader: Reader, header: number, bytes: number): [bigint, bigint | undefined] {
  const masked = (header & 0x100) !== 0;
  const length = header & 0xff;
  if (length !== (masked ? bytes * 2 : bytes)) {
    reader.fail(`field of ${bytes} bytes has length ${length}`);
  }
  const value = reader.uint(bytes);
  return [value, masked ? reader.uint(bytes) : undefined];
}

function readRegisterPair(reader: Reader, header: number, match: MutableMatch): void {
  const pair = (header >>> 9) & 0x7f;
  if (pair > 7) reader.foreign(`register pair ${pair} is not in the model`);
  const [value, mask = 0xffffffffffffffffn] = readPayload(reader, header, 8);
  put(match, wireField(`reg${pair * 2}` as FieldName), value >> 32n, mask >> 32n);
  put(match, wireField(`reg${pair * 2 + 1}` as FieldName), value & 0xffffffffn, mask & 0xffffffffn);
}

function put(match: MutableMatch, field: WireField, value: bigint, mask: bigint | undefined): void {
  const normal = normalMatch(field, value, mask);
  if (normal !== undefined) match[field.name] = normal;
}
