import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JsonStream } from './json-stream.js';

const object = fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<Record<string, unknown>>;
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...new Set(at.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...ends].map((start, index) => bytes.subarray(start, ends[index] ?? bytes.length));
}

describe('JsonStream', () => {
  it('finds every object, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(object, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        fc.constantFrom('', '\n', ' \r\n\t'),
        (objects, at, between) => {
          const bytes = Buffer.from(objects.map((o) => JSON.stringify(o)).join(between));
          const stream = new JsonStream();
          const found = cut(bytes, at).flatMap((chunk) => {
            const result = stream.push(chunk);
            if (!result.ok) throw new Error(result.error.message);
            return result.value;
          });
          expect(found).toEqual(objects.map(plain));
        },
      ),
    );
  });

  it('never throws, whatever comes', () => {
    const soup = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string().map((text) => Buffer.from(text)),
      fc
        .array(fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', '1', 'a'), { maxLength: 60 })
        .map((parts) => Buffer.from(`{${parts.join('')}`)),
    );
    fc.assert(
      fc.property(fc.array(soup, { maxLength: 5 }), (chunks) => {
        const stream = new JsonStream({ maxBytes: 100, maxDepth: 8 });
        for (const chunk of chunks) {
          const result = stream.push(Buffer.from(chunk));
          if (!result.ok) return result.error.code === 'invalid';
        }
        return true;
      }),
    );
  });

  it.each([
    ['a byte outside any object', 'null', /byte 0x6e/],
    ['a list', '[1]', /byte 0x5b/],
    ['malformed JSON', '{"a":}', /malformed JSON/],
    ['mismatched brackets', '{"a":[}', /malformed JSON|never/],
    ['too deep a nest', '{"a":[[[[[[[[[', /nests deeper than 8/],
    ['too long an object', `{"a":"${'x'.repeat(120)}"}`, /exceeds 100 bytes/],
    ['too long an object that never ends', `{"a":"${'x'.repeat(120)}`, /exceeds 100 bytes/],
  ])('refuses %s', (_what, text, reason) => {
    const stream = new JsonStream({ maxBytes: 100, maxDepth: 8 });
    const first = stream.push(Buffer.from(text));
    const result = first.ok ? stream.push(Buffer.from('}}')) : first;
    expect(result).toMatchObject({ ok: false, error: { message: expect.stringMatching(reason) } });
  });
});
