import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { healthKey, MOST_RANGES, parseProbe, probeFrame, type Probe } from './probe.js';

const KEY = healthKey('lineage', 'lan');
const BETWEEN = {
  src: 0x0200_0000_0001n,
  dst: 0x0300_0000_0001n,
  length: 0,
};
const vlan = fc.integer({ min: 0, max: 4_094 });
const probes: fc.Arbitrary<Probe> = fc.record({
  kind: fc.constantFrom('probe', 'answer'),
  isFull: fc.boolean(),
  host: fc.stringMatching(/^[a-z][a-z0-9-]{0,62}$/),
  uplink: fc.integer({ min: 1, max: 64 }),
  vlan,
  nonce: fc.stringMatching(/^[0-9a-f]{16}$/),
  vlans: fc.array(fc.record({ from: vlan, to: vlan }), { maxLength: MOST_RANGES }),
});

describe('frames of the health check', () => {
  it('say what they are made of, also cut short behind the seal', () => {
    fc.assert(
      fc.property(probes, fc.integer({ min: 0, max: 9_000 }), (probe, length) => {
        const frame = probeFrame(probe, KEY, { ...BETWEEN, length });
        expect(frame.length).toBeGreaterThanOrEqual(length + 14 + (probe.vlan === 0 ? 0 : 4));
        expect(parseProbe(frame.subarray(0, 1_024), KEY)).toEqual({ ok: true, value: probe });
      }),
    );
  });

  it('are refused with a bit that is another, and under the key of another switch or cluster', () => {
    fc.assert(
      fc.property(probes, fc.nat(), fc.nat(7), (probe, at, bit) => {
        const frame = probeFrame(probe, KEY, BETWEEN);
        for (const key of [healthKey('lineage', 'wan'), healthKey('other', 'lan')])
          expect(parseProbe(frame, key).ok).toBe(false);
        const start = probe.vlan === 0 ? 14 : 18;
        const sealed = 18 + probe.host.length + 4 * probe.vlans.length + 16;
        const place = start + (at % sealed);
        frame[place] = (frame[place] ?? 0) ^ (1 << bit);
        expect(parseProbe(frame, KEY).ok).toBe(false);
      }),
    );
  });

  it('never make the reader throw', () => {
    const head = [3, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x88, 0xb6, 0x50, 0x54, 0x48, 0x31];
    const near = fc.uint8Array({ maxLength: 200 }).map((rest) => new Uint8Array([...head, ...rest]));
    fc.assert(
      fc.property(fc.oneof(near, fc.uint8Array({ maxLength: 200 })), (frame) => {
        expect(parseProbe(frame, KEY).ok).toBe(false);
      }),
    );
  });
});
