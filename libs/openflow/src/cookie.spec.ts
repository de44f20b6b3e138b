import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  inRound,
  isLearned,
  isOurs,
  LEARNED_OWNER,
  makeCookie,
  OWNER,
  parseCookie,
  sameMeaning,
} from './cookie.js';

describe('the cookie', () => {
  it('keeps its parts', () => {
    const parts = fc.record({
      owner: fc.constantFrom(OWNER, LEARNED_OWNER, 0, 0xffff),
      round: fc.nat(0xffff),
      feature: fc.nat(0xff),
      object: fc.nat(0xffffff),
    });
    fc.assert(
      fc.property(parts, fc.nat(0xffff), (p, round) => {
        const cookie = makeCookie(p);
        expect(parseCookie(cookie)).toEqual(p);
        expect(isOurs(cookie)).toBe(p.owner === OWNER);
        expect(isLearned(cookie)).toBe(p.owner === LEARNED_OWNER);
        expect(sameMeaning(cookie, inRound(cookie, round))).toBe(true);
        expect(parseCookie(inRound(cookie, round)).round).toBe(round);
        expect(sameMeaning(cookie, cookie ^ 1n)).toBe(false);
      }),
    );
  });

  it('lies out as said', () => {
    expect(makeCookie({ round: 0x1234, feature: 0x56, object: 0x789abc })).toBe(0x5e70_1234_5678_9abcn);
  });

  it('refuses a part that would spill into another', () => {
    expect(() => makeCookie({ feature: 256, object: 0 })).toThrow(RangeError);
    expect(() => makeCookie({ feature: 0, object: 0x1000000 })).toThrow(RangeError);
  });
});
