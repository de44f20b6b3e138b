import { equalJson, once } from '#kernel';
import { type GroupDocument, type PortDocument } from '#contracts';
import { type ObservedInterface } from '#openflow';
import { slotKey } from '../slots.js';
import { type Desired, type LocalFacts } from '../types.js';
import { Interfaces } from './interfaces.js';
import { type Place, type SetPlan } from './plan.js';
import { resolvePort, type HostContext, type PortContext, type ResolvedPort } from './ports.js';
import { changedSince, seatsOf, type LastResolved, type ResolvedBridges } from './since.js';

/** Everything that `resolvePort` looks at for one document, and what came of it. */
interface Held {
  readonly key: string;
  readonly place: Place;
  readonly group: GroupDocument | undefined;
  readonly slot: number | undefined;
  readonly activated: boolean;
  readonly turned: boolean;
  readonly pin: string | undefined;
  readonly unconfirmed: boolean;
  readonly resolved: ResolvedPort;
}

/**
 * What was decided for each port the last time: it stands while all that it was decided on is the same. Documents
 * that did not change are the same objects, and so are interfaces that were not read again.
 */
export class ResolveMemo {
  readonly #ports = new WeakMap<PortDocument, Held>();
  readonly #places = new Map<string, Place>();
  readonly #sets = new Map<string, readonly SetPlan[]>();
  #last: LastResolved | null = null;
  #interfaces: { readonly of: readonly ObservedInterface[]; readonly by: Interfaces } | null = null;

  interfaces(of: readonly ObservedInterface[]): Interfaces {
    if (this.#interfaces?.of !== of) this.#interfaces = { of, by: new Interfaces(of) };
    return this.#interfaces.by;
  }

  /** The place of the last time, where it is the same. */
  place(bridge: string, now: Place): Place {
    const before = this.#places.get(bridge);
    const same =
      before !== undefined &&
      before.switchDoc === now.switchDoc &&
      before.interfaces === now.interfaces &&
      equalJson(before.mapping, now.mapping) &&
      equalJson(before.uplinks, now.uplinks) &&
      equalJson(before.passedOver, now.passedOver) &&
      equalJson(before.unhealthy, now.unhealthy) &&
      equalJson(before.mirrors, now.mirrors);
    if (same) return before;
    this.#places.set(bridge, now);
    return now;
  }

  /** The sets of the last time, where they are the same. */
  sets(bridge: string, now: readonly SetPlan[]): readonly SetPlan[] {
    const before = this.#sets.get(bridge);
    if (before !== undefined && sameSets(before, now)) return before;
    this.#sets.set(bridge, now);
    return now;
  }

  /** Where nothing but the policy of some ports changed since the last time, or members of sets: the others are not looked at. */
  since(desired: Desired, facts: LocalFacts, host: HostContext): ResolvedBridges | null {
    const last = this.#last;
    if (last === null) return null;
    const found = changedSince(last, desired, facts, host);
    if (found === null) return null;
    const { bridges, changed } = found;
    const since = { bridges: last.bridges, changed };
    for (const { name, sets } of bridges) this.#sets.set(name, sets);
    this.#last = { ...last, desired, facts, bridges };
    return { bridges, exceptions: last.exceptions, since };
  }

  remember(desired: Desired, facts: LocalFacts, { bridges, exceptions }: ResolvedBridges): void {
    const seats = once(() => seatsOf(desired, bridges));
    this.#last = { desired, facts, bridges, exceptions, places: new Map(this.#places), seats };
  }

  /** Bridges that are there; the others are forgotten. */
  keep(bridges: Pick<ReadonlyMap<string, unknown>, 'has'>): void {
    for (const held of [this.#places, this.#sets])
      for (const name of held.keys()) if (!bridges.has(name)) held.delete(name);
  }

  port(doc: PortDocument, context: PortContext): ResolvedPort {
    const before = this.#ports.get(doc);
    const key = before?.key ?? slotKey(doc.port, doc.epoch);
    const { place } = context;
    const group = context.groups.get(doc.group);
    const slot = context.facts.slots[key];
    const activated = context.activated.has(key);
    const turned = context.turned.has(key);
    const pin = context.facts.teaming?.pins[key];
    const unconfirmed = context.facts.unconfirmed === true;
    const stands =
      before?.place === place &&
      before.group === group &&
      before.slot === slot &&
      before.activated === activated &&
      before.turned === turned &&
      before.pin === pin &&
      before.unconfirmed === unconfirmed;
    if (stands) return before.resolved;
    const resolved = resolvePort(doc, context);
    this.#ports.set(doc, { key, place, group, slot, activated, turned, pin, unconfirmed, resolved });
    return resolved;
  }
}

const sameSets = (a: readonly SetPlan[], b: readonly SetPlan[]): boolean =>
  a.length === b.length &&
  a.every(({ name, bit, document }, i) => {
    const other = b[i];
    return name === other?.name && bit === other.bit && document === other.document;
  });
