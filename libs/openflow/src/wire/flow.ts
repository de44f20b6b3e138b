import { type Action, type Flow } from '../model.js';
import { readActions } from './actions-decode.js';
import { writeActions } from './actions.js';
import { DecodeFault, type Writer } from './bytes.js';
import { ALL_TABLES, ANY_GROUP, NO_BUFFER, PORT } from './constants.js';
import { readMatch } from './match-decode.js';
import { writeMatch } from './match.js';
import { type FlowMod } from './messages.js';
import { type Reader } from './reader.js';

const COMMAND = { add: 0, delete: 3, 'delete-strict': 4 } as const;
const NOTIFY_REMOVED = 1;
const RESET_COUNTS = 4;
const GOTO_TABLE = 1;
const APPLY_ACTIONS = 4;

/** Actions as instructions: what applies at once, and the goto that may stand last. */
export function writeInstructions(w: Writer, actions: readonly Action[]): void {
  const last = actions.at(-1);
  const jump = last?.kind === 'goto' ? last : undefined;
  const applied = jump === undefined ? actions : actions.slice(0, -1);
  if (applied.length > 0) {
    const start = w.position;
    w.u16(APPLY_ACTIONS).u16(0).u32(0);
    writeActions(w, applied);
    w.patch16(start + 2, w.position - start);
  }
  if (jump !== undefined) w.u16(GOTO_TABLE).u16(8).u8(jump.table).zeros(3);
}

export function readInstructions(reader: Reader): Action[] {
  let applied: Action[] = [];
  let jump: Action | undefined;
  while (reader.left > 0) {
    const start = reader.position;
    const type = reader.u16();
    const length = reader.lengthFrom(start, 8, 'instruction');
    const body = reader.sub(length - 4);
    if (type === APPLY_ACTIONS) applied = readActions(body.skip(4));
    else if (type === GOTO_TABLE) jump = { kind: 'goto', table: body.u8() };
    else body.foreign(`instruction ${type} is not in the model`);
  }
  return jump === undefined ? applied : [...applied, jump];
}

/** Instructions that the model has no words for leave the flow known, but opaque. */
export function readInstructionsOrWhy(reader: Reader): Pick<Flow, 'actions' | 'opaque'> {
  try {
    return { actions: readInstructions(reader) };
  } catch (fault) {
    if (fault instanceof DecodeFault && fault.foreign) return { actions: [], opaque: fault.reason };
    throw fault;
  }
}

/** Time-outs as the model has them: absent for none. */
export const timeouts = (idle: number, hard: number): Pick<Flow, 'idleTimeout' | 'hardTimeout'> => ({
  ...(idle === 0 ? {} : { idleTimeout: idle }),
  ...(hard === 0 ? {} : { hardTimeout: hard }),
});

export function writeFlowMod(w: Writer, mod: FlowMod): void {
  if (mod.command === 'delete') {
    w.u64(mod.cookie).u64(mod.cookieMask);
    w.u8(mod.table ?? ALL_TABLES).u8(COMMAND.delete);
    w.u16(0).u16(0).u16(0).u32(NO_BUFFER).u32(PORT.any).u32(ANY_GROUP).u16(0).u16(0);
    return writeMatch(w, mod.match);
  }
  const add = mod.command === 'add' ? mod.flow : undefined;
  w.u64(add?.cookie ?? 0n).u64(0n);
  w.u8(mod.flow.table).u8(COMMAND[mod.command]);
  w.u16(add?.idleTimeout ?? 0)
    .u16(add?.hardTimeout ?? 0)
    .u16(mod.flow.priority);
  w.u32(NO_BUFFER).u32(PORT.any).u32(ANY_GROUP);
  const notify = mod.command === 'add' && mod.notifyRemoved === true;
  w.u16(add === undefined ? 0 : RESET_COUNTS | (notify ? NOTIFY_REMOVED : 0)).u16(0);
  writeMatch(w, mod.flow.match);
  if (add !== undefined) writeInstructions(w, add.actions);
}

export function readFlowMod(reader: Reader): FlowMod {
  const cookie = reader.u64();
  const cookieMask = reader.u64();
  const table = reader.u8();
  const command = reader.u8();
  const idle = reader.u16();
  const hard = reader.u16();
  const priority = reader.u16();
  reader.skip(12);
  const flags = reader.u16();
  reader.skip(2);
  const match = readMatch(reader);
  switch (command) {
    case COMMAND.add: {
      const actions = readInstructions(reader);
      const flow = { table, priority, match, actions, cookie, ...timeouts(idle, hard) };
      const notify = (flags & NOTIFY_REMOVED) !== 0;
      return { kind: 'flow-mod', command: 'add', flow, ...(notify ? { notifyRemoved: true } : {}) };
    }
    case COMMAND['delete-strict']:
      return { kind: 'flow-mod', command: 'delete-strict', flow: { table, priority, match } };
    case COMMAND.delete:
      return { kind: 'flow-mod', command: 'delete', ...filter(table), cookie, cookieMask, match };
    default:
      return reader.foreign(`flow-mod command ${command} is not in the model`);
  }
}

/** A table number as a filter has it: absent for all. */
export const filter = (table: number): { table?: number } => (table === ALL_TABLES ? {} : { table });
