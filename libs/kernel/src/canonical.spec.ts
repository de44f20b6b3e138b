import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, equalJson } from './canonical.js';

/** The definition, as plainly as it can be said. */
const plain = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map((v) => plain(v ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, v]) => `${JSON.stringify(k)}:${plain(v)}`)
    .join(',')}}`;
};

describe('canonicalJson', () => {
  it('is what the definition says, for any JSON value', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => canonicalJson(value) === plain(value)));
  });

  it('sorts many keys as it sorts few', () => {
    const entries = Array.from({ length: 100 }, (_, i) => [`k${(i * 37) % 100}`, i] as const);
    expect(canonicalJson(Object.fromEntries(entries))).toBe(plain(Object.fromEntries(entries)));
  });

  it('does not depend on the order of keys, and reads back to an equal value', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (record) => {
        const reversed = Object.fromEntries(Object.entries(record).reverse());
        return (
          canonicalJson(record) === canonicalJson(reversed) &&
          equalJson(JSON.parse(canonicalJson(record)), record)
        );
      }),
    );
  });

  it('escapes what JSON escapes, half surrogates too', () => {
    for (const text of ['"', '\\', '\n', '\u0000', '\u2028', 'é', '\ud800', '\u007f']) {
      expect(canonicalJson(text)).toBe(JSON.stringify(text));
    }
  });

  it('leaves out what is undefined and refuses what JSON can not hold', () => {
    expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}');
    for (const value of [NaN, Infinity, 1n, Symbol('x'), () => 1]) {
      expect(() => canonicalJson({ value })).toThrow(TypeError);
    }
  });

  it('calls two values equal exactly when their texts are', () => {
    // Few keys and leaves, so that equal pairs are met.
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(0, -0, 1, '', 'a', true, null),
        tie('list'),
        tie('map'),
      ),
      list: fc.array(tie('value'), { maxLength: 2 }),
      map: fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), fc.option(tie('value'), { nil: undefined })),
    }));
    fc.assert(
      fc.property(value, value, (a, b) => equalJson(a, b) === (canonicalJson(a) === canonicalJson(b))),
      { numRuns: 1000 },
    );
  });
});
