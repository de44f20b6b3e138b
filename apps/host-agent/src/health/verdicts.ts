import { type HealthFault } from '#contracts';
import { has, laneKey, type Lane, type Use } from './lanes.js';
import { type VlanRange } from './probe.js';

/** What came of one round of probes. */
export interface Round {
  readonly small: readonly Lane[];
  /** Probed at the switch's full MTU, too. */
  readonly full: readonly Lane[];
  /** Lanes by key, with the hosts that answered. */
  readonly answers: { readonly small: Answers; readonly full: Answers };
  /** Uplinks by name, `a b` sorted, and VLAN, of which one brought what the other sent. */
  readonly reflected: ReadonlySet<string>;
}

type Answers = ReadonlyMap<string, ReadonlySet<string>>;

/** One that is lost, or late, is no fault of the fabric. */
export const PATIENCE = 3;

export const pairKey = (a: string, b: string): string => [a, b].sort().join(' ');

/**
 * What rounds of probes say of the fabric. An uplink is blamed for a VLAN only if nobody at all answers there, while a
 * host that uses the VLAN is heard in the same round elsewhere: a host that is down answers nowhere.
 */
export class Verdicts {
  /** Rounds in a row that speak for a fault, by what it would be. */
  readonly #count = new Map<string, number>();
  readonly #faults = new Map<string, HealthFault & { readonly uplink: string }>();
  /** Lanes of the last round in which they were probed. */
  readonly #heard = new Map<string, boolean>();

  judge(round: Round, { lanes, hashed }: Use, vlansOf: (host: string) => readonly VlanRange[]): void {
    const alive = [...new Set([...round.answers.small.values()].flatMap((hosts) => [...hosts]))].filter(
      (host) => vlansOf(host).length > 0,
    );
    this.#forgetAllBut(lanes);
    for (const lane of round.small) {
      const key = laneKey(lane.uplink.uplink, lane.vlan);
      const isHeard = round.answers.small.has(key);
      this.#heard.set(key, isHeard);
      const others = alive.filter((host) => has(vlansOf(host), lane.vlan));
      // Without anybody who could answer nothing speaks for a fault any more. If others answer this time, nothing speaks
      // for or against it.
      if (isHeard || alive.length === 0) this.#acquit('vlan', lane);
      else if (others.length > 0) this.#blame('vlan', lane, notCarried(lane, others));
    }
    for (const lane of round.full) {
      const key = laneKey(lane.uplink.uplink, lane.vlan);
      if (round.answers.full.has(key) || alive.length === 0) this.#acquit('mtu', lane);
      else if (round.answers.small.has(key)) this.#blame('mtu', lane, tooSmall(lane));
    }
    this.#judgeTeams(round, hashed);
  }

  get faults(): readonly (HealthFault & { readonly uplink: string })[] {
    return [...this.#faults.values()];
  }

  /** VLANs that do not get through, sorted, by uplink. */
  missing(): ReadonlyMap<string, readonly number[]> {
    const found = new Map<string, number[]>();
    for (const { uplink, kind, vlan } of this.#faults.values())
      if (kind === 'vlan')
        found.set(
          uplink,
          [...(found.get(uplink) ?? []), vlan].sort((a, b) => a - b),
        );
    return found;
  }

  /** Lanes of an uplink in which somebody answered last, and in which nobody did. */
  lanesOf(uplink: string): { readonly answered: number; readonly unheard: number } {
    const mine = [...this.#heard].filter(([key]) => key.startsWith(`${uplink} `));
    const answered = mine.filter(([, isHeard]) => isHeard).length;
    return { answered, unheard: mine.length - answered };
  }

  /**
   * A pair of uplinks of which each is answered by the same host in the same VLAN leads to the same segment. One VLAN tells
   * as much as all of them.
   */
  #judgeTeams({ small, answers, reflected }: Round, hashed: Use['hashed']): void {
    const judged = new Set<string>();
    for (const a of small)
      for (const b of small) {
        if (a.vlan !== b.vlan || a.uplink.key >= b.uplink.key) continue;
        const names = [a.uplink.uplink, b.uplink.uplink] as const;
        const [ofA, ofB] = names.map((name) => answers.small.get(laneKey(name, a.vlan)) ?? new Set<string>());
        const key = pairKey(...names);
        if (judged.has(key) || ![...(ofA ?? [])].some((host) => ofB?.has(host))) continue;
        judged.add(key);
        const isOneLink = !reflected.has(`${key} ${a.vlan}`);
        const isHashed = hashed.some((team) => names.every((name) => team.has(name)));
        const isLag = a.uplink.document.lags.length > 0;
        if (isOneLink === isHashed || isLag) this.#acquit('teaming', a, names[1]);
        else this.#blame('teaming', a, mismatched(names, isHashed), names[1]);
      }
  }

  /** `other`: the uplink that it would be a fault together with. */
  #blame(kind: HealthFault['kind'], { uplink, vlan }: Lane, reason: string, other = ''): void {
    const key = `${kind}${other} ${laneKey(uplink.uplink, vlan)}`;
    const count = (this.#count.get(key) ?? 0) + 1;
    this.#count.set(key, count);
    if (count >= PATIENCE) this.#faults.set(key, { uplink: uplink.uplink, kind, vlan, reason });
  }

  #acquit(kind: HealthFault['kind'], { uplink, vlan }: Lane, other = ''): void {
    const key = `${kind}${other} ${laneKey(uplink.uplink, vlan)}`;
    this.#count.delete(key);
    this.#faults.delete(key);
  }

  #forgetAllBut(lanes: readonly Lane[]): void {
    const used = new Set(lanes.map(({ uplink, vlan }) => laneKey(uplink.uplink, vlan)));
    for (const key of this.#heard.keys()) if (!used.has(key)) this.#heard.delete(key);
    for (const map of [this.#count, this.#faults])
      for (const key of map.keys()) if (!used.has(key.slice(key.indexOf(' ') + 1))) map.delete(key);
  }
}

const at = ({ uplink }: Lane): string => `${uplink.uplink} (${uplink.iface.name})`;
const inVlan = (vlan: number): string => (vlan === 0 ? 'without a tag' : `of VLAN ${vlan}`);
const SHOWN = 3;

const notCarried = (lane: Lane, hosts: readonly string[]): string =>
  `frames ${inVlan(lane.vlan)} do not get through by ${at(lane)}, and ${hosts.slice(0, SHOWN).join(', ')} ` +
  `${hosts.length === 1 ? 'uses' : 'use'} it, too: the port of the physical switch has to carry it`;

const tooSmall = (lane: Lane): string =>
  `frames ${inVlan(lane.vlan)} with ${lane.uplink.document.mtu} bytes, the switch's mtu, do not get through by ` +
  `${at(lane)}, and small ones do: the port of the physical switch has to take them, or the switch's mtu to be less`;

const mismatched = ([a, b]: readonly [string, string], isHashed: boolean): string =>
  isHashed
    ? `ports are spread over ${a} and ${b} by the hash of addresses, and the physical switch does not take them for one link: bundle its ports, or choose another teaming mode`
    : `the physical switch takes ${a} and ${b} for one link, and no port is spread over them by the hash of addresses: take its ports apart, or choose the teaming mode ip-hash`;
