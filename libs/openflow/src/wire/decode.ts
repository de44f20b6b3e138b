import { err, invalid, ok, type Result } from '#kernel';
import { DecodeFault } from './bytes.js';
import { FRAGMENTS_MATCH, HEADER_BYTES, NICIRA, NXT, OFP_VERSION, TYPE } from './constants.js';
import { readCtFlush } from './ct-flush.js';
import { readFlowMod } from './flow.js';
import { readFlowRemoved } from './flow-stats.js';
import { readGroupMod } from './group.js';
import { type OfMessage } from './messages.js';
import { readMeterMod } from './meter.js';
import { readMultipartReply, readMultipartRequest } from './multipart.js';
import { readPacketIn, readPacketIn2, readPacketOut } from './packet.js';
import { readPortStatus } from './port.js';
import { Reader } from './reader.js';
import { readAsync, readBundleControl, readBundleHead, readFeatures, readHello } from './session.js';

export interface Decoded {
  readonly xid: number;
  readonly message: OfMessage;
}

/**
 * Reads one whole message, header included. Malformed bytes are a problem that names offset and reason; a message
 * that is sound but not in our model is `unknown`, so that one odd message costs no connection.
 */
export function decode(frame: Uint8Array): Result<Decoded> {
  try {
    return ok(readMessage(new Reader(frame), frame.length, false));
  } catch (fault) {
    if (!(fault instanceof DecodeFault)) throw fault;
    if (fault.foreign) return ok(whole(frame));
    return err(invalid(`openflow[${fault.offset}]`, hexAround(frame, fault.offset), fault.reason));
  }
}

function readMessage(reader: Reader, size: number, inner: boolean): Decoded {
  const version = reader.u8();
  const type = reader.u8();
  const length = reader.u16();
  const xid = reader.u32();
  if (length < HEADER_BYTES || length > size) reader.fail(`length ${length} in ${size} bytes`);
  if (!inner && length !== size) reader.fail(`length ${length} in a frame of ${size} bytes`);
  const body = reader.sub(length - HEADER_BYTES);
  // A hello and the errors before the version is agreed may bear another version.
  if (version !== OFP_VERSION && type !== TYPE.hello && type !== TYPE.error) {
    body.fail(`version ${version} instead of ${OFP_VERSION}`);
  }
  if (inner && (type === TYPE.bundleAdd || type === TYPE.requestForward))
    body.fail('a message in a message in a message');
  return { xid, message: readBody(body, version, type) };
}

function readBody(body: Reader, version: number, type: number): OfMessage {
  switch (type) {
    case TYPE.hello:
      return readHello(body, version);
    case TYPE.error:
      return { kind: 'error', type: body.u16(), code: body.u16(), data: body.raw(body.left) };
    case TYPE.echoRequest:
      return { kind: 'echo-request', data: body.raw(body.left) };
    case TYPE.echoReply:
      return { kind: 'echo-reply', data: body.raw(body.left) };
    case TYPE.featuresRequest:
      return { kind: 'features-request' };
    case TYPE.featuresReply:
      return readFeatures(body);
    case TYPE.barrierRequest:
      return { kind: 'barrier-request' };
    case TYPE.barrierReply:
      return { kind: 'barrier-reply' };
    case TYPE.getConfigRequest:
      return { kind: 'get-config-request' };
    case TYPE.getConfigReply:
    case TYPE.setConfig:
      return {
        kind: type === TYPE.setConfig ? 'set-config' : 'get-config-reply',
        matchFragments: (body.u16() & FRAGMENTS_MATCH) === FRAGMENTS_MATCH,
        missSendLen: body.u16(),
      };
    case TYPE.setAsync:
      return readAsync(body);
    case TYPE.flowMod:
      return readFlowMod(body);
    case TYPE.groupMod:
      return readGroupMod(body);
    case TYPE.meterMod:
      return readMeterMod(body);
    case TYPE.bundleControl:
      return readBundleControl(body);
    case TYPE.bundleAdd: {
      const { bundle, flags, inner } = readBundleHead(body);
      return { kind: 'bundle-add', bundle, flags, message: readMessage(inner, inner.left, true).message };
    }
    case TYPE.requestForward:
      return { kind: 'request-forward', message: readMessage(body, body.left, true).message };
    case TYPE.packetIn:
      return readPacketIn(body);
    case TYPE.packetOut:
      return readPacketOut(body);
    case TYPE.flowRemoved:
      return readFlowRemoved(body);
    case TYPE.portStatus:
      return readPortStatus(body);
    case TYPE.multipartRequest:
      return readMultipartRequest(body);
    case TYPE.multipartReply:
      return readMultipartReply(body);
    case TYPE.experimenter:
      return readNicira(body);
    default:
      return body.foreign(`message type ${type} is not in the model`);
  }
}

function readNicira(body: Reader): OfMessage {
  const experimenter = body.u32();
  const subtype = body.u32();
  if (experimenter === NICIRA && subtype === NXT.packetIn2) return readPacketIn2(body);
  if (experimenter === NICIRA && subtype === NXT.ctFlushZone)
    return { kind: 'ct-flush-zone', zone: body.skip(6).u16() };
  if (experimenter === NICIRA && subtype === NXT.ctFlush) return readCtFlush(body);
  if (experimenter === NICIRA && subtype === NXT.setPacketInFormat) {
    return { kind: 'set-packet-in-format', format: body.u32() === 0 ? 'standard' : 'nxt-packet-in2' };
  }
  return body.foreign(`message ${subtype} of experimenter 0x${experimenter.toString(16)}`);
}

function whole(frame: Uint8Array): Decoded {
  const reader = new Reader(frame);
  const type = reader.skip(1).u8();
  const xid = reader.skip(2).u32();
  return { xid, message: { kind: 'unknown', type, body: reader.raw(reader.left) } };
}

function hexAround(frame: Uint8Array, offset: number): string {
  return [...frame.subarray(offset, offset + 8)].map((b) => b.toString(16).padStart(2, '0')).join(' ');
}
