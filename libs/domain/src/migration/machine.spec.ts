import { describe, expect, it } from '@jest/globals';
import { INPUTS, PROPOSALS, reactionTo, TABLE } from './machine.js';
import { hasEnded, PHASE_DURATIONS } from './phases.js';

const phases = Object.keys(TABLE) as (keyof typeof TABLE)[];

describe('the migration table', () => {
  it('has an outcome for every phase, input and origin', () => {
    for (const phase of phases) {
      for (const input of INPUTS) {
        for (const origin of ['operator', 'observed'] as const) {
          expect(reactionTo({ phase, origin }, input)).toHaveProperty('do');
        }
      }
    }
  });

  it('moves nothing that has ended', () => {
    for (const phase of phases.filter(hasEnded)) {
      expect(PROPOSALS[phase]).toEqual([]);
      for (const input of INPUTS) {
        expect(['refuse', 'stay']).toContain(reactionTo({ phase, origin: 'operator' }, input).do);
      }
    }
  });

  it('can time out exactly where there is a deadline', () => {
    for (const phase of phases) {
      const { do: what } = reactionTo({ phase, origin: 'operator' }, 'timeout');
      expect(what !== 'refuse').toBe(PHASE_DURATIONS[phase] !== null);
    }
  });

  it('lets every phase that has not ended reach an end', () => {
    for (const origin of ['operator', 'observed'] as const) {
      for (const phase of phases.filter((p) => !hasEnded(p))) {
        const ends = INPUTS.map((i) => reactionTo({ phase, origin }, i)).some(
          (r) =>
            r.do === 'back' ||
            r.do === 'late' ||
            r.do === 'activate' ||
            (r.do === 'go' && r.to === 'completed'),
        );
        expect(ends).toBe(true);
      }
    }
  });
});
