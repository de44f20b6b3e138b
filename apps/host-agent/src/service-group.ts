import { type Clock } from '#kernel';
import { type Telemetry } from '#contracts';
import { type Compiled, type Desired, type PortEpoch } from '#compiler';
import { type DriverEvent, type Observation } from '#openflow';
import { type Guard } from './guard.js';
import { type FrameTakers, type HandedFrame } from './packet-ins.js';
import { type AgentService, type MakeService, type ServiceFacts, type ServiceHost } from './service.js';

/**
 * All services of an agent. An error of one, also in what it does at its time, ends nothing but what it was doing, and
 * the others and the agent go on. An error in `facts` fails the pass that asked, which is told and tried again.
 */
export class ServiceGroup {
  readonly #services: readonly AgentService[];

  constructor(
    makers: readonly MakeService[],
    host: ServiceHost,
    private readonly guard: Guard,
  ) {
    const { clock } = host;
    const after: Clock['after'] = (ms, act) => clock.after(ms, () => guard.run('act at its time', act));
    const guarded = { ...host, clock: { now: () => clock.now(), monotonic: () => clock.monotonic(), after } };
    this.#services = makers.map((make) => make(guarded));
  }

  /** A kind of frame has one taker. */
  takers(): FrameTakers {
    const all: FrameTakers = Object.assign({}, ...this.#services.map(({ frames }) => frames ?? {}));
    const safe = Object.entries(all).map(([kind, take]) => [
      kind,
      (frame: HandedFrame) => this.guard.run(`take a frame of kind ${kind}`, () => take(frame)),
    ]);
    return Object.fromEntries(safe) as FrameTakers;
  }

  async facts(have: Observation, desired: Desired): Promise<ServiceFacts> {
    return merged(await Promise.all(this.#services.map((service) => service.facts?.(have, desired))));
  }

  noticed(event: DriverEvent): void {
    for (const service of this.#services)
      this.guard.run(`hear of ${event.kind}`, () => service.noticed?.(event));
  }

  carriedOut(compiled: Compiled, have: Observation, desired: Desired): void {
    for (const service of this.#services)
      this.guard.run('see what stands', () => service.carriedOut?.(compiled, have, desired));
  }

  arrived(binding: PortEpoch): ReturnType<NonNullable<AgentService['arrived']>> {
    return merged(
      this.#services.map((service) => this.guard.run('add to an arrival', () => service.arrived?.(binding))),
    );
  }

  telemetry(): Partial<Telemetry> {
    return merged(
      this.#services.map((service) => this.guard.run('add to the telemetry', () => service.telemetry?.())),
    );
  }

  async close(): Promise<void> {
    for (const service of this.#services) await service.close?.();
  }
}

const merged = <T extends object>(parts: readonly (T | undefined)[]): Partial<T> =>
  parts.reduce<Partial<T>>((all, part) => ({ ...all, ...part }), {});
