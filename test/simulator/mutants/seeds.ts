import { type MutantName } from './mutants.js';

/**
 * Seeds that find each planted fault; one is enough, the others are for when a change elsewhere has moved what that one
 * tells. When none does any more, new ones are found by `npm run simulate -- --mutant NAME --find`.
 */
export const NAMED_SEEDS: Readonly<Record<MutantName, readonly number[]>> = {
  'no fence': [41, 42, 55],
  'stale leader appends': [4, 6, 7],
  'double count': [1, 2, 3],
  'early activation': [2, 6, 8],
  'lost close': [1, 2, 5],
  'ack before effective': [1, 7, 8],
  'forgotten mark gap': [1, 3, 5],
  'command done twice after the dedupe window': [1, 2, 3],
  'command done twice': [9, 84, 91],
  'timer of an earlier episode': [1, 2, 4],
  'undo that rolls back a fact': [8, 10, 11],
  'facts overtake': [61, 118, 179],
};

/** Things that happen in a story that must find one. */
export const MUTANT_ACTIONS = 24;

export const SEEDS_EACH = 3;
