import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sseEvents, type SseEvent } from './sse.js';

async function read(chunks: readonly Uint8Array[]): Promise<SseEvent[]> {
  const all: SseEvent[] = [];

  const body = async function* () {
    yield* chunks;
  };
  for await (const e of sseEvents(body())) all.push(e);
  return all;
}

const TEXT =
  ': hi\n\nid: 7\nevent: event\ndata: {"ä":1}\n\ndata: a\r\ndata: b\r\n\r\nid: 9\rdata:c\r\rdata: never ended';
const EXPECTED = [
  { id: '7', event: 'event', data: '{"ä":1}' },
  { id: '7', event: 'message', data: 'a\nb' },
  { id: '9', event: 'message', data: 'c' },
];

describe('server-sent events', () => {
  it('are read the same however they are cut', async () => {
    const bytes = Buffer.from(TEXT);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 12 }), async (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
        expect(await read(chunks)).toEqual(EXPECTED);
      }),
    );
  });
});
