import { assertNever } from '#kernel';
import { type Action, type OutputPort, type SubField } from '../model.js';
import { type Writer } from './bytes.js';
import { ACTION, NICIRA, NX_IN_PORT, NXAST, PORT } from './constants.js';
import { sampleSubtype, writeCt, writeSample } from './ct.js';
import { needsLearn2, writeLearn } from './learn.js';
import { wireField, writeOxm } from './match.js';

/** A `clone` inside a `clone`, and so on: no deeper than this, so that hostile bytes can't exhaust the stack. */
export const MAX_NESTING = 16;
const WHOLE_FRAME = 0xffff;

export const portNumber = (port: OutputPort): number => {
  switch (port) {
    case 'in_port':
      return PORT.inPort;
    case 'normal':
      return PORT.normal;
    case 'controller':
      return PORT.controller;
    case 'local':
      return PORT.local;
    default:
      return port;
  }
};

/** How much of a frame an `output` asks for when it doesn't say: all for the controller; no other port looks. */
export const defaultMaxLen = (port: OutputPort): number => (port === 'controller' ? WHOLE_FRAME : 0);

/** The header of a field without mask, as `learn` and moves name it. */
export function writeFieldHeader(w: Writer, part: SubField): void {
  w.u32(wireField(part.field).header);
}

/** Actions in order. `goto` is an instruction: throws a RangeError when one stands among actions. */
export function writeActions(w: Writer, actions: readonly Action[], depth = 0): void {
  if (depth > MAX_NESTING) throw new RangeError(`actions nested deeper than ${MAX_NESTING}`);
  for (const action of actions) writeAction(w, action, depth);
}

function writeAction(w: Writer, action: Action, depth: number): void {
  switch (action.kind) {
    case 'output':
      w.u16(ACTION.output).u16(16).u32(portNumber(action.port));
      w.u16(action.maxLen ?? defaultMaxLen(action.port)).zeros(6);
      return;
    case 'set-field': {
      const start = begin(w, ACTION.setField);
      writeOxm(w, action.field, action);
      return finish(w, start);
    }
    case 'move': {
      const start = begin(w, ACTION.copyField);
      w.u16(action.src.bits).u16(action.src.offset).u16(action.dst.offset).u16(0);
      writeFieldHeader(w, action.src);
      writeFieldHeader(w, action.dst);
      return finish(w, start);
    }
    case 'push-vlan':
      w.u16(ACTION.pushVlan).u16(8).u16(0x8100).u16(0);
      return;
    case 'pop-vlan':
      w.u16(ACTION.popVlan).u16(8).u32(0);
      return;
    case 'group':
      w.u16(ACTION.group).u16(8).u32(action.group);
      return;
    case 'meter':
      w.u16(ACTION.meter).u16(8).u32(action.meter);
      return;
    case 'resubmit': {
      const start = beginNicira(w, NXAST.resubmitTable);
      w.u16(NX_IN_PORT).u8(action.table).zeros(3);
      return finish(w, start);
    }
    case 'output-trunc': {
      const start = beginNicira(w, NXAST.outputTrunc);
      w.u16(action.port).u32(action.maxLen);
      return finish(w, start);
    }
    case 'clone': {
      const start = beginNicira(w, NXAST.clone);
      w.zeros(6);
      writeActions(w, action.actions, depth + 1);
      return finish(w, start);
    }
    case 'controller': {
      const start = beginNicira(w, NXAST.controller2);
      w.zeros(6);
      if (action.maxLen !== WHOLE_FRAME) w.u16(0).u16(8).u16(action.maxLen).u16(0);
      if (action.reason !== undefined) w.u16(2).u16(5).u8(action.reason).zeros(3);
      if (action.userdata.length > 0) {
        const at = w.position;
        w.u16(3)
          .u16(4 + action.userdata.length)
          .raw(action.userdata)
          .align8(at);
      }
      if (action.meter !== undefined) w.u16(5).u16(8).u32(action.meter);
      return finish(w, start);
    }
    case 'learn': {
      const start = beginNicira(w, needsLearn2(action) ? NXAST.learn2 : NXAST.learn);
      writeLearn(w, action);
      return finish(w, start);
    }
    case 'ct': {
      const start = beginNicira(w, NXAST.ct);
      writeCt(w, action);
      writeActions(w, action.exec ?? [], depth + 1);
      return finish(w, start);
    }
    case 'ct-clear': {
      const start = beginNicira(w, NXAST.ctClear);
      return finish(w, start);
    }
    case 'sample': {
      const start = beginNicira(w, sampleSubtype(action));
      writeSample(w, action);
      return finish(w, start);
    }
    case 'goto':
      throw new RangeError('goto may only stand last among the actions of a flow');
    default:
      return assertNever(action);
  }
}

function begin(w: Writer, type: number): number {
  const start = w.position;
  w.u16(type).u16(0);
  return start;
}

function beginNicira(w: Writer, subtype: number): number {
  const start = begin(w, ACTION.experimenter);
  w.u32(NICIRA).u16(subtype);
  return start;
}

function finish(w: Writer, start: number): void {
  w.align8(start).patch16(start + 2, w.position - start);
}
