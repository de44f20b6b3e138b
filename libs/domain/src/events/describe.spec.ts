import { describe, expect, it } from '@jest/globals';
import { type HostName } from '#kernel';
import { describeEvent } from './describe.js';

const difference = (field: string, found = 'none') => ({ field, expected: 'a flow', found });

describe('what is said of drift', () => {
  it.each([
    [[difference('flow 1')], '1 difference,'],
    [[difference('flow 1'), difference('flow 2'), difference('times', '3')], '2 differences,'],
    [
      [difference('flow 1'), difference('further differences', '6478'), difference('times', '2')],
      '6479 differences,',
    ],
  ])('counts all of it: %j', (differences, said) => {
    const drift = { type: 'DriftObserved', host: 'h1' as HostName, object: 'bridge/b' } as const;
    expect(describeEvent({ ...drift, differences, repaired: true, durationMs: 5 })).toContain(said);
  });
});
