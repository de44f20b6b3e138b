import { describe, expect, it } from '@jest/globals';
import { encodeNotice } from '#compiler';
import { packetIns } from './packet-ins.js';

const event = (userdata: Uint8Array) =>
  ({
    kind: 'packet-in',
    bridge: 'br',
    table: 0,
    cookie: 0n,
    metadata: {},
    userdata,
    frame: new Uint8Array([7]),
  }) as const;

describe('frames that the switch hands over', () => {
  const taken: string[] = [];
  const refused: unknown[] = [];
  const give = packetIns(
    [
      { probe: ({ notice, bridge }) => taken.push(`probe ${notice.slot} ${bridge}`) },
      { neighbour: ({ frame }) => taken.push(`neighbour ${frame[0]}`) },
    ],
    { warn: (fields) => refused.push(fields) },
  );

  it('go to who takes their kind', () => {
    give(event(encodeNotice({ kind: 'neighbour', slot: 1, epoch: 0 })));
    give(event(encodeNotice({ kind: 'probe', slot: 2, epoch: 0 })));
    expect(taken).toEqual(['neighbour 7', 'probe 2 br']);
    expect(refused).toEqual([]);
  });

  it('are logged where nobody does, or nobody knows what they are', () => {
    give(event(encodeNotice({ kind: 'beacon', slot: 1, epoch: 0 })));
    give(event(new Uint8Array(3)));
    expect(refused).toEqual([
      { problem: 'nobody takes frames of kind beacon' },
      { problem: expect.stringContaining('is not a notice') },
    ]);
  });
});
