import { describe, expect, it } from '@jest/globals';
import { exceptions } from './sections.js';
import { PLAIN } from './style.js';

const of = (n: number, code: string) =>
  Array.from({ length: n }, (_, i) => ({
    code,
    object: `port/p${i}`,
    host: 'delta',
    reason: 'no room',
  })) as never[];

describe('what is not carried out', () => {
  it('shows hundreds of one kind by a few of them, and hides none of another', () => {
    const text = exceptions([...of(300, 'segment-full'), ...of(1, 'no-uplink')], PLAIN);
    expect(text.match(/port\/p\d+/g)).toHaveLength(6);
    expect(text).toContain('segment-full and 295 more of the same');
    expect(text).toContain('no-uplink port/p0 on delta: no room');
  });
});
