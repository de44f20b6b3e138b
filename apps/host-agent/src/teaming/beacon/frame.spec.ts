import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { beaconFrame, readBeacon, type Beacon } from './frame.js';

const SECRET = new Uint8Array(32).fill(7);
const MAC = 0x0200_0000_0001n;
const beacon = fc.record({
  from: fc.integer({ min: 1, max: 64 }),
  vlan: fc.integer({ min: 0, max: 4_094 }),
  round: fc.integer({ min: 1, max: 2 ** 48 - 1 }),
});
/** As the switch hands it over: it takes the tag off. */
const handed = (said: Beacon, on = 'lan', secret = SECRET): Uint8Array => {
  const frame = beaconFrame(said, MAC, on, secret);
  return said.vlan === 0 ? frame : new Uint8Array([...frame.subarray(0, 12), ...frame.subarray(16)]);
};

describe('beacons', () => {
  it('say what was said, in one VLAN, with room for the smallest frame there is', () => {
    fc.assert(
      fc.property(beacon, (said) => {
        expect(readBeacon(handed(said), 'lan', SECRET)).toEqual(said);
        expect(handed(said)).toHaveLength(60);
      }),
    );
  });

  it('are believed of nobody who does not know the secret, nor of another switch, nor changed', () => {
    fc.assert(
      fc.property(beacon, fc.nat({ max: 25 }), fc.integer({ min: 1, max: 255 }), (said, at, flip) => {
        const frame = handed(said);
        expect(readBeacon(frame, 'wan', SECRET)).toBeNull();
        expect(readBeacon(frame, 'lan', new Uint8Array(32))).toBeNull();
        frame[14 + at] = (frame[14 + at] ?? 0) ^ flip;
        expect(readBeacon(frame, 'lan', SECRET)).toBeNull();
      }),
    );
  });

  it('are nothing that is cut short or something else', () => {
    const whole = handed({ from: 1, vlan: 0, round: 1 });
    for (let length = 0; length < 40; length += 1)
      expect(readBeacon(whole.subarray(0, length), 'lan', SECRET)).toBeNull();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => readBeacon(bytes, 'lan', SECRET) === null),
    );
  });
});
