import { type GroupAddress, type MulticastFacts } from '#compiler';

/** Groups and segments with a router that one port may have: a guest must not fill the tables of all. */
export const MAX_GROUPS = 64;

interface Entry {
  readonly segment: number;
  /** Null: a router, which gets every group. */
  readonly group: GroupAddress | null;
  /** By slot: until when it holds, in monotonic ms. */
  readonly until: Map<number, number>;
}

/** Who listens to what on one bridge, as long as it is said again and again. */
export class Memberships {
  readonly #entries = new Map<string, Entry>();
  readonly #counts = new Map<number, number>();
  readonly #settled = new Set<number>();
  /** Until when it is told that a port wanted too much. */
  readonly #refused = new Map<number, number>();
  #facts: MulticastFacts | null = null;

  /** The same object as long as it says the same. */
  facts(): MulticastFacts {
    this.#facts ??= this.#told();
    return this.#facts;
  }

  /** False: the port has as many as it may have. */
  join(slot: number, segment: number, group: GroupAddress | null, until: number): boolean {
    const key = keyOf(segment, group);
    const entry = this.#entries.get(key) ?? { segment, group, until: new Map<number, number>() };
    const isNew = !entry.until.has(slot);
    const count = this.#counts.get(slot) ?? 0;
    if (isNew && count >= MAX_GROUPS) {
      if (!this.#refused.has(slot)) this.#facts = null;
      this.#refused.set(slot, until);
      return false;
    }
    entry.until.set(slot, until);
    if (!isNew) return true;
    this.#entries.set(key, entry);
    this.#counts.set(slot, count + 1);
    this.#facts = null;
    return true;
  }

  /** Somebody behind the port left: unless it is said again, it holds until then only. False: it does not hold. */
  leave(slot: number, segment: number, group: GroupAddress, until: number): boolean {
    const held = this.#entries.get(keyOf(segment, group))?.until;
    const before = held?.get(slot);
    if (held === undefined || before === undefined) return false;
    held.set(slot, Math.min(before, until));
    return true;
  }

  /** The guest had the time to say all that it listens to. */
  settle(slot: number): void {
    if (this.#settled.has(slot)) return;
    this.#settled.add(slot);
    this.#facts = null;
  }

  /** What was not said again. */
  expire(now: number): void {
    for (const [key, { until }] of this.#entries)
      for (const [slot, end] of until) if (end <= now) this.#drop(key, until, slot);
    for (const [slot, end] of this.#refused)
      if (end <= now) {
        this.#refused.delete(slot);
        this.#facts = null;
      }
  }

  /** Only these slots are still those of a port that is open. */
  keep(slots: ReadonlySet<number>): void {
    for (const [key, { until }] of this.#entries)
      for (const slot of until.keys()) if (!slots.has(slot)) this.#drop(key, until, slot);
    for (const held of [this.#settled, this.#refused])
      for (const slot of held.keys())
        if (!slots.has(slot)) {
          held.delete(slot);
          this.#facts = null;
        }
  }

  /** What an earlier run found out. */
  take({ settled, routers, groups }: MulticastFacts, until: number): void {
    for (const slot of settled) this.settle(slot);
    for (const { segment, slot } of routers) this.join(slot, segment, null, until);
    for (const { segment, group, slots } of groups)
      for (const slot of slots) this.join(slot, segment, group, until);
  }

  /** Segments in which something holds of a port. */
  segmentsOf(slot: number): readonly number[] {
    const held = [...this.#entries.values()].filter(({ until }) => until.has(slot));
    return [...new Set(held.map(({ segment }) => segment))];
  }

  /** Whether a port gets every group of a segment: it may not have said what it wants, or there is a router behind it. */
  listensToAll(slot: number, segment: number): boolean {
    return !this.#settled.has(slot) || this.members(segment, null).includes(slot);
  }

  members(segment: number, group: GroupAddress | null): readonly number[] {
    return [...(this.#entries.get(keyOf(segment, group))?.until.keys() ?? [])];
  }

  #drop(key: string, until: Map<number, number>, slot: number): void {
    until.delete(slot);
    if (until.size === 0) this.#entries.delete(key);
    const left = (this.#counts.get(slot) ?? 1) - 1;
    if (left === 0) this.#counts.delete(slot);
    else this.#counts.set(slot, left);
    this.#facts = null;
  }

  #told(): MulticastFacts {
    const sorted = [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
    return {
      settled: ascending(this.#settled),
      routers: sorted.flatMap(({ segment, group, until }) =>
        group === null ? ascending(until.keys()).map((slot) => ({ segment, slot })) : [],
      ),
      groups: sorted.flatMap(({ segment, group, until }) =>
        group === null ? [] : [{ segment, group, slots: ascending(until.keys()) }],
      ),
      refused: ascending(this.#refused.keys()),
    };
  }
}

const ascending = (slots: Iterable<number>): number[] => [...slots].sort((a, b) => a - b);

const keyOf = (segment: number, group: GroupAddress | null): string =>
  group === null ? `${segment}` : `${segment} ${group.family} ${group.address.toString(16)}`;
