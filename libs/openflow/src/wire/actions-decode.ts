import { type Action, type OutputPort } from '../model.js';
import { defaultMaxLen, MAX_NESTING } from './actions.js';
import { ACTION, NICIRA, NX_IN_PORT, NXAST, PORT } from './constants.js';
import { readCt, readSample } from './ct.js';
import { readLearn } from './learn.js';
import { fieldOfHeader, normalMatch } from './match.js';
import { readOxm } from './match-decode.js';
import { type Reader } from './reader.js';

const NAMED_PORTS = new Map<number, OutputPort>([
  [PORT.inPort, 'in_port'],
  [PORT.normal, 'normal'],
  [PORT.controller, 'controller'],
  [PORT.local, 'local'],
]);

/** Reads actions up to the reader's end. */
export function readActions(reader: Reader, depth = 0): Action[] {
  if (depth > MAX_NESTING) reader.foreign(`actions nested deeper than ${MAX_NESTING}`);
  const actions: Action[] = [];
  while (reader.left > 0) {
    const start = reader.position;
    const type = reader.u16();
    const length = reader.lengthFrom(start, 8, 'action');
    if (length % 8 !== 0) reader.fail(`action length ${length} is not a multiple of 8`);
    actions.push(readAction(reader.sub(length - 4), type, depth));
  }
  return actions;
}

function readAction(body: Reader, type: number, depth: number): Action {
  switch (type) {
    case ACTION.output:
      return readOutput(body);
    case ACTION.setField:
      return readSetField(body);
    case ACTION.copyField:
      return readMove(body);
    case ACTION.pushVlan: {
      const ethertype = body.u16();
      if (ethertype !== 0x8100) body.foreign(`push of a tag 0x${ethertype.toString(16)}`);
      return { kind: 'push-vlan' };
    }
    case ACTION.popVlan:
      return { kind: 'pop-vlan' };
    case ACTION.group:
      return { kind: 'group', group: body.u32() };
    case ACTION.meter:
      return { kind: 'meter', meter: body.u32() };
    case ACTION.experimenter:
      return readNicira(body, depth);
    default:
      return body.foreign(`action ${type} is not in the model`);
  }
}

function readOutput(body: Reader): Action {
  const number = body.u32();
  const port = NAMED_PORTS.get(number) ?? number;
  if (typeof port === 'number' && port >= 0xffffff00)
    body.foreign(`output to reserved port 0x${port.toString(16)}`);
  const maxLen = body.u16();
  return { kind: 'output', port, ...(maxLen === defaultMaxLen(port) ? {} : { maxLen }) };
}

function readSetField(body: Reader): Action {
  const { field, value, mask } = readOxm(body);
  const normal = normalMatch(field, value, mask);
  if (normal === undefined) return body.foreign('set-field of no bits');
  return { kind: 'set-field', field: field.name, ...normal };
}

function readMove(body: Reader): Action {
  const bits = body.u16();
  const srcOffset = body.u16();
  const dstOffset = body.u16();
  body.skip(2);
  const src = fieldOfHeader(body, body.u32()).name;
  const dst = fieldOfHeader(body, body.u32()).name;
  return {
    kind: 'move',
    src: { field: src, offset: srcOffset, bits },
    dst: { field: dst, offset: dstOffset, bits },
  };
}

function readNicira(body: Reader, depth: number): Action {
  const experimenter = body.u32();
  if (experimenter !== NICIRA) body.foreign(`action of experimenter 0x${experimenter.toString(16)}`);
  const subtype = body.u16();
  switch (subtype) {
    case NXAST.resubmitTable: {
      const port = body.u16();
      if (port !== NX_IN_PORT) body.foreign(`resubmit with port ${port}`);
      return { kind: 'resubmit', table: body.u8() };
    }
    case NXAST.outputTrunc:
      return { kind: 'output-trunc', port: body.u16(), maxLen: body.u32() };
    case NXAST.clone:
      return { kind: 'clone', actions: readActions(body.skip(6), depth + 1) };
    case NXAST.controller: {
      const maxLen = body.u16();
      const id = body.u16();
      if (id !== 0) body.foreign(`controller ${id}`);
      return { kind: 'controller', maxLen, userdata: new Uint8Array() };
    }
    case NXAST.controller2:
      return readController(body.skip(6));
    case NXAST.learn:
    case NXAST.learn2:
      return readLearn(body, subtype === NXAST.learn2);
    case NXAST.ct: {
      const ct = readCt(body);
      const exec = readActions(body, depth + 1).map((a) => {
        return a.kind === 'set-field' || a.kind === 'move' ? a : body.foreign(`ct with ${a.kind}`);
      });
      return exec.length === 0 ? ct : { ...ct, exec };
    }
    case NXAST.ctClear:
      return { kind: 'ct-clear' };
    case NXAST.sample:
    case NXAST.sample3:
      return readSample(body, subtype === NXAST.sample3);
    default:
      return body.foreign(`Nicira action ${subtype} is not in the model`);
  }
}

function readController(body: Reader): Action {
  let maxLen = 0xffff;
  let userdata = new Uint8Array();
  const more: { reason?: number; meter?: number } = {};
  while (body.left > 0) {
    const start = body.position;
    const type = body.u16();
    const length = body.lengthFrom(start, 4, 'property');
    const value = body.sub(length - 4);
    body.pad8(length);
    if (type === 0) maxLen = value.u16();
    else if (type === 2) more.reason = value.u8();
    else if (type === 5) more.meter = value.u32();
    else if (type === 3) userdata = value.raw(value.left) as Uint8Array<ArrayBuffer>;
    else body.foreign(`controller action with property ${type}`);
  }
  return { kind: 'controller', maxLen, userdata, ...more };
}
