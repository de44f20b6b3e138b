import { type Action, type FieldName, type LearnAction } from '#openflow';
import { isRegister, slotOf, wordsOf } from '../frame/layout.js';

/** Where bits of a field lie, in numbers. Moves and loads touch one word: no field that they are used for is cut. */
export interface Bits {
  readonly word: number;
  readonly shift: number;
  readonly mask: number;
  /** A header field: the bytes must follow. */
  readonly link: boolean;
}

/** An action made ready to run. */
export type Op =
  | {
      readonly op: 'set';
      readonly at: number;
      readonly values: number[];
      readonly masks: number[];
      readonly link: boolean;
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
  | { readonly op: 'controller'; readonly maxLen: number; readonly userdata: Uint8Array }
  | { readonly op: 'learn'; readonly learn: LearnAction }
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
        link: !isRegister(action.field),
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
      return { op: 'controller', maxLen: action.maxLen, userdata: action.userdata };
    case 'ct':
    case 'ct-clear':
    case 'sample':
      return { op: 'clone', ops: [], isolated: false };
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
  return { word, shift: sub.offset % 32, mask, link: !isRegister(sub.field) };
}
