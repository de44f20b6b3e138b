import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unwrap } from '#kernel';
import { encode } from './encode.js';
import { Framer } from './framer.js';

const join = (parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((p) => [...p]));

describe('the framer', () => {
  it('gives the same messages however the stream is cut', () => {
    const message = fc
      .uint8Array({ maxLength: 60 })
      .map((data, xid = 1) => encode({ kind: 'echo-request', data }, xid));
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 6 }),
        fc.array(fc.nat(400), { maxLength: 12 }),
        (messages, cuts) => {
          const stream = join(messages);
          const places = [...new Set([0, ...cuts.filter((c) => c < stream.length), stream.length])].sort(
            (a, b) => a - b,
          );
          const framer = new Framer();
          const got = places
            .slice(1)
            .flatMap((end, i) => unwrap(framer.push(stream.subarray(places[i], end))));
          expect(got).toEqual(messages);
          expect(framer.pending).toBe(0);
        },
      ),
    );
  });

  it('refuses a length under that of a header, after what came before it, and stays refused', () => {
    const framer = new Framer();
    const good = encode({ kind: 'barrier-request' }, 1);
    expect(unwrap(framer.push(join([good, new Uint8Array([6, 0, 0, 7, 0, 0, 0, 1])])))).toEqual([good]);
    expect(framer.push(good)).toMatchObject({
      ok: false,
      error: { details: [{ field: 'openflow.length' }] },
    });
    expect(framer.pending).toBe(0);
  });

  it('gives copies, not views of the receive buffer', () => {
    const buffer = encode({ kind: 'barrier-request' }, 1);
    const [frame] = unwrap(new Framer().push(buffer));
    buffer.fill(0);
    expect(frame?.[0]).toBe(6);
  });
});
