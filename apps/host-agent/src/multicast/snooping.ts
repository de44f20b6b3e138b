import {
  readTold,
  standingMulticast,
  type Compiled,
  type CompiledBinding,
  type GroupAddress,
  type MulticastFacts,
  type Told,
} from '#compiler';
import { type Observation } from '#openflow';
import { type FrameTakers, type HandedFrame } from '../packet-ins.js';
import { type AgentService, type MakeService, type ServiceFacts, type ServiceHost } from '../service.js';
import { carrierOf } from '../teaming/standing.js';
import { Asker } from './asker.js';
import { Memberships } from './memberships.js';
import { readMessage } from './message.js';
import { type Message } from './said.js';
import { TIMES } from './schedule.js';

/** What is known of one bridge. */
interface Place {
  readonly bridge: string;
  readonly memberships: Memberships;
  /** By slot: the uplink that carries the port; null: none does. */
  readonly carriers: Map<number, string | null>;
  open: readonly CompiledBinding[];
}

/**
 * Listens to what guests and routers say of multicast groups, and asks where no router does. What it finds out becomes
 * flows by way of the compiler. It is said again and again, so it is on no disk: the flows that stand tell a new run.
 */
export class SnoopingService implements AgentService {
  readonly frames: FrameTakers = { membership: (handed) => this.#take(handed) };
  readonly #places = new Map<string, Place>();
  readonly #asker: Asker;
  #begun = false;
  #facts: Readonly<Record<string, MulticastFacts>> = {};
  #stop: (() => void) | null = null;
  #timers = new Set<() => void>();
  readonly #complained = new Set<string>();

  constructor(private readonly host: ServiceHost) {
    this.#asker = new Asker(host);
  }

  facts(have: Observation): ServiceFacts {
    if (!this.#begun) this.#begin(have);
    const now = Object.fromEntries(
      [...this.#places].map(([bridge, { memberships }]) => [bridge, memberships.facts()]),
    );
    const same =
      Object.keys(now).length === Object.keys(this.#facts).length &&
      Object.keys(now).every((name) => now[name] === this.#facts[name]);
    if (!same) this.#facts = now;
    return { multicast: this.#facts };
  }

  #take(handed: HandedFrame): void {
    const place = this.#places.get(handed.bridge);
    const message = place === undefined ? null : readMessage(handed.frame);
    if (place === undefined || message === null) return;
    const before = place.memberships.facts();
    this.#hear(place, message, handed);
    if (place.memberships.facts() !== before) this.host.kick();
  }

  carriedOut({ bindings, state }: Compiled, have: Observation): void {
    const asked = bindings.filter((b) => b.open && b.asked !== undefined);
    const bridges = new Set(asked.map(({ bridge }) => bridge));
    for (const name of this.#places.keys()) if (!bridges.has(name)) this.#places.delete(name);
    for (const { name } of state.bridges) {
      if (!bridges.has(name)) continue;
      const open = asked.filter(({ bridge }) => bridge === name);
      this.#look(name, open, have);
    }
    if (this.#places.size > 0) this.#stop ??= this.host.clock.after(TIMES.looks, () => this.#tick());
  }

  async close(): Promise<void> {
    this.#stop?.();
    for (const stop of this.#timers) stop();
    await this.#asker.close();
  }

  /** An earlier run left flows: they say what it knew. */
  #begin({ bridges }: Observation): void {
    this.#begun = true;
    for (const bridge of bridges) {
      const standing = standingMulticast(bridge);
      if (standing.settled.length + standing.groups.length === 0) continue;
      this.#placeOf(bridge.name).memberships.take(standing, this.#in(TIMES.holds));
    }
  }

  #placeOf(bridge: string): Place {
    const known = this.#places.get(bridge);
    if (known !== undefined) return known;
    const made = { bridge, memberships: new Memberships(), carriers: new Map(), open: [] };
    this.#places.set(bridge, made);
    return made;
  }

  /** Asks ports that came, and those that another uplink carries now: their answers tell the switches outside. */
  #look(name: string, open: readonly CompiledBinding[], { interfaces }: Observation): void {
    const place = this.#placeOf(name);
    place.open = open;
    place.memberships.keep(new Set(open.map(({ slot }) => slot)));
    const live = new Set(interfaces.flatMap((i) => (i.bridge === name && i.linkUp ? [i.name] : [])));
    const before = new Map(place.carriers);
    place.carriers.clear();
    for (const binding of open) {
      const devices = new Map(binding.carried?.uplinks.map((u) => [u.name, u.device]));
      const carrier = carrierOf(binding, (uplink) => live.has(devices.get(uplink) ?? ''));
      place.carriers.set(binding.slot, carrier);
      if (before.get(binding.slot) !== carrier || !before.has(binding.slot)) this.#ask(place, binding);
    }
    if (place.memberships.facts() !== this.#facts[name]) this.host.kick();
  }

  #ask(place: Place, binding: CompiledBinding): void {
    // It may have gone meanwhile, and its slot be another's.
    const stands = (): boolean =>
      place.open.some(({ port, epoch }) => port === binding.port && epoch === binding.epoch);
    const ask = (): void => this.#asker.ask(binding, binding.asked ?? [], TIMES.answersSoon);
    ask();
    this.#later(TIMES.again, () => {
      if (stands()) ask();
    });
    this.#later(TIMES.settles, () => {
      if (!stands()) return;
      place.memberships.settle(binding.slot);
      this.#changed(place);
    });
  }

  #hear(place: Place, message: Message, { notice, metadata, bridge, frame }: HandedFrame): void {
    const { slot } = notice;
    const told = readTold(metadata);
    const { segment } = told;
    if (message.kind === 'query') return this.#heardQuery(place, message, { ...told, slot, bridge, frame });
    // Of the members elsewhere the switches outside know.
    if (slot === 0 || !place.carriers.has(slot)) return;
    const { family } = message;
    for (const address of message.joined) {
      const group = { family, address };
      if (isOfLink(group)) continue;
      if (!place.memberships.join(slot, segment, group, this.#in(TIMES.holds))) this.#refuse(place, slot);
    }
    for (const address of message.left) this.#left(place, slot, segment, { family, address });
  }

  #heardQuery(
    place: Place,
    { family, from, group }: Extract<Message, { kind: 'query' }>,
    at: Told & { readonly slot: number; readonly bridge: string; readonly frame: Uint8Array },
  ): void {
    const { slot, segment, wire, cos, bridge, frame } = at;
    if (from !== 0n) {
      // What somebody in a private VLAN asks is not heard by all.
      if (group === null && wire === 0) this.#asker.others(bridge, segment, family);
      if (slot !== 0 && place.carriers.has(slot))
        place.memberships.join(slot, segment, null, this.#in(TIMES.holds));
    }
    // The switch can't tell a question about one group from an answer, so that it reached only who gets everything.
    if (family !== 4 || group === null) return;
    const members = place.memberships.members(segment, { family, address: group });
    const slots = members.filter((member) => member !== slot && this.#missed(place, member, at));
    this.#asker.forward(bridge, { segment, wire, cos, slots, frame });
  }

  /** Whether a port did not get a question, and is to get what comes by that uplink: by another one it is a second copy. */
  #missed(place: Place, slot: number, { segment, uplink }: Told): boolean {
    const binding = place.open.find((b) => b.slot === slot);
    if (binding === undefined || binding.everyGroup === true) return false;
    if (place.memberships.listensToAll(slot, segment)) return false;
    const { uplinks = [], kind } = binding.carried ?? {};
    const by = uplinks.find(({ key }) => key === uplink);
    if (uplink === 0 || (kind === 'hash' && by !== undefined)) return true;
    return by !== undefined && by.name === place.carriers.get(slot);
  }

  /** There may be others behind the port that listen: they are asked first. */
  #left(place: Place, slot: number, segment: number, group: GroupAddress): void {
    if (!place.memberships.leave(slot, segment, group, this.#in(TIMES.left))) return;
    const binding = place.open.find((b) => b.slot === slot);
    if (binding !== undefined) this.#asker.askAbout(binding.bridge, slot, segment, group);
    this.#later(TIMES.left, () => this.#changed(place));
  }

  #refuse(place: Place, slot: number): void {
    const port = place.open.find((b) => b.slot === slot)?.port ?? '';
    if (this.#complained.has(port)) return;
    this.#complained.add(port);
    this.host.log.warn({ port }, 'a guest listens to more multicast groups than a port may have');
  }

  #tick(): void {
    this.#stop = this.#places.size === 0 ? null : this.host.clock.after(TIMES.looks, () => this.#tick());
    this.#complained.clear();
    for (const [bridge, place] of this.#places) {
      this.#changed(place);
      const ports = place.open.map(({ slot, asked = [] }) => ({
        slot,
        ranges: asked,
        known: place.memberships.segmentsOf(slot),
      }));
      this.#asker.askDue(bridge, ports);
    }
  }

  /** Time has passed. */
  #changed(place: Place): void {
    place.memberships.expire(this.host.clock.monotonic());
    if (place.memberships.facts() !== this.#facts[place.bridge]) this.host.kick();
  }

  #in(ms: number): number {
    return this.host.clock.monotonic() + ms;
  }

  #later(ms: number, what: () => void): void {
    const stop = this.host.clock.after(ms, () => {
      this.#timers.delete(stop);
      what();
    });
    this.#timers.add(stop);
  }
}

export const snooping: MakeService = (host) => new SnoopingService(host);

/** 224.0.0.x, and IPv6 groups whose scope is the link: they reach everybody. */
const isOfLink = ({ family, address }: GroupAddress): boolean =>
  family === 4 ? address >> 8n === 0xe0_0000n : ((address >> 112n) & 0xfn) === 2n;
