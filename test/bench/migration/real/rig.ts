import { type Mover } from './trial.js';

/** Hosts of one side with a real guest, and the ways to move it. */
export interface Rig {
  readonly name: 'ours' | 'OVN';
  readonly ways: readonly Mover[];
}

export interface OurRig extends Rig {
  readonly name: 'ours';
  /** What the ledger counts less than the guest has sent. */
  ledgerError(): Promise<number>;
  /** Packets from it that the switch of its host did not read. */
  lost(): Promise<number>;
  /** Of each move: for how long the guest stood still as its hypervisor told it, ms; null: it did not. */
  pauses(): Promise<readonly (number | null)[]>;
}
