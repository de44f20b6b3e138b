import { type MutantName } from './mutants.js';

/**
 * The seed that finds each planted fault. A change elsewhere moves what seeds tell; then new ones are found by
 * `npm run simulate -- --mutant all --find`.
 */
export const NAMED_SEEDS: Readonly<Record<MutantName, number>> = {
  'no fence': 36,
  'stale leader appends': 3,
  'double count': 1,
  'early activation': 1,
  'lost close': 1,
  'ack before effective': 2,
  'forgotten mark gap': 1,
  'command done twice after the dedupe window': 1,
  'command done twice': 17,
  'timer of an earlier episode': 1,
  'undo that rolls back a fact': 90,
  'facts overtake': 18,
};

/** Things that happen in a story that must find one. */
export const MUTANT_ACTIONS = 24;
