import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from '#kernel';
import { sha256, sha256Hasher } from './jetstream/hash.js';
import { slicesOf, StateReader, type SliceLine } from './snapshot-slices.js';

const utf8 = new TextEncoder();
const digestOf = (value: unknown): string => sha256(utf8.encode(canonicalJson(value)));

function write(value: unknown): { lines: string[]; digest: string } {
  const hash = sha256Hasher();
  const lines = [...slicesOf(value, hash)];
  return { lines, digest: hash.digest() };
}

function read(lines: readonly string[]): { json: unknown; digest: string } {
  const reader = new StateReader(sha256Hasher());
  for (const line of lines) reader.take(JSON.parse(line) as SliceLine, line);
  return reader.end();
}

describe('a state in slices', () => {
  it('has the digest of the whole, and comes back as it was', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.array(fc.jsonValue()))), (value) => {
        const json = JSON.parse(JSON.stringify(value)) as unknown;
        const { lines, digest } = write(json);
        expect(digest).toBe(digestOf(json));
        const back = read(lines);
        expect(back.digest).toBe(digest);
        expect(canonicalJson(back.json)).toBe(canonicalJson(json));
      }),
      { numRuns: 300 },
    );
  });

  it('cuts long lists, at their elements', () => {
    const long = {
      items: Array.from({ length: 50 }, (_, i) => ({ i, text: 'x'.repeat(10_000) })),
      none: [],
      n: 1,
    };
    const { lines, digest } = write(long);
    expect(lines.length).toBeGreaterThan(3);
    expect(Math.max(...lines.map((l) => l.length))).toBeLessThan(250_000);
    expect(digest).toBe(digestOf(long));
    expect(read(lines)).toEqual({ json: long, digest });
  });
});
