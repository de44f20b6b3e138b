import { type BridgePort, type ObservedInterface } from './dataplane.js';
import { type Flow, type Group, type Meter } from './model.js';
import { type BridgeExports, type WantedRow } from './rows.js';

/**
 * Desired and actual as a Venn diagram:
 *
 *        want                have
 *      ┌───────────┬─────────────┬───────────────────────┐
 *      │   add     │ same: send  │  ours      → remove   │
 *      │           │   nothing   │  by hand   → remove   │ (cookie 0)
 *      │           │ differs:    │  learned   → leave    │ (unless retired)
 *      │           │   change    │  others'   → leave    │ (unless told otherwise)
 *      └───────────┴─────────────┴───────────────────────┘
 *
 * What stands in the middle is changed whoever wrote it: another's flow in the place of ours is drift.
 */
export interface Delta<T> {
  readonly add: readonly T[];
  readonly change: readonly { readonly want: T; readonly have: T }[];
  readonly remove: readonly T[];
}

export interface PortPlan {
  readonly add: readonly BridgePort[];
  /** All our marks of a port as they shall be; other keys are not touched. */
  readonly mark: readonly { readonly port: string; readonly marks: Readonly<Record<string, string>> }[];
  /** Settings that somebody changed by hand, as they were. */
  readonly set: readonly ({ readonly port: string } & WantedRow)[];
  /** Ports that someone else plugged and that we have no say in any more: only our marks go. */
  readonly unmark: readonly string[];
  /** Ports that we plugged. */
  readonly remove: readonly string[];
}

export interface BridgePlan {
  readonly bridge: string;
  readonly switch: string;
  readonly mtu: number;
  readonly row: 'add' | 'set' | 'keep';
  readonly ports: PortPlan;
  /** Set where they differ. */
  readonly exports?: BridgeExports;
  readonly meters: Delta<Meter>;
  readonly groups: Delta<Group>;
  readonly flows: Delta<Flow>;
  /** Flows of others on this bridge that are left alone. */
  readonly foreign: readonly Flow[];
  /** Some frame that passes now may have to stop passing: the change is only done when it is effective. */
  readonly tightens: boolean;
}

/** What can't be done, and why; the rest is done. */
export interface PlanException {
  readonly bridge: string;
  readonly port?: string;
  readonly reason: string;
}

export interface Plan {
  readonly bridges: readonly BridgePlan[];
  /** Our bridges that nobody wants any more. */
  readonly removeBridges: readonly string[];
  /** Ports that we plugged into one bridge and that belong into another: out of the old one first. */
  readonly moves: readonly { readonly bridge: string; readonly port: string }[];
  readonly exceptions: readonly PlanException[];
}

/** Bridge.external_ids: the name of the switch that the bridge is the local part of. Only a bridge with it is ours. */
export const SWITCH_MARK = 'portolan-switch';
/** Port.external_ids: set to `agent` on rows that we made; only such rows are ever deleted. */
export const PLUGGED_MARK = 'portolan-plugged';

/** The port that an interface is of. */
export const portName = (row: ObservedInterface): string => row.port ?? row.name;

/** The marks of a port as they stand on its row. */
export const rowMarks = (port: BridgePort): Readonly<Record<string, string>> =>
  port.plugged === 'agent' ? { ...port.marks, [PLUGGED_MARK]: 'agent' } : port.marks;

export function sameMarks(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

export const isEmptyDelta = (delta: Delta<unknown>): boolean =>
  delta.add.length === 0 && delta.change.length === 0 && delta.remove.length === 0;
