import { meterSlot, REG, TABLES } from '#compiler';
import { isLearned, type Flow, type Observation } from '#openflow';

/** A row that the switch wrote itself: the binding of this slot opened here (`active`) or was turned away. */
export interface LearnedRow {
  readonly slot: number;
  readonly active: boolean;
}

/** What a learned row of the activity table says; null for any other flow. */
export function learnedRow(flow: Flow): LearnedRow | null {
  if (flow.table !== TABLES.ACTIVITY || !isLearned(flow.cookie)) return null;
  const slot = flow.match[REG.lookup]?.value;
  const bit = flow.actions.find((a) => a.kind === 'set-field' && a.field === REG.active);
  if (slot === undefined || bit === undefined || bit.kind !== 'set-field') return null;
  return { slot: Number(slot), active: (bit.value & 1n) === 1n };
}

/** Every learned row that stands on the host's bridges. */
export function learnedRows(have: Observation): readonly LearnedRow[] {
  return have.bridges.flatMap((b) => b.flows.flatMap((f) => learnedRow(f.flow) ?? []));
}

/**
 * Slots that something on the switch still stands for: their meters go on counting, their rows still decide. One
 * that is given to another binding too early would hand it the counts of the one before.
 */
export function standingSlots(have: Observation): ReadonlySet<number> {
  const slots = new Set(learnedRows(have).map((row) => row.slot));
  for (const bridge of have.bridges) for (const meter of bridge.meters) slots.add(meterSlot(meter.id));
  return slots;
}
