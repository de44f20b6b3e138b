import { type Telemetry } from '#contracts';
import { type Compiled, type Desired } from '#compiler';
import { type DriverEvent, type Observation } from '#openflow';
import { type FrameTakers, type HandedFrame } from './packet-ins.js';
import { type AgentService, type MakeService, type ServiceFacts, type ServiceHost } from './service.js';

/** Most different errors that are remembered, each to be said once. */
const REMEMBERED = 100;

/**
 * All services of an agent. What they hear comes from guests and from the wire: an error of one ends nothing but what it
 * was doing, and the others and the agent go on. It is logged once, with its place, as a frame that causes it may come
 * at any rate. An error in `facts` fails the pass that asked, which is told and tried again.
 */
export class ServiceGroup {
  readonly #services: readonly AgentService[];
  readonly #said = new Set<string>();

  constructor(
    makers: readonly MakeService[],
    host: ServiceHost,
    private readonly log: { warn(fields: object, message: string): void },
  ) {
    this.#services = makers.map((make) => make(host));
  }

  /** A kind of frame has one taker. */
  takers(): FrameTakers {
    const all: FrameTakers = Object.assign({}, ...this.#services.map(({ frames }) => frames ?? {}));
    const safe = Object.entries(all).map(([kind, take]) => [
      kind,
      (frame: HandedFrame) => this.#guard(`take a frame of kind ${kind}`, () => take(frame)),
    ]);
    return Object.fromEntries(safe) as FrameTakers;
  }

  async facts(have: Observation, desired: Desired): Promise<ServiceFacts> {
    return merged(await Promise.all(this.#services.map((service) => service.facts?.(have, desired))));
  }

  noticed(event: DriverEvent): void {
    for (const service of this.#services)
      this.#guard(`hear of ${event.kind}`, () => service.noticed?.(event));
  }

  carriedOut(compiled: Compiled, have: Observation, desired: Desired): void {
    for (const service of this.#services)
      this.#guard('see what stands', () => service.carriedOut?.(compiled, have, desired));
  }

  telemetry(): Partial<Telemetry> {
    return merged(
      this.#services.map((service) => this.#guard('add to the telemetry', () => service.telemetry?.())),
    );
  }

  async close(): Promise<void> {
    for (const service of this.#services) await service.close?.();
  }

  #guard<T>(doing: string, act: () => T): T | undefined {
    try {
      return act();
    } catch (cause) {
      const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      if (this.#said.has(reason) || this.#said.size >= REMEMBERED) return undefined;
      this.#said.add(reason);
      this.log.warn(
        { doing, reason },
        'a part of the agent failed at this, and goes on with what comes next',
      );
      return undefined;
    }
  }
}

const merged = <T extends object>(parts: readonly (T | undefined)[]): Partial<T> =>
  parts.reduce<Partial<T>>((all, part) => ({ ...all, ...part }), {});
