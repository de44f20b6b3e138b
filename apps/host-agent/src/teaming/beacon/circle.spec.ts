import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BEACON_FIGURES, Circle } from './circle.js';
import { verdicts, worst } from './hearing.js';

const uplinks = (count: number) => Array.from({ length: count }, (_, i) => ({ key: i + 1 }) as never);
type Pair = readonly [from: number, by: number];
const both = (...pairs: readonly Pair[]): Pair[] =>
  pairs.flatMap(([a, b]): Pair[] => [
    [a, b],
    [b, a],
  ]);
const ALL3 = both([1, 2], [1, 3], [2, 3]);

/** Rounds of a circle in one VLAN; who is alone after each. */
function rounds(count: number, each: readonly (readonly Pair[])[], noise: readonly number[] = []): string[] {
  const circle = new Circle('lan', BEACON_FIGURES);
  let alone: ReadonlySet<number> = new Set();
  return each.map((heard, i) => {
    for (const [from, by] of heard) circle.hear({ from, vlan: 7, round: i }, by);
    for (let n = 0; n < (noise[i] ?? 0); n += 1) circle.noise();
    const judged = circle.judge(uplinks(count), [7], alone);
    if ('alone' in judged) alone = judged.alone;
    return [...alone].sort().join();
  });
}

describe('an uplink that has a link', () => {
  const mute3 = both([1, 2]);

  it('leads nowhere when for three rounds it heard nobody and nobody heard it, and others did', () => {
    expect(rounds(3, [ALL3, mute3, mute3, mute3, ALL3, ALL3, ALL3])).toEqual(['', '', '', '3', '3', '3', '']);
  });

  it('leads nowhere, too, where only one direction is lost', () => {
    const deaf: Pair[] = [...mute3, [3, 1], [3, 2]];
    expect(rounds(3, [deaf, deaf, deaf])).toEqual(['', '', '3']);
  });

  it('is left where it is while beacons are lost now and then', () => {
    expect(rounds(3, [mute3, mute3, ALL3, mute3, mute3, ALL3])).toEqual(Array(6).fill(''));
  });

  it('can’t be judged where nobody hears anybody: of two, either may be the one that is well', () => {
    expect(rounds(2, [[], [], [], []])).toEqual(['', '', '', '']);
    expect(rounds(3, [mute3, mute3, mute3, [], [], []]).at(-1)).toBe('3');
    expect(verdicts([1, 2], () => false).get(1)).toBe('unknown');
  });

  it('is not judged by a round that others filled', () => {
    const noise = [0, 0, BEACON_FIGURES.noise + 1, 0];
    expect(rounds(3, [mute3, mute3, mute3, mute3], noise)).toEqual(['', '', '', '3']);
    // The same said again and again is noise, too.
    const again = Array<Pair>(BEACON_FIGURES.noise + 2).fill([1, 2]);
    expect(rounds(3, [[...mute3, ...again]].concat([mute3, mute3]))).toEqual(['', '', '']);
  });

  it('has to lead somewhere in each VLAN', () => {
    expect(worst(['heard', 'alone', 'unknown'])).toBe('alone');
    expect(worst(['heard', 'unknown'])).toBe('unknown');
    expect(worst(['heard', 'heard'])).toBe('heard');
  });

  it('leads nowhere only if two others hear each other, whoever hears whom', () => {
    const pair = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }));
    fc.assert(
      fc.property(fc.array(pair), (heard) => {
        const hears = (a: number, b: number) => heard.some(([from, by]) => from === a && by === b);
        const said = verdicts([1, 2, 3, 4, 5, 6], hears);
        const well = [...said].filter(([, verdict]) => verdict === 'heard').map(([key]) => key);
        expect(well.length).not.toBe(1);
        if ([...said.values()].includes('alone')) expect(well.length).toBeGreaterThanOrEqual(2);
      }),
    );
  });
});
