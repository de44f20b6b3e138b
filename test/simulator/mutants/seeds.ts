import { type MutantName } from './mutants.js';

/**
 * Seeds that find each planted fault; one is enough, the others are for when a change elsewhere has moved what that one
 * tells. When none does any more, new ones are found by `npm run simulate -- --mutant NAME --find`.
 */
export const NAMED_SEEDS: Readonly<Record<MutantName, readonly number[]>> = {
  'no fence': [7, 9, 13],
  'stale leader appends': [3, 13, 27],
  'double count': [2, 3, 4],
  'early activation': [1, 2, 3],
  'lost close': [1, 2, 5],
  'ack before effective': [7, 8, 10],
  'forgotten mark gap': [1, 3, 5],
  'command done twice after the dedupe window': [1, 2, 7],
  'command done twice': [1, 18, 23],
  'timer of an earlier episode': [1, 2, 3],
  'undo that rolls back a fact': [2, 5, 14],
  'facts overtake': [79, 222],
  'RARP without token': [2, 5, 7],
  'trap not armed': [1, 2, 3],
  'abort after activation not undone': [2, 5, 14],
  'word of an earlier move': [36, 88, 99],
  'journal forgotten': [16, 25, 29],
  'switched before it was ready': [2, 14, 25],
};

/** Things that happen in a story that must find one. */
export const MUTANT_ACTIONS = 24;

export const SEEDS_EACH = 3;
