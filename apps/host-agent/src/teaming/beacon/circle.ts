import { type Uplink } from '#compiler';
import { type Beacon } from './frame.js';
import { Patience, verdicts, worst, type Verdict } from './hearing.js';

export interface BeaconFigures {
  /** Milliseconds between two rounds; what is said in one has to be heard in it. */
  readonly intervalMs: number;
  /** Rounds in a row that it takes to believe something. */
  readonly rounds: number;
  /** VLANs that are looked at. */
  readonly vlans: number;
  /** Frames that a round brings at most that nobody can have said in it: more, and it proves nothing. */
  readonly noise: number;
}

export const BEACON_FIGURES: BeaconFigures = { intervalMs: 1_000, rounds: 3, vlans: 32, noise: 100 };

/** The uplinks of one switch that listen for each other. */
export class Circle {
  #heard = new Set<string>();
  #noise = 0;
  #spoilt: string | null = null;
  readonly #patience: Patience;

  constructor(
    readonly on: string,
    private readonly figures: BeaconFigures,
  ) {
    this.#patience = new Patience(figures.rounds);
  }

  /** That it was said in this round, by whom, and where. */
  hear({ from, vlan }: Beacon, by: number): void {
    const what = word(vlan, from, by);
    if (from === by || this.#heard.has(what)) this.noise();
    else this.#heard.add(what);
  }

  /** Something that nobody can have said, or that was said already. Frames of others may have driven out our own. */
  noise(): void {
    this.#noise += 1;
  }

  /** Something could not be said: that it was not heard proves nothing. */
  spoil(why: string): void {
    this.#spoilt = why;
  }

  /** Ends the round: what it told of each uplink, and who is alone now; or why it proves nothing. */
  judge(
    uplinks: readonly Uplink[],
    vlans: readonly number[],
    before: ReadonlySet<number>,
  ):
    | { readonly said: ReadonlyMap<number, Verdict>; readonly alone: ReadonlySet<number> }
    | { readonly why: string } {
    const heard = this.#heard;
    const why = this.#spoilt ?? (this.#noise > this.figures.noise ? NOISY : null);
    this.#heard = new Set();
    this.#noise = 0;
    this.#spoilt = null;
    if (why !== null) return { why };
    const keys = uplinks.map(({ key }) => key);
    const each = vlans.map((vlan) => verdicts(keys, (from, by) => heard.has(word(vlan, from, by))));
    const said = new Map(keys.map((key) => [key, worst(each.map((of) => of.get(key) ?? 'unknown'))]));
    return { said, alone: this.#patience.after(said, before) };
  }
}

const NOISY = 'too many frames look like them and are not';

const word = (vlan: number, from: number, by: number): string => `${vlan} ${from} ${by}`;
