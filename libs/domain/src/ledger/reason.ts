import { type Problem } from '#kernel';
import { refusal, refuse } from '../decider/refusal.js';

export const LONGEST_REASON = 500;

/** Why counters are treated as they are must be said. */
export function badReason(reason: string): Problem | null {
  if (reason !== '' && reason.length <= LONGEST_REASON) return null;
  const expected = `1 to ${LONGEST_REASON} characters`;
  return refuse('invalid', refusal('reason', 'reason', reason, 'is missing or too long', expected));
}
