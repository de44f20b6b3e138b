import { type PortPlan } from '../ovn/ports.js';
import { round } from '../support/stats.js';
import { monotonic, Traffic } from '../support/traffic.js';
import { pause } from '../support/until.js';

/** One numbered frame a millisecond. */
const PPS = 1_000;
const BEFORE_MS = 200;
/** What is late comes still. */
const AFTER_MS = 500;

export interface Seen {
  readonly lost: number;
  /** The longest time between two frames that came, ms. */
  readonly gapMs: number;
  /** When the frames came, monotonic ms. */
  readonly times: readonly number[];
}

/** What goes from one guest to another of the host while something is done to it. */
export class Stream {
  readonly #traffic: Traffic;

  private constructor(
    netns: string,
    private readonly sender: PortPlan,
    private readonly receiver: PortPlan,
  ) {
    this.#traffic = new Traffic(netns);
  }

  static async on(netns: string, [sender, receiver]: readonly PortPlan[]): Promise<Stream> {
    const it = new Stream(netns, sender!, receiver!);
    await it.#traffic.listen(`${receiver!.device}g`);
    return it;
  }

  async during(work: () => Promise<unknown>): Promise<Seen> {
    const { sender, receiver } = this;
    const [device, at] = [`${sender.device}g`, `${receiver.device}g`];
    const addresses = { srcMac: sender.mac, srcIp: sender.ip, dstMac: receiver.mac, dstIp: receiver.ip };
    await this.#traffic.taken(at);
    const sending = this.#traffic.stream({ device, ...addresses, srcPort: 4_000, dstPort: 4_001 }, PPS);
    await pause(BEFORE_MS);
    const begun = monotonic();
    await work();
    await pause(AFTER_MS);
    await this.#traffic.stop();
    const { left } = await sending;
    const { numbers, times, dropped } = await this.#traffic.taken(at);
    if (dropped > 0 || !(times[0]! < begun)) throw new Error(`nothing to lose: ${times.length} frames came`);
    const gaps = times.map((time, i) => time - (times[i - 1] ?? time));
    return { lost: left.length - new Set(numbers).size, gapMs: round(Math.max(...gaps)), times };
  }

  async close(): Promise<void> {
    await this.#traffic.close();
  }
}
