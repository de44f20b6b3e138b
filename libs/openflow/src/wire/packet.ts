import { type Match } from '../model.js';
import { readActions } from './actions-decode.js';
import { writeActions } from './actions.js';
import { type Writer } from './bytes.js';
import { NO_BUFFER } from './constants.js';
import { readMatch, readOxms } from './match-decode.js';
import { writeMatch, writeOxms } from './match.js';
import { type OfMessage, type PacketIn } from './messages.js';
import { type Reader } from './reader.js';

type PacketOut = Extract<OfMessage, { kind: 'packet-out' }>;

/** Properties of NXT_PACKET_IN2. */
const PROPERTY = {
  packet: 0,
  fullLength: 1,
  table: 3,
  cookie: 4,
  reason: 5,
  metadata: 6,
  userdata: 7,
} as const;

/** A packet-in is always written in the Nicira form, the only one that carries userdata. */
export function writePacketIn2(w: Writer, packet: PacketIn): void {
  property(w, PROPERTY.packet, () => w.raw(packet.frame));
  const { fullLength } = packet;
  if (fullLength !== undefined) property(w, PROPERTY.fullLength, () => w.u32(fullLength));
  property(w, PROPERTY.table, () => w.u8(packet.table));
  property(w, PROPERTY.cookie, () => w.u32(0).u64(packet.cookie));
  property(w, PROPERTY.reason, () => w.u8(packet.reason));
  property(w, PROPERTY.metadata, () => writeOxms(w, packet.metadata));
  if (packet.userdata.length > 0) property(w, PROPERTY.userdata, () => w.raw(packet.userdata));
}

function property(w: Writer, type: number, body: () => void): void {
  const start = w.position;
  w.u16(type).u16(0);
  body();
  w.patch16(start + 2, w.position - start).align8(start);
}

export function readPacketIn2(reader: Reader): PacketIn {
  let packet: PacketIn = {
    kind: 'packet-in',
    table: 0,
    cookie: 0xffffffffffffffffn,
    reason: 0,
    metadata: {},
    userdata: new Uint8Array(),
    frame: new Uint8Array(),
  };
  while (reader.left > 0) {
    const start = reader.position;
    const type = reader.u16();
    const length = reader.lengthFrom(start, 4, 'property');
    packet = { ...packet, ...readProperty(type, reader.sub(length - 4)) };
    reader.pad8(length);
  }
  return packet;
}

function readProperty(type: number, value: Reader): Partial<PacketIn> {
  switch (type) {
    case PROPERTY.packet:
      return { frame: value.raw(value.left) };
    case PROPERTY.fullLength:
      return { fullLength: value.u32() };
    case PROPERTY.table:
      return { table: value.u8() };
    case PROPERTY.cookie:
      return { cookie: value.skip(4).u64() };
    case PROPERTY.reason:
      return { reason: value.u8() };
    case PROPERTY.metadata:
      return { metadata: readOxms(value, true) };
    case PROPERTY.userdata:
      return { userdata: value.raw(value.left) };
    default:
      return {};
  }
}

/** OFPT_PACKET_IN, in case the switch was not asked for the other form. */
export function readPacketIn(reader: Reader): PacketIn {
  const totalLength = reader.skip(4).u16();
  const reason = reader.u8();
  const table = reader.u8();
  const cookie = reader.u64();
  const metadata: Match = readMatch(reader);
  const frame = reader.skip(2).raw(reader.left);
  const cut = totalLength > frame.length ? { fullLength: totalLength } : {};
  return { kind: 'packet-in', table, cookie, reason, metadata, userdata: new Uint8Array(), frame, ...cut };
}

export function writePacketOut(w: Writer, packet: PacketOut): void {
  const lengthAt = w.position + 4;
  w.u32(NO_BUFFER).u16(0).u16(0);
  writeMatch(w, packet.match);
  const start = w.position;
  writeActions(w, packet.actions);
  w.patch16(lengthAt, w.position - start).raw(packet.frame);
}

export function readPacketOut(reader: Reader): PacketOut {
  const length = reader.skip(4).u16();
  const match = readMatch(reader.skip(2));
  const actions = readActions(reader.sub(length));
  return { kind: 'packet-out', match, actions, frame: reader.raw(reader.left) };
}
