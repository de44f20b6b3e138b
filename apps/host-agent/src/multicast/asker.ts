import { deliverTo, type CompiledBinding, type GroupAddress } from '#compiler';
import { type ServiceHost } from '../service.js';
import { question } from './question.js';
import { TIMES } from './schedule.js';

type Ranges = NonNullable<CompiledBinding['asked']>;
type Family = GroupAddress['family'];

interface Outgoing {
  readonly segment: number;
  /** Of what somebody else asks: who in a private VLAN, and the priority of its tag. */
  readonly wire?: number;
  readonly cos?: number;
  readonly slots: readonly number[];
  readonly frame: Uint8Array;
}

interface Job {
  readonly bridge: string;
  readonly frames: Iterable<Outgoing>;
}

const FAMILIES: readonly Family[] = [4, 6];
/** Of a port with more segments (a trunk), those are asked again in which something is known of it. */
const FEW_SEGMENTS = 64;
/** What waits beyond is dropped: questions are repeated. */
const MOST_JOBS = 4_096;

/**
 * Asks guests, one frame after the other, each when the switch has taken the one before. Each question goes to one
 * port, and through its policy: nobody outside is asked, and no router has to give way.
 */
export class Asker {
  readonly #jobs = new Map<string, Job>();
  /** By bridge, segment and family: when the next question is due. */
  readonly #due = new Map<string, number>();
  #running: Promise<void> = Promise.resolve();
  #busy = false;
  #closed = false;
  #forwarded = 0;

  constructor(private readonly host: Pick<ServiceHost, 'driver' | 'clock' | 'log'>) {}

  /** What it listens to, in all its segments. */
  ask({ bridge, slot }: CompiledBinding, ranges: Ranges, withinMs: number): void {
    const frames = FAMILIES.map((family) => question(family, null, withinMs));
    this.#add(`${bridge} ${slot}`, { bridge, frames: inAll(ranges, slot, frames) });
  }

  /** Whether it still listens to the group. */
  askAbout(bridge: string, slot: number, segment: number, { family, address }: GroupAddress): void {
    const frame = question(family, address, TIMES.answersSoon);
    const key = `${bridge} ${slot} ${segment} ${family} ${address.toString(16)}`;
    this.#add(key, { bridge, frames: [{ segment, slots: [slot], frame }] });
  }

  /** What somebody else asks, to these ports, as far as they may hear who asks. */
  forward(bridge: string, asked: Outgoing): void {
    if (asked.slots.length === 0) return;
    this.#forwarded += 1;
    this.#add(`${bridge} other ${this.#forwarded}`, { bridge, frames: [asked] });
  }

  /** A router asks in this segment: no need to. */
  others(bridge: string, segment: number, family: Family): void {
    this.#due.set(dueKey(bridge, segment, family), this.host.clock.monotonic() + TIMES.afterOthers);
  }

  /** Asks again in segments where nobody did for long. `known`: segments of a port in which it listens to something. */
  askDue(
    bridge: string,
    ports: readonly { readonly slot: number; readonly ranges: Ranges; readonly known: readonly number[] }[],
  ): void {
    const now = this.host.clock.monotonic();
    const asked = new Set<string>();
    const isDue = (segment: number, family: Family): boolean => {
      const key = dueKey(bridge, segment, family);
      if ((this.#due.get(key) ?? 0) > now) return false;
      asked.add(key);
      return true;
    };
    for (const { slot, ranges, known } of ports) {
      const segments = fewOf(ranges) ?? known;
      const frames = segments.flatMap((segment) =>
        FAMILIES.filter((family) => isDue(segment, family)).map((family) => ({
          segment,
          slots: [slot],
          frame: question(family, null, TIMES.answers),
        })),
      );
      if (frames.length > 0) this.#add(`${bridge} ${slot} again`, { bridge, frames });
    }
    for (const key of asked) this.#due.set(key, now + TIMES.asks);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#jobs.clear();
    await this.#running;
  }

  #add(key: string, job: Job): void {
    if (this.#closed || (this.#jobs.size >= MOST_JOBS && !this.#jobs.has(key))) return;
    this.#jobs.set(key, job);
    if (!this.#busy) this.#running = this.#run();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    for (let next = first(this.#jobs); next !== undefined; next = first(this.#jobs)) {
      const [key, job] = next;
      try {
        await this.#send(key, job);
      } catch (cause) {
        this.host.log.warn({ reason: String(cause) }, 'a guest could not be asked for its multicast groups');
      }
      if (this.#jobs.get(key) === job) this.#jobs.delete(key);
    }
    this.#busy = false;
  }

  async #send(key: string, job: Job): Promise<void> {
    for (const { slots, frame, ...of } of job.frames) {
      if (this.#jobs.get(key) !== job) return;
      await this.host.driver.packetOut(job.bridge, deliverTo(of, slots), frame);
    }
  }
}

function* inAll(ranges: Ranges, slot: number, frames: readonly Uint8Array[]): Iterable<Outgoing> {
  for (const { from, to } of ranges)
    for (let segment = from; segment <= to; segment += 1)
      for (const frame of frames) yield { segment, slots: [slot], frame };
}

/** All segments of the ranges; null: they are many. */
function fewOf(ranges: Ranges): readonly number[] | null {
  const size = ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  if (size > FEW_SEGMENTS) return null;
  return ranges.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
}

const dueKey = (bridge: string, segment: number, family: Family): string => `${bridge} ${segment} ${family}`;

const first = <K, V>(map: ReadonlyMap<K, V>): [K, V] | undefined => map.entries().next().value;
