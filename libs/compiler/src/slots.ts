import { type Epoch, type PortId } from '#kernel';

/** Meter ids are slot × 16 + k and the switch takes 262,144 of them. */
export const MAX_SLOT = 16_000;

export const slotKey = (port: PortId, epoch: Epoch): string => `${port}@${epoch}`;

/**
 * Slots for the wanted bindings: those that have one keep it, the others get the lowest free, in the order of their
 * keys; bindings that are no longer wanted lose theirs. A binding beyond MAX_SLOT gets none. `avoid` holds slots
 * that the switch may still know from before (learned rows not yet swept).
 */
export function allotSlots(
  existing: Readonly<Record<string, number>>,
  wanted: readonly string[],
  avoid: ReadonlySet<number> = new Set(),
): Record<string, number> {
  const slots: Record<string, number> = {};
  const taken = new Set<number>();
  const keys = [...new Set(wanted)].sort();
  for (const key of keys) {
    const slot = existing[key];
    if (slot === undefined || !Number.isInteger(slot) || slot < 1 || slot > MAX_SLOT || taken.has(slot))
      continue;
    slots[key] = slot;
    taken.add(slot);
  }
  let next = 1;
  for (const key of keys) {
    if (slots[key] !== undefined) continue;
    while (taken.has(next) || avoid.has(next)) next += 1;
    if (next > MAX_SLOT) break;
    slots[key] = next;
    taken.add(next);
  }
  return slots;
}
