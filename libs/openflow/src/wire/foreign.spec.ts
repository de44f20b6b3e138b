import { describe, expect, it } from '@jest/globals';
import { unwrap } from '#kernel';
import { type OfMessage } from './messages.js';
import { Writer } from './bytes.js';
import { decode } from './decode.js';
import { encode } from './encode.js';
import { flowKey } from '../identity.js';

/** A multipart reply with a body made by hand: what others may write and we never do. */
function reply(type: number, body: (w: Writer) => void): OfMessage {
  const w = new Writer();
  w.u8(6).u8(19).u16(0).u32(1).u16(type).u16(0).u32(0);
  body(w);
  w.patch16(2, w.position);
  return unwrap(decode(w.take())).message;
}

describe('what others put on the switch', () => {
  it('is a meter that is not one drop band: known, but opaque', () => {
    const two = (w: Writer) => w.u16(1).u16(16).u32(5).u32(0).u32(0).u16(1).u16(16).u32(9).u32(0).u32(0);
    const message = reply(10, (w) => two(w.u16(40).u16(1).u32(7)));
    expect(message).toMatchObject({ meters: [{ id: 7, rate: 0, opaque: '2 bands of types 1 1' }] });
  });

  it('is a group with an action of its own: known, but opaque', () => {
    const message = reply(7, (w) => {
      w.u16(32).u8(0).u8(0).u32(3).u16(16).zeros(6);
      w.u16(16).u16(8).u32(0).u16(26).u16(8).u32(0);
    });
    expect(message).toMatchObject({
      groups: [{ id: 3, buckets: [], opaque: 'action 26 is not in the model' }],
    });
  });

  it('is a message type that nobody asked for: unknown, and the connection lives', () => {
    const frame = encode({ kind: 'unknown', type: 30, body: new Uint8Array(16) }, 3);
    expect(unwrap(decode(frame))).toMatchObject({ xid: 3, message: { kind: 'unknown', type: 30 } });
  });

  it('is registers matched in pairs, as a 1.5 connection tells them', () => {
    const message = reply(1, (w) => {
      w.u16(24 + 24 + 8)
        .u16(0)
        .u8(7)
        .u8(0)
        .u16(9)
        .zeros(8)
        .u64(1n);
      w.u16(1)
        .u16(24)
        .u16(0x8001)
        .u8((5 << 1) | 1)
        .u8(16);
      w.u32(1).u32(0).u32(1).u32(0xffffffff).u16(0).u16(4).u32(0);
    });
    if (message.kind !== 'flow-stats-reply') throw new Error(message.kind);
    const match = { reg10: { value: 1n, mask: 1n }, reg11: { value: 0n } };
    expect(message.flows.map((s) => flowKey(s.flow))).toEqual([flowKey({ table: 7, priority: 9, match })]);
  });

  it('is nested too deep to follow: opaque, not a crash', () => {
    const w = new Writer();
    const depth = 3000;
    for (let left = depth; left > 0; left -= 1) {
      w.u16(0xffff)
        .u16(left * 16)
        .u32(0x2320)
        .u16(42)
        .zeros(6);
    }
    const message = reply(1, (r) => {
      r.u16(24 + 8 + 8 + 8 + w.position)
        .u16(0)
        .u8(1)
        .u8(0)
        .u16(1)
        .zeros(8)
        .u64(1n);
      r.u16(1).u16(4).u32(0).u16(0).u16(4).u32(0);
      r.u16(4)
        .u16(8 + w.position)
        .u32(0)
        .raw(w.take());
    });
    expect(message).toMatchObject({
      flows: [{ flow: { actions: [], opaque: 'actions nested deeper than 16' } }],
    });
  });
});
