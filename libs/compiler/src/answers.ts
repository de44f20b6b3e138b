import { type Action, type Match } from '#openflow';
import { meter, resubmit, set } from './pipeline/actions.js';
import { FLAG, REG, type RegisterName } from './pipeline/registers.js';
import { TABLES } from './pipeline/tables.js';
import { portMeter } from './meters.js';
import { type CompiledBinding } from './types.js';

/** What the pipeline knew of a frame when it told the agent. */
export interface Told {
  /** Slots: who sent it, who is to get it; 0: an uplink, or nobody yet. */
  readonly from: number;
  readonly to: number;
  readonly segment: number;
  /** Who in a private VLAN sent it, as the register has it; 0: nobody who is kept from others. */
  readonly wire: number;
  /** Key of the uplink that it came by; 0: it came by none. */
  readonly uplink: number;
  /** Priority in the tag with which it came, or that a rule gave it. */
  readonly cos: number;
}

export function readTold(metadata: Match): Told {
  const of = (register: RegisterName): number => Number(metadata[REG[register]]?.value ?? 0n);
  const cos = (of('flags') >>> FLAG.cos.offset) & ((1 << FLAG.cos.bits) - 1);
  return {
    from: of('from'),
    to: of('to'),
    segment: of('segment'),
    wire: of('wire'),
    uplink: of('uplink'),
    cos,
  };
}

/** Hands a frame of the agent's to a port: past its policy, tagged and counted as any other. */
export const handTo = ({ slot }: CompiledBinding, { segment }: Pick<Told, 'segment'>): Action[] => [
  meter(portMeter(slot, 'offeredOut')),
  set(REG.to, slot),
  set(REG.segment, segment),
  resubmit(TABLES.OUTPUT),
];

/** Forwards a frame of the agent's as one that the port sent and its policy let pass. */
export const sendAs = ({ speaks }: CompiledBinding, { segment }: Pick<Told, 'segment'>): Action[] => [
  ...speaks.actions,
  set(REG.segment, segment),
  resubmit(TABLES.FORWARD),
];
