import { type Action, type FieldName, type LearnAction } from '#openflow';
import { isDeep, isRegister, isTold, slotOf, wordsOf } from '../frame/layout.js';

/** Where bits of a field lie, in numbers. Moves and loads touch one word: no field that they are used for is cut. */
export interface Bits {
  readonly word: number;
  readonly shift: number;
  readonly mask: number;
  /** Known only once the frame was looked into. */
  readonly deep: boolean;
  readonly follow: Follow;
}

/** What of the bytes must follow when a field is written. */
export type Follow = 'link' | 'tos' | 'nothing';

const followOf = (field: FieldName): Follow =>
  field === 'ip_dscp' || field === 'ip_ecn' ? 'tos' : isRegister(field) || isTold(field) ? 'nothing' : 'link';

/** An action made ready to run. */
export type Op =
  | {
      readonly op: 'set';
      readonly at: number;
      readonly values: number[];
      readonly masks: number[];
      readonly follow: Follow;
    }
  | { readonly op: 'move'; readonly src: Bits; readonly dst: Bits }
  | { readonly op: 'push' }
  | { readonly op: 'pop' }
  | { readonly op: 'resubmit'; readonly table: number }
  | { readonly op: 'clone'; readonly ops: readonly Op[]; readonly isolated: boolean }
  | { readonly op: 'group'; readonly id: number }
  | { readonly op: 'meter'; readonly id: number }
  | { readonly op: 'output'; readonly port: number; readonly maxLen: number }
  | { readonly op: 'in-port' }
  | {
      readonly op: 'controller';
      readonly maxLen: number;
      readonly userdata: Uint8Array;
      readonly meter?: number;
    }
  | { readonly op: 'learn'; readonly learn: LearnAction }
  | {
      readonly op: 'ct';
      readonly zone: number | Bits;
      readonly commit: boolean;
      readonly force: boolean;
      readonly table: number | undefined;
      readonly exec: readonly Op[];
    }
  | { readonly op: 'ct-clear' }
  /** Whom samples are told is not simulated: the frame goes on. */
  | { readonly op: 'sample' }
  | { readonly op: 'goto'; readonly table: number };

const NONE = new Uint8Array();

export function toOps(actions: readonly Action[]): Op[] {
  return actions.map(toOp);
}

function toOp(action: Action): Op {
  switch (action.kind) {
    case 'set-field': {
      const { at, words, bits } = slotOf(action.field);
      const mask = action.mask ?? (1n << BigInt(bits)) - 1n;
      return {
        op: 'set',
        at,
        values: wordsOf(action.value & mask, words),
        masks: wordsOf(mask, words),
        follow: followOf(action.field),
      };
    }
    case 'move':
      return { op: 'move', src: bitsOf(action.src), dst: bitsOf(action.dst) };
    case 'push-vlan':
      return { op: 'push' };
    case 'pop-vlan':
      return { op: 'pop' };
    case 'resubmit':
    case 'goto':
      return { op: action.kind, table: action.table };
    case 'clone': {
      // Only what can't be undone makes the switch use a datapath clone; a plain one shares its action list.
      const isolated = action.actions.some((a) => a.kind === 'output-trunc');
      return { op: 'clone', ops: toOps(action.actions), isolated };
    }
    case 'group':
      return { op: 'group', id: action.group };
    case 'meter':
      return { op: 'meter', id: action.meter };
    case 'output-trunc':
      return { op: 'output', port: action.port, maxLen: action.maxLen };
    case 'output':
      if (action.port === 'controller')
        return { op: 'controller', maxLen: action.maxLen ?? 0xffff, userdata: NONE };
      if (action.port === 'in_port') return { op: 'in-port' };
      return { op: 'output', port: action.port as number, maxLen: 0xffff };
    case 'controller':
      return {
        op: 'controller',
        maxLen: action.maxLen,
        userdata: action.userdata,
        ...(action.meter === undefined ? {} : { meter: action.meter }),
      };
    case 'ct':
      return {
        op: 'ct',
        zone: typeof action.zone === 'number' ? action.zone : bitsOf(action.zone),
        commit: action.commit === true,
        force: action.force === true,
        table: action.table,
        exec: toOps(action.exec ?? []),
      };
    case 'ct-clear':
      return { op: 'ct-clear' };
    case 'sample':
      return { op: 'sample' };
    case 'learn':
      return { op: 'learn', learn: action };
  }
}

export function bitsOf(sub: {
  readonly field: FieldName;
  readonly offset: number;
  readonly bits: number;
}): Bits {
  const { at, words } = slotOf(sub.field);
  const word = at + words - 1 - Math.floor(sub.offset / 32);
  const mask = sub.bits >= 32 ? 0xffff_ffff : 2 ** sub.bits - 1;
  return { word, shift: sub.offset % 32, mask, deep: isDeep(sub.field), follow: followOf(sub.field) };
}
