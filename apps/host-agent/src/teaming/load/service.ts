import { type PortId } from '#kernel';
import { type Telemetry } from '#contracts';
import { type Compiled, type CompiledBinding } from '#compiler';
import { type Observation } from '#openflow';
import { Rounds } from '../../rounds.js';
import { bindingKey, type BindingKey } from '../../state/memory.js';
import { type AgentService, type MakeService, type ServiceHost } from '../../service.js';
import { carrierOf, type TeamingMemory } from '../standing.js';
import {
  LOAD_FIGURES,
  moveFor,
  type LoadFigures,
  type Move,
  type PortLoad,
  type UplinkLoad,
} from './balance.js';
import { Rates } from './rates.js';

type Loads = NonNullable<Telemetry['loads']>;

/** A switch that has ports which go by load. */
interface Watched {
  readonly switch: string;
  readonly bridge: string;
  readonly bindings: readonly CompiledBinding[];
}

/**
 * Teaming by load: an uplink that was over the threshold for an interval loses one port to another one. Which port is
 * where is a fact of this host (`pins`), kept over restarts; the flows follow from it as they do from policy.
 */
export class LoadService implements AgentService {
  readonly #rates = new Rates();
  #watched: readonly Watched[] = [];
  readonly #rounds: Rounds;
  #interval = 0;
  /** The interval in which a port was last moved. */
  readonly #movedAt = new Map<BindingKey, number>();
  #loads: Loads = [];

  constructor(
    private readonly host: ServiceHost,
    private readonly figures: LoadFigures = LOAD_FIGURES,
  ) {
    this.#rounds = new Rounds(host, figures.intervalMs, (_, isWanted) => this.#look(isWanted));
  }

  carriedOut({ bindings, state }: Compiled): void {
    this.#forget(bindings);
    this.#watched = state.bridges.flatMap((bridge) => {
      const of = bindings.filter((b) => b.bridge === bridge.name && goesByLoad(b));
      return of.length === 0 ? [] : [{ switch: bridge.switch, bridge: bridge.name, bindings: of }];
    });
    if (this.#watched.length > 0) return this.#rounds.begin();
    this.#end();
  }

  telemetry(): Partial<Telemetry> {
    return this.#loads.length === 0 ? {} : { loads: this.#loads };
  }

  async close(): Promise<void> {
    this.#end();
    await this.#rounds.close();
  }

  #end(): void {
    this.#rounds.end();
    this.#rates.forget();
    this.#loads = [];
  }

  async #look(isWanted: () => boolean): Promise<void> {
    this.#interval += 1;
    const loads: Loads[number][] = [];
    for (const watched of this.#watched) {
      try {
        loads.push(...(await this.#lookAt(watched)));
      } catch (cause) {
        const reason = String(cause);
        this.host.log.warn({ switch: watched.switch, reason }, 'the load of uplinks could not be read');
      }
    }
    if (isWanted()) this.#loads = loads;
  }

  async #lookAt(watched: Watched): Promise<Loads> {
    const stats = await this.host.driver.portStats(watched.bridge);
    const rates = this.#rates.since(watched.bridge, this.host.clock.monotonic(), stats);
    const interfaces = this.host.observation()?.interfaces ?? [];
    const uplinks = uplinksOf(watched, rates, interfaces);
    const ports = watched.bindings.flatMap((binding) => this.#portLoad(watched, binding, rates));
    const move = moveFor(uplinks, ports, this.figures);
    if (move !== null) this.#pin(watched, move);
    const { pins } = this.host.memory.teaming;
    return uplinks.map(({ name, ...load }) => {
      const moved = watched.bindings.flatMap((b): PortId[] => (pins[keyOf(b)] === name ? [b.port] : []));
      return { switch: watched.switch, uplink: name, ...load, moved };
    });
  }

  #portLoad(on: Watched, binding: CompiledBinding, rates: ReturnType<Rates['since']>): PortLoad[] {
    const { memory } = this.host;
    const key = keyOf(binding);
    const rate = rates.get(binding.ofport ?? 0);
    const live = memory.teaming.live[on.switch] ?? [];
    const carrier = carrierOf(binding, (uplink) => live.includes(uplink));
    const movedAt = this.#movedAt.get(key);
    const rests = movedAt !== undefined && this.#interval - movedAt < this.figures.rest;
    if (rate === undefined || carrier === null || rests) return [];
    const among = candidates(binding, on.switch, memory.teaming).filter((uplink) => live.includes(uplink));
    // What comes from the port is what it sends.
    return [{ key, on: carrier, among, sent: rate.received, received: rate.sent }];
  }

  #pin(on: Watched, { key, from, to }: Move): void {
    const { memory } = this.host;
    memory.teaming = { ...memory.teaming, pins: { ...memory.teaming.pins, [key]: to } };
    this.#movedAt.set(key, this.#interval);
    this.host.log.info(
      { switch: on.switch, binding: key, from, to },
      'a port goes by another uplink for the load',
    );
    this.host.kick();
  }

  /** Of bindings that are no more. */
  #forget(bindings: Compiled['bindings']): void {
    const { memory } = this.host;
    const { pins } = memory.teaming;
    if (Object.keys(pins).length === 0 && this.#movedAt.size === 0) return;
    const here = new Set<string>(bindings.map(keyOf));
    for (const key of this.#movedAt.keys()) if (!here.has(key)) this.#movedAt.delete(key);
    const kept = Object.entries(pins).filter(([key]) => here.has(key));
    if (kept.length === Object.keys(pins).length) return;
    memory.teaming = { ...memory.teaming, pins: Object.fromEntries(kept) };
  }
}

export const byLoad: MakeService = (host) => new LoadService(host);

const keyOf = ({ port, epoch }: CompiledBinding): BindingKey => bindingKey(port, epoch);

const goesByLoad = ({ open, ofport, carried }: CompiledBinding): boolean =>
  open && ofport !== undefined && carried?.teaming.mode === 'load';

/** Active ones that the port would go by, were it put on them. */
function candidates({ carried }: CompiledBinding, on: string, memory: TeamingMemory): readonly string[] {
  if (carried === undefined) return [];
  const { active, failback, detection } = carried.teaming;
  const late = [
    ...(failback ? [] : (memory.passedOver[on] ?? [])),
    ...(detection === 'beacon' ? (memory.unhealthy[on] ?? []) : []),
  ];
  const opened = new Set(carried.uplinks.map(({ name }) => name));
  return active.filter((name) => opened.has(name) && !late.includes(name));
}

/** Those whose speed is known: of the others nobody can say whether they are full. */
function uplinksOf(
  { bridge, bindings }: Watched,
  rates: ReturnType<Rates['since']>,
  interfaces: Observation['interfaces'],
): UplinkLoad[] {
  const all = new Map(
    bindings.flatMap(({ carried }) => carried?.uplinks.map((u) => [u.name, u] as const) ?? []),
  );
  return [...all.values()]
    .sort((a, b) => a.ofport - b.ofport)
    .flatMap(({ name, device, ofport }) => {
      const rate = rates.get(ofport);
      const speed = interfaces.find((i) => i.bridge === bridge && i.name === device)?.linkSpeed ?? 0;
      return rate === undefined || speed <= 0 ? [] : [{ name, speed, ...rate }];
    });
}
