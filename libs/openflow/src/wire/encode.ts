import { Writer } from './bytes.js';
import { FRAGMENTS_MATCH, NICIRA, NXT, OFP_VERSION, TYPE } from './constants.js';
import { writeCtFlush } from './ct-flush.js';
import { writeFlowMod } from './flow.js';
import { writeFlowRemoved } from './flow-stats.js';
import { writeGroupMod } from './group.js';
import { type OfMessage } from './messages.js';
import { writeMeterMod } from './meter.js';
import { writeMultipartReply, writeMultipartRequest } from './multipart.js';
import { writePacketIn2, writePacketOut } from './packet.js';
import { writePortStatus } from './port.js';
import { writeAsync, writeBundleControl, writeBundleHead, writeFeatures, writeHello } from './session.js';

const MAX_MESSAGE = 0xffff;
/** One scratch buffer for all messages: encoding is synchronous, and the result is a copy. */
const scratch = new Writer(4096);

/**
 * One message with its header. Throws a RangeError on what OpenFlow can't hold (over 65,535 bytes, a misplaced
 * `goto`, actions nested too deeply): that is a defect of whoever made it, never of input.
 */
export function encode(message: OfMessage, xid: number): Uint8Array {
  const w = scratch.reset();
  writeMessage(w, message, xid);
  return w.take();
}

function writeMessage(w: Writer, message: OfMessage, xid: number): void {
  const start = w.position;
  const version = message.kind === 'hello' ? Math.max(1, ...message.versions) : OFP_VERSION;
  w.u8(version).u8(0).u16(0).u32(xid);
  const type = writeBody(w, message, xid);
  const length = w.position - start;
  if (length > MAX_MESSAGE) throw new RangeError(`${message.kind} of ${length} bytes is over ${MAX_MESSAGE}`);
  w.patch8(start + 1, type).patch16(start + 2, length);
}

/** Writes the body; gives the type for the header. */
function writeBody(w: Writer, message: OfMessage, xid: number): number {
  switch (message.kind) {
    case 'hello':
      writeHello(w, message.versions);
      return TYPE.hello;
    case 'error':
      w.u16(message.type).u16(message.code).raw(message.data);
      return TYPE.error;
    case 'echo-request':
    case 'echo-reply':
      w.raw(message.data);
      return message.kind === 'echo-request' ? TYPE.echoRequest : TYPE.echoReply;
    case 'features-request':
      return TYPE.featuresRequest;
    case 'features-reply':
      writeFeatures(w, message);
      return TYPE.featuresReply;
    case 'barrier-request':
      return TYPE.barrierRequest;
    case 'barrier-reply':
      return TYPE.barrierReply;
    case 'get-config-request':
      return TYPE.getConfigRequest;
    case 'get-config-reply':
    case 'set-config':
      w.u16(message.matchFragments ? FRAGMENTS_MATCH : 0).u16(message.missSendLen);
      return message.kind === 'set-config' ? TYPE.setConfig : TYPE.getConfigReply;
    case 'set-async':
      writeAsync(w, message);
      return TYPE.setAsync;
    case 'set-packet-in-format':
      w.u32(NICIRA).u32(NXT.setPacketInFormat);
      w.u32(message.format === 'standard' ? 0 : 2);
      return TYPE.experimenter;
    case 'flow-mod':
      writeFlowMod(w, message);
      return TYPE.flowMod;
    case 'group-mod':
      writeGroupMod(w, message);
      return TYPE.groupMod;
    case 'meter-mod':
      writeMeterMod(w, message);
      return TYPE.meterMod;
    case 'bundle-control':
      writeBundleControl(w, message);
      return TYPE.bundleControl;
    case 'bundle-add':
      writeBundleHead(w, message.bundle, message.flags);
      writeMessage(w, message.message, xid);
      return TYPE.bundleAdd;
    case 'request-forward':
      writeMessage(w, message.message, xid);
      return TYPE.requestForward;
    case 'ct-flush-zone':
      w.u32(NICIRA).u32(NXT.ctFlushZone).zeros(6).u16(message.zone);
      return TYPE.experimenter;
    case 'ct-flush':
      w.u32(NICIRA).u32(NXT.ctFlush);
      writeCtFlush(w, message);
      return TYPE.experimenter;
    case 'packet-in':
      w.u32(NICIRA).u32(NXT.packetIn2);
      writePacketIn2(w, message);
      return TYPE.experimenter;
    case 'packet-out':
      writePacketOut(w, message);
      return TYPE.packetOut;
    case 'flow-removed':
      writeFlowRemoved(w, message);
      return TYPE.flowRemoved;
    case 'port-status':
      writePortStatus(w, message);
      return TYPE.portStatus;
    case 'unknown':
      w.raw(message.body);
      return message.type;
    case 'flow-stats-reply':
    case 'group-desc-reply':
    case 'meter-config-reply':
    case 'meter-stats-reply':
    case 'port-stats-reply':
    case 'group-stats-reply':
    case 'table-stats-reply':
    case 'port-desc-reply':
    case 'flow-monitor-reply':
      writeMultipartReply(w, message);
      return TYPE.multipartReply;
    default:
      writeMultipartRequest(w, message);
      return TYPE.multipartRequest;
  }
}
