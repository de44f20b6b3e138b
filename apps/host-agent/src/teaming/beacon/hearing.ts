/** `alone`: it leads nowhere; `unknown`: it can't be known which one does not. */
export type Verdict = 'heard' | 'alone' | 'unknown';

/**
 * Uplinks of one switch in one VLAN, by who heard whom. Two that hear each other lead to one place. One that has nobody
 * is alone, if there are others that have; where nobody hears anybody, any of them may be the one that is well: so it is
 * of two.
 */
export function verdicts(
  uplinks: readonly number[],
  heard: (from: number, by: number) => boolean,
): ReadonlyMap<number, Verdict> {
  const both = (a: number, b: number): boolean => a !== b && heard(a, b) && heard(b, a);
  const joined = new Set(uplinks.filter((a) => uplinks.some((b) => both(a, b))));
  const otherwise = joined.size === 0 ? 'unknown' : 'alone';
  return new Map(uplinks.map((uplink) => [uplink, joined.has(uplink) ? 'heard' : otherwise]));
}

const WORST: readonly Verdict[] = ['alone', 'unknown', 'heard'];

/** Of an uplink in all VLANs: it has to lead somewhere in each. */
export const worst = (said: readonly Verdict[]): Verdict =>
  WORST.find((verdict) => said.includes(verdict)) ?? 'unknown';

/** Believes what was so for some rounds in a row: a beacon may be lost. */
export class Patience {
  readonly #against = new Map<number, number>();

  constructor(private readonly rounds: number) {}

  /** Who is alone after this round, of whom `before` were. */
  after(round: ReadonlyMap<number, Verdict>, before: ReadonlySet<number>): ReadonlySet<number> {
    const alone = new Set([...before].filter((uplink) => round.has(uplink)));
    for (const [uplink, verdict] of round) {
      const contradicts = verdict === (before.has(uplink) ? 'heard' : 'alone');
      const count = contradicts ? (this.#against.get(uplink) ?? 0) + 1 : 0;
      this.#against.set(uplink, count < this.rounds ? count : 0);
      if (count < this.rounds) continue;
      if (verdict === 'alone') alone.add(uplink);
      else alone.delete(uplink);
    }
    for (const uplink of this.#against.keys()) if (!round.has(uplink)) this.#against.delete(uplink);
    return alone;
  }
}
