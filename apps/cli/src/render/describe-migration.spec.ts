import { describe, expect, it } from '@jest/globals';
import { migration } from '../testing/answers.fixture.js';
import { describeMigration } from './describe-migration.js';
import { COLOUR, PLAIN } from './style.js';

describe('the policy that a guest brought along', () => {
  const whole = migration('completed', 5);
  const brought = (realised: number | null, carried: number | null, style = PLAIN): string | undefined => {
    const handover = whole.handover.map((h) => ({ ...h, realised, carried }));
    const text = describeMigration({ ...whole, handover }, style, Date.now());
    return text.split('\n').find((line) => line.includes('PortData'));
  };

  it('is told where it brought any', () => {
    expect(brought(14, null)).toBeUndefined();
    expect(brought(14, 13)).toMatch(/brought +policy of revision 13, by the guest \(PortData\)$/);
    expect(brought(null, 13)).toMatch(/\(PortData\)$/);
  });

  it('says where the destination was behind', () => {
    expect(brought(14, 15)).toMatch(/revision 15, by the guest \(PortData\): bravo was behind$/);
    const mark = COLOUR.bad('').slice(0, 5);
    expect(brought(14, 15, COLOUR)).toContain(mark);
    expect(brought(14, 14, COLOUR)).not.toContain(mark);
  });
});
