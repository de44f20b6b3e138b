import { randomBytes } from 'node:crypto';
import { type Telemetry } from '#contracts';
import { readTold, type Compiled, type CompiledBinding, type Uplink } from '#compiler';
import { type FrameTakers, type HandedFrame } from '../../packet-ins.js';
import { type AgentService, type MakeService, type ServiceHost } from '../../service.js';
import { Rounds } from '../../rounds.js';
import { BEACON_FIGURES, Circle, type BeaconFigures } from './circle.js';
import { beaconFrame, readBeacon } from './frame.js';
import { type Verdict } from './hearing.js';

const SECRET_BYTES = 32;

/** A switch that has ports which want their uplinks probed. */
interface Watched {
  readonly circle: Circle;
  readonly bridge: string;
  readonly uplinks: readonly Uplink[];
  readonly vlans: readonly number[];
}

/**
 * Whether uplinks with a link lead anywhere: each speaks in every round, and the others of its switch listen. Speaker and
 * listener are this agent, so the secret that seals what is said never leaves it, and what was said in another round
 * counts for nothing. What leads nowhere is a fact of this host (`unhealthy`): last in the order of who wants to know.
 */
export class BeaconService implements AgentService {
  readonly frames: FrameTakers = { beacon: (handed) => this.#take(handed) };
  readonly #secret = randomBytes(SECRET_BYTES);
  readonly #watched = new Map<string, Watched>();
  readonly #said = new Map<string, ReadonlyMap<string, Verdict>>();
  readonly #inDoubt = new Set<string>();
  #round = 0;
  readonly #rounds: Rounds;

  constructor(
    private readonly host: ServiceHost,
    private readonly figures: BeaconFigures = BEACON_FIGURES,
  ) {
    this.#rounds = new Rounds(host, figures.intervalMs, (isFirst) => this.#speak(isFirst));
  }

  carriedOut({ bindings, state }: Compiled): void {
    const before = new Map(this.#watched);
    this.#watched.clear();
    for (const { name: bridge, switch: on } of state.bridges) {
      const who = bindings.filter((b) => b.bridge === bridge && b.carried?.teaming.detection === 'beacon');
      if (who.length === 0) continue;
      const circle = before.get(bridge)?.circle ?? new Circle(on, this.figures);
      const vlans = vlansOf(who).slice(0, this.figures.vlans);
      this.#watched.set(bridge, { circle, bridge, uplinks: uplinksOf(who), vlans });
    }
    this.#forget();
    if (this.#watched.size > 0) this.#rounds.begin();
    else this.#rounds.end();
  }

  telemetry(): Partial<Telemetry> {
    const beacons = [...this.#said].flatMap(([on, said]) =>
      [...said].map(([uplink, state]) => ({ switch: on, uplink, state })),
    );
    return beacons.length === 0 ? {} : { beacons };
  }

  close(): Promise<void> {
    return this.#rounds.close();
  }

  /** What was heard of the last round is judged before the next. */
  async #speak(isFirst: boolean): Promise<void> {
    if (!isFirst) for (const watched of this.#watched.values()) this.#judge(watched);
    this.#round += 1;
    for (const watched of this.#watched.values()) {
      try {
        for (const uplink of this.#live(watched)) await this.#speakBy(uplink, watched);
      } catch (cause) {
        watched.circle.spoil(String(cause));
      }
    }
  }

  async #speakBy({ key, mac, ofport }: Uplink, { bridge, circle, vlans }: Watched): Promise<void> {
    if (mac === undefined) return;
    for (const vlan of vlans) {
      const said = { from: key, vlan, round: this.#round };
      await this.host.driver.packetOut(bridge, ofport, beaconFrame(said, mac, circle.on, this.#secret));
    }
  }

  #take({ bridge, frame, notice, metadata }: HandedFrame): void {
    const watched = this.#watched.get(bridge);
    if (watched === undefined) return;
    const { circle } = watched;
    const beacon = readBeacon(frame, circle.on, this.#secret);
    const vlan = readTold(metadata).segment;
    if (beacon?.round !== this.#round || beacon.vlan !== vlan) circle.noise();
    else circle.hear(beacon, notice.slot);
  }

  #live({ circle, uplinks }: Watched): readonly Uplink[] {
    const up = this.host.memory.teaming.live[circle.on] ?? [];
    const live = uplinks.filter(({ name }) => up.includes(name));
    return live.length < 2 ? [] : live;
  }

  #judge(watched: Watched): void {
    const { memory } = this.host;
    const { circle, uplinks, vlans } = watched;
    const live = this.#live(watched);
    const known = memory.teaming.unhealthy[circle.on] ?? [];
    const before = new Set(uplinks.flatMap(({ name, key }) => (known.includes(name) ? [key] : [])));
    const judged = circle.judge(live, vlans, before);
    this.#complain(circle.on, 'why' in judged ? judged.why : null);
    if ('why' in judged) return;
    this.#said.set(
      circle.on,
      new Map(live.map(({ name, key }) => [name, judged.said.get(key) ?? 'unknown'])),
    );
    // Of one whose link is down nothing new is known.
    const now = uplinks.filter(({ key }) => (judged.said.has(key) ? judged.alone : before).has(key));
    this.#become(circle.on, known, now.map(({ name }) => name).sort());
  }

  /** Once, not in every round. */
  #complain(on: string, why: string | null): void {
    if (why === null) this.#inDoubt.delete(on);
    else if (!this.#inDoubt.has(on)) {
      this.#inDoubt.add(on);
      this.host.log.warn({ switch: on, reason: why }, 'beacons prove nothing now: uplinks stay as they are');
    }
  }

  #become(on: string, before: readonly string[], now: readonly string[]): void {
    const failed = now.filter((uplink) => !before.includes(uplink));
    const back = before.filter((uplink) => !now.includes(uplink));
    if (failed.length === 0 && back.length === 0) return;
    const { memory, log } = this.host;
    const { unhealthy, passedOver, ...rest } = memory.teaming;
    const late = (passedOver[on] ?? []).filter((uplink) => !failed.includes(uplink));
    memory.teaming = {
      ...rest,
      unhealthy: { ...unhealthy, [on]: now },
      // Ports without failback do not go back to it either.
      passedOver: failed.length === 0 ? passedOver : { ...passedOver, [on]: [...late, ...failed] },
    };
    log.warn({ switch: on, failed, back }, 'uplinks with a link that lead nowhere, by their beacons');
    this.host.kick();
  }

  /** Of switches where nobody wants to know any more. */
  #forget(): void {
    const { memory } = this.host;
    const asked = new Set([...this.#watched.values()].map(({ circle }) => circle.on));
    for (const on of this.#said.keys()) if (!asked.has(on)) this.#said.delete(on);
    const entries = Object.entries(memory.teaming.unhealthy);
    const kept = entries.filter(([on]) => asked.has(on));
    if (kept.length < entries.length)
      memory.teaming = { ...memory.teaming, unhealthy: Object.fromEntries(kept) };
  }
}

export const beacons: MakeService = (host) => new BeaconService(host);

function uplinksOf(bindings: readonly CompiledBinding[]): Uplink[] {
  const all = new Map(bindings.flatMap(({ carried }) => (carried?.uplinks ?? []).map((u) => [u.key, u])));
  return [...all.values()].sort((a, b) => a.key - b.key);
}

/** One of each range: a trunk may have thousands. */
function vlansOf(bindings: readonly CompiledBinding[]): number[] {
  const firsts = bindings.flatMap(({ carried }) => (carried?.tags ?? []).map(({ from }) => from));
  return [...new Set(firsts)].sort((a, b) => a - b);
}
