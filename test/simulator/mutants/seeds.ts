import { type MutantName } from './mutants.js';

/**
 * Seeds that find each planted fault; one is enough, the others are for when a change elsewhere has moved what that one
 * tells. When none does any more, new ones are found by `npm run simulate -- --mutant NAME --find`.
 */
export const NAMED_SEEDS: Readonly<Record<MutantName, readonly number[]>> = {
  'no fence': [9, 12, 55],
  'stale leader appends': [5, 10, 23],
  'double count': [1, 2, 3],
  'early activation': [1, 6, 8],
  'lost close': [5, 6, 8],
  'ack before effective': [3, 7, 8],
  'forgotten mark gap': [1, 2, 7],
  'command done twice after the dedupe window': [3, 4, 8],
  'command done twice': [18, 25, 32],
  'timer of an earlier episode': [1, 2, 3],
  'undo that rolls back a fact': [3, 6, 10],
  'facts overtake': [96, 212],
};

/** Things that happen in a story that must find one. */
export const MUTANT_ACTIONS = 24;

export const SEEDS_EACH = 3;
