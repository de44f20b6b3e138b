import { flowKey, type FlowStats } from '#openflow';
import { OBJECT } from './lists.js';

interface Seen {
  readonly object: bigint;
  readonly packets: number;
  readonly durationMs: number;
}

/** The switch may make a reading so much later than it was asked to. */
const SLACK_MS = 1_000;
/** Ages are whole milliseconds. */
const ROUNDED_MS = 1;

/**
 * What flows counted from one reading to the next. A flow that was put anew, of the same place too, counts from zero
 * again: it is younger than it was, younger than the time between the readings, or counted less.
 */
export class FlowCounts {
  #seen: ReadonlyMap<string, Seen> = new Map();
  #at = 0;

  /**
   * By the object in the cookie. `at`: ms, monotonic, when the reading was asked for, so that what stood when the plan was
   * carried out that the objects are of (`since`) never looks younger than that. What is younger belongs to another plan,
   * and is told once that one is known.
   */
  take(flows: readonly FlowStats[], at: number, since: number): ReadonlyMap<bigint, number> {
    const more = new Map<bigint, number>();
    const seen = new Map<string, Seen>();
    const elapsed = at - this.#at - SLACK_MS;
    for (const { flow, packets, durationMs } of flows) {
      const key = flowKey(flow);
      const before = this.#seen.get(key);
      if (durationMs + ROUNDED_MS < at - since) {
        if (before !== undefined) seen.set(key, before);
        continue;
      }
      const object = flow.cookie & OBJECT;
      const now = { object, packets: Number(packets), durationMs };
      const goesOn =
        before?.object === object &&
        now.packets >= before.packets &&
        durationMs >= Math.max(before.durationMs, elapsed);
      const grown = now.packets - (goesOn ? before.packets : 0);
      if (grown > 0) more.set(object, (more.get(object) ?? 0) + grown);
      seen.set(key, now);
    }
    this.#seen = seen;
    this.#at = at;
    return more;
  }
}
