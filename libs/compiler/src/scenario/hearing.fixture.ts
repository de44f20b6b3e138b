import { expect } from '@jest/globals';
import { until, type LabVm } from '../../../../test/lab/net.js';
import { mac } from '../documents.fixture.js';
import { BROADCAST_MAC, frame } from './frames.fixture.js';

const hex = (f: Uint8Array): string => Buffer.from(f).toString('hex');

/** Who of some guests, by their numbers, hears what one of them sends. */
export function hearing(vms: ReadonlyMap<number, LabVm>) {
  let marks = 0;
  /**
   * Sends frames in turn, and one at last that all get: then each must have got just those that it should have, by
   * their places. The first frames of a kind may overtake each other in the switch.
   */
  const hears = async (
    from: number,
    frames: readonly Uint8Array[],
    who: (n: number) => readonly number[],
  ): Promise<void> => {
    for (const one of vms.values()) await one.resetReceived();
    const sender = vms.get(from);
    for (const one of frames) await sender?.sendRaw(one);
    const last = frame({ to: BROADCAST_MAC, from: mac(from), payload: [0xff, marks++] });
    await sender?.sendRaw(last);
    const heard = new Map<number, number[]>();
    for (const [n, one] of vms) {
      if (n === from) continue;
      const places = await until(`all frames at ${n}`, async () => {
        const recent = (await one.received()).recent.map((r) => r.hex);
        const found = recent.map((text) => frames.findIndex((f) => hex(f) === text)).filter((i) => i >= 0);
        return recent.includes(hex(last)) && found.length >= who(n).length ? found : undefined;
      });
      heard.set(
        n,
        places.sort((x, y) => x - y),
      );
    }
    expect(heard).toEqual(new Map([...heard.keys()].map((n) => [n, [...who(n)]])));
  };
  /** One frame, and all that get it. */
  const reaches = (from: number, one: Uint8Array, ...to: readonly number[]): Promise<void> =>
    hears(from, [one], (n) => (to.includes(n) ? [0] : []));
  return { hears, reaches };
}
