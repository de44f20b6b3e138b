import { type Random } from '../engine/random.js';
import { GROUPS } from './settings.js';

/** What becomes of a group's ports when their host is lost; of some stories only. */
export interface OnLoss {
  readonly partitionPolicy: 'keep' | 'isolate';
  readonly startOffline: boolean;
}

/** In stories in which some groups isolate. */
export function lossPolicies(dice: Random, chance = 0.3): ReadonlyMap<string, OnLoss> {
  if (!dice.chance(chance)) return new Map();
  return new Map(
    GROUPS.map((name) => {
      const partitionPolicy = dice.chance(0.6) ? 'isolate' : 'keep';
      return [name, { partitionPolicy, startOffline: partitionPolicy === 'isolate' && dice.chance(0.5) }];
    }),
  );
}
