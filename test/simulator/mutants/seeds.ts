import { type MutantName } from './mutants.js';

/**
 * Seeds that find each planted fault; one is enough, the others are for when a change elsewhere has moved what that one
 * tells. When none does any more, new ones are found by `npm run simulate -- --mutant NAME --find`.
 */
export const NAMED_SEEDS: Readonly<Record<MutantName, readonly number[]>> = {
  'no fence': [4, 21, 28],
  'stale leader appends': [3, 14, 17],
  'double count': [1, 2, 3],
  'early activation': [1, 2, 5],
  'lost close': [1, 2, 3],
  'ack before effective': [7, 8, 11],
  'forgotten mark gap': [1, 3, 6],
  'recent writes forgotten': [2, 3, 4],
  'note that forgets': [3, 4, 5],
  'command done twice after the dedupe window': [1, 2, 3],
  'command done twice': [1, 7, 14],
  'timer of an earlier episode': [1, 2, 3],
  'undo that rolls back a fact': [69, 80, 100],
  'facts overtake': [625, 690, 743],
  'RARP without token': [1, 2, 10],
  'trap not armed': [1, 3, 5],
  'abort after activation not undone': [31, 115, 117],
  'word of an earlier move': [174, 179, 197],
  'journal forgotten': [3, 21, 30],
  'switched before it was ready': [21, 26, 35],
  'takeover before the lease ran out': [4, 12, 15],
  'lease renewed without a grant': [1, 2, 4],
  'host that came back not fenced': [35, 72, 87],
};

/** Things that happen in a story that must find one. */
export const MUTANT_ACTIONS = 24;

export const SEEDS_EACH = 3;
