import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { desiredIn, PORTS, world } from '../arbitrary/changes.fixture.js';
import { traffic } from '../arbitrary/frames.fixture.js';
import { BROADCAST_MAC, destination } from './frames.fixture.js';
import { WalkingHost } from './walk.fixture.js';

/** Frames by class: unicast, multicast, broadcast. */
class Seen {
  readonly #by = new Map<string, [number, number, number]>();

  at(device: string): [number, number, number] {
    const seen = this.#by.get(device) ?? [0, 0, 0];
    this.#by.set(device, seen);
    return seen;
  }

  add(device: string, frame: Uint8Array): void {
    const ofGroup = (frame[0] ?? 0) % 2 === 1 ? 1 : 0;
    this.at(device)[destination(frame) === BROADCAST_MAC ? 2 : ofGroup] += 1;
  }
}

const sum = (counts: readonly number[]): number => counts.reduce((all, n) => all + n, 0);

describe('whatever the documents say of a host', () => {
  it('a port counts each frame that it sends, and each that it is handed, once', async () => {
    let handed = 0;
    await fc.assert(
      fc.asyncProperty(world, traffic, async (said, frames) => {
        const host = new WalkingHost(PORTS);
        await host.walk(desiredIn(said));
        const [sent, got] = [new Seen(), new Seen()];
        for (const { device, frame } of [...frames(0), ...frames(1)]) {
          sent.add(device, frame);
          host.leaves(device, frame);
          for (const [to, list] of host.received) for (const one of list) got.add(to, one);
        }
        for (const { port, role, bridge, passing } of host.compiled.bindings) {
          if (role === 'retired') continue;
          const n = Number(port.slice(1));
          const counted = await host.counts(n);
          expect([port, ...counted]).toEqual([port, sent.at(`tap${n}`), got.at(`tap${n}`)]);
          const [passed, offered] = await host.driver.meterStats(bridge, [passing.in, passing.out]);
          expect(Number(passed?.packetsIn)).toBeLessThanOrEqual(sum(counted[0]));
          expect(Number(offered?.packetsIn)).toBeGreaterThanOrEqual(sum(counted[1]));
          handed += sum(counted[1]);
        }
      }),
      { numRuns: 60 },
    );
    expect(handed).toBeGreaterThan(300);
  });
});
