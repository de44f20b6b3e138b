import { sameItems, type Clock } from '#kernel';
import { type Fact, type InterfaceFact } from '#domain';
import { bridgeName, type Desired } from '#compiler';
import { type ObservedInterface } from '#openflow';
import { Flapping } from './flapping.js';
import { interfaceEdges, interfaceFacts } from './interfaces.js';
import { misplaced, Unplaced } from './unplaced.js';
import { figuresOf, uplinkFacts, uplinkKey, uplinkStates, uplinksTold, type Told } from './uplinks.js';

export interface SightingsParts {
  readonly clock: Clock;
  readonly log: { warn(fields: object, message: string): void };
  record(fact: Fact): void;
  /** Has `look` be called again. */
  again(): void;
}

/** What is plugged and which uplinks are up, as the log was told and as it is: tells what is another. */
export class Sightings {
  readonly #unplaced: Unplaced;
  readonly #flapping: { readonly interfaces: Flapping<InterfaceFact>; readonly uplinks: Flapping<true> };
  /** As the log was told; null: nothing yet. */
  #plugged: readonly InterfaceFact[] | null = null;
  #uplinks: Told = new Map();
  /** Names of interfaces whose markings make no sense. */
  #rejected: ReadonlySet<string> = new Set();
  /** iface-ids that had a port here since they were plugged. */
  #placed: ReadonlySet<string> = new Set();
  /** What was last looked at, and nothing was held back of; null: look again. */
  #looked: (Pick<Desired, 'ports' | 'host'> & { readonly interfaces: readonly ObservedInterface[] }) | null =
    null;

  constructor(private readonly parts: SightingsParts) {
    const { clock } = parts;
    const record = (fact: Fact): void => parts.record(fact);
    const again = (): void => parts.again();
    this.#flapping = {
      interfaces: new Flapping(clock, 'interface', record, again),
      uplinks: new Flapping(clock, 'uplink', record, again),
    };
    this.#unplaced = new Unplaced(clock, () => this.tellInventory());
  }

  /** The log was told nothing yet. */
  get isFresh(): boolean {
    return this.#plugged === null;
  }

  /** Tells what is plugged and up, unless all that it depends on is as it was. */
  look(interfaces: readonly ObservedInterface[], desired: Desired): void {
    const before = this.#looked;
    const { host, ports } = desired;
    if (before?.interfaces === interfaces && before.host === host && sameItems(before.ports, ports)) return;
    this.#lookAtInterfaces(interfaces, desired);
    this.#lookAtUplinks(interfaces, desired);
    const { interfaces: plugged, uplinks } = this.#flapping;
    this.#looked = plugged.isQuiet && uplinks.isQuiet ? { interfaces, host, ports } : null;
  }

  /** All that the log takes for plugged, once more. */
  tellInventory(): void {
    if (this.#plugged !== null) this.parts.record({ type: 'Inventory', interfaces: this.#plugged });
  }

  /** What the log was told may be lost. */
  forget(): void {
    this.#plugged = null;
    this.#uplinks = new Map();
    this.#looked = null;
  }

  close(): void {
    this.#unplaced.close();
    this.#flapping.interfaces.close();
    this.#flapping.uplinks.close();
  }

  #lookAtInterfaces(interfaces: readonly ObservedInterface[], desired: Desired): void {
    const switches = new Map(desired.host.switches.map((s) => [bridgeName(s.switch), s.switch as string]));
    const { facts, rejected } = interfaceFacts(interfaces, (bridge) => switches.get(bridge));
    for (const { name, problem } of rejected) {
      if (!this.#rejected.has(name))
        this.parts.log.warn({ name, problem: problem.message }, 'interface is quarantined');
    }
    this.#rejected = new Set(rejected.map((r) => r.name));
    // What makes no sense does not get any by being told again.
    const senseless = new Set(rejected.map((r) => r.ifaceId));
    const without = new Set(misplaced(facts, desired.ports));
    const here = facts.map((i) => i.ifaceId);
    this.#placed = new Set(here.filter((id) => this.#placed.has(id) || !without.has(id)));
    this.#unplaced.seen(
      [...without].filter((id) => !senseless.has(id)),
      this.#placed,
    );
    const before = this.#plugged;
    const now = before === null ? facts : this.#damped(before, facts, desired);
    this.#plugged = now;
    if (before === null) return this.tellInventory();
    const edges = interfaceEdges(before, now);
    for (const ifaceId of edges.unplugged) this.parts.record({ type: 'InterfaceUnplugged', ifaceId });
    for (const plugged of edges.plugged) this.parts.record({ type: 'InterfacePlugged', interface: plugged });
  }

  /** What the log is to take for plugged, of what it was told and of what is. */
  #damped(
    before: readonly InterfaceFact[],
    seen: readonly InterfaceFact[],
    { ports }: Desired,
  ): readonly InterfaceFact[] {
    const byId = (facts: readonly InterfaceFact[]) =>
      new Map<string, InterfaceFact>(facts.map((f) => [f.ifaceId, f]));
    // Of a standby, too: that it left is told only of what was told to be there, and a migration may wait for that.
    const here = ports.flatMap((p) => (p.role !== 'retired' && p.connectee ? [p.connectee.ifaceId] : []));
    const damped = this.#flapping.interfaces.damped(byId(before), byId(seen), new Set<string>(here));
    return [...damped.values()].sort((a, b) => (a.ifaceId < b.ifaceId ? -1 : 1));
  }

  #lookAtUplinks(interfaces: readonly ObservedInterface[], desired: Desired): void {
    const isUp = (entries: Iterable<readonly [string, { readonly up: boolean }]>) =>
      new Map([...entries].flatMap(([key, { up }]) => (up ? [[key, true] as const] : [])));
    const seen = uplinkStates(desired, interfaces);
    const now = isUp(seen.map((u) => [uplinkKey(u), u]));
    const up = this.#flapping.uplinks.damped(isUp(this.#uplinks), now, new Set(seen.map(uplinkKey)));
    const devices = new Map(interfaces.map((i) => [i.name, i]));
    const told = seen.map((u) => ({ ...u, up: up.has(uplinkKey(u)), ...figuresOf(devices.get(u.device)) }));
    for (const fact of uplinkFacts(this.#uplinks, told)) this.parts.record(fact);
    this.#uplinks = uplinksTold(this.#uplinks, told);
  }
}
