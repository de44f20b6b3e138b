import { sameItems, type Clock, type PortId } from '#kernel';
import { type HostDocument } from '#contracts';
import { announceBy, type Compiled, type CompiledBinding } from '#compiler';
import { type Driver, type ObservedInterface } from '#openflow';
import { type LocalMemory } from '../state/local-memory.js';
import { bindingKey, type BindingKey } from '../state/memory.js';
import { Announcer } from './announcer.js';
import { carrierOf, withLinks, type TeamingMemory } from './standing.js';

interface Parts {
  readonly driver: Driver;
  readonly clock: Clock;
  readonly memory: LocalMemory;
  readonly log: { warn(fields: object, message: string): void };
}

/** Longer than a port takes to come: its guest has begun to speak, and was not heard. */
const WAITED_MS = 2_000;

/**
 * What a group that chooses the first live uplink can't know: that a port is not to go back, and that the switches
 * outside have to hear where it is. Which uplink carries a port follows from its order and the links; whenever it is
 * another than before (the link failed, came back, the order changed, the port came to this host), it is told where the
 * policy has it so. A guest that was moved here is told of in any case: its hypervisor speaks of one VLAN, if at all, and
 * of none when a guest stays that had been switched already.
 */
export class TeamingService {
  readonly #announcer: Announcer;
  /** The uplink that carries each open binding; null: not looked at yet. */
  #carriers: ReadonlyMap<BindingKey, string> | null = null;
  /** What was live when an earlier run of the agent last looked; until it was compared with what is now. */
  #liveBefore: TeamingMemory['live'] | null;
  /** When it was last looked: where guests were awaited, and ports whose guests had gone. */
  #moving: { readonly standbys: ReadonlySet<BindingKey>; readonly turned: ReadonlySet<PortId> } = {
    standbys: new Set(),
    turned: new Set(),
  };
  /** Interfaces without a port, by name: since when, monotonic ms. */
  #without: ReadonlyMap<string, number> = new Map();
  #last: { readonly bindings: Compiled['bindings']; readonly memory: TeamingMemory } | null = null;

  constructor(private readonly parts: Parts) {
    const { driver, clock, log, memory } = parts;
    this.#announcer = new Announcer(driver, clock, (port, cause) =>
      log.warn({ port, reason: String(cause) }, 'the switches outside could not be told where a port is'),
    );
    const { live } = memory.teaming;
    this.#liveBefore = Object.keys(live).length > 0 ? live : null;
  }

  /** Before a plan is made: what the links say becomes what it rests on. */
  look(switches: HostDocument['switches'], interfaces: readonly ObservedInterface[]): void {
    const { memory } = this.parts;
    memory.teaming = withLinks(memory.teaming, switches, interfaces);
  }

  /** A plan was carried out. */
  done({ bindings, state, quarantined }: Compiled): void {
    const hasWaited = this.#waited(quarantined);
    const memory = this.parts.memory.teaming;
    if (this.#last?.memory === memory && sameItems(this.#last.bindings, bindings)) return;
    this.#last = { bindings, memory };
    const switchOf = new Map(state.bridges.map((b) => [b.name, b.switch]));
    const before = this.#carriers;
    const now = new Map<BindingKey, string>();
    const isMoved = this.#moved(bindings);
    for (const binding of bindings) {
      const on = switchOf.get(binding.bridge) ?? '';
      const carrier = binding.open ? by(binding, memory.live[on]) : null;
      if (carrier === null) continue;
      const key = bindingKey(binding.port, binding.epoch);
      now.set(key, carrier);
      const was = before === null ? this.#earlier(binding, on, carrier) : before.get(key);
      const isUnheard = was === undefined && (isMoved(binding) || hasWaited(binding));
      if (was !== carrier) this.#tell(key, binding, carrier, isUnheard);
    }
    for (const key of before?.keys() ?? []) if (!now.has(key)) this.#announcer.forget(key);
    this.#carriers = now;
    this.#liveBefore = null;
  }

  close(): Promise<void> {
    return this.#announcer.close();
  }

  /** What failed while no agent ran was told by nobody. */
  #earlier(binding: CompiledBinding, on: string, carrier: string): string | null {
    return this.#liveBefore === null ? carrier : by(binding, this.#liveBefore[on]);
  }

  /** Of a guest that was switched to here, or back to here. */
  #moved(bindings: Compiled['bindings']): (binding: CompiledBinding) => boolean {
    const keyOf = ({ port, epoch }: CompiledBinding): BindingKey => bindingKey(port, epoch);
    const { standbys, turned } = this.#moving;
    this.#moving = {
      standbys: new Set(bindings.filter((b) => b.role === 'standby').map(keyOf)),
      turned: new Set(this.parts.memory.localFacts().handedOver.map((b) => b.port)),
    };
    return (b) => b.role === 'standby' || standbys.has(keyOf(b)) || turned.has(b.port);
  }

  /** Which bindings are of interfaces that were without a port for a while, and spoke to nobody. */
  #waited(quarantined: Compiled['quarantined']): (binding: CompiledBinding) => boolean {
    const now = this.parts.clock.monotonic();
    const since = this.#without;
    this.#without = new Map(quarantined.map(({ name }) => [name, since.get(name) ?? now]));
    return ({ ifaceName = '' }) => now - (since.get(ifaceName) ?? now) >= WAITED_MS;
  }

  #tell(key: BindingKey, binding: CompiledBinding, carrier: string, isUnheard: boolean): void {
    const { carried, bridge } = binding;
    const uplink = carried?.uplinks.find(({ name }) => name === carrier);
    const isTold = isUnheard || carried?.teaming.notify === true;
    if (!isTold || uplink === undefined) this.#announcer.forget(key);
    else {
      const to = binding.leased === true ? announceBy(binding, uplink) : uplink.ofport;
      this.#announcer.tell(key, binding, { bridge, to });
    }
  }
}

const by = (binding: CompiledBinding, live: readonly string[] = []): string | null =>
  carrierOf(binding, (uplink) => live.includes(uplink));
