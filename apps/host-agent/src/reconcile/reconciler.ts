import { problem, type Clock, type Lineage, type Revision, ProblemError } from '#kernel';
import { type Compiled, type Desired, type LocalFacts } from '#compiler';
import {
  applyStep,
  standing,
  standsAlone,
  type DataplaneState,
  type Driver,
  type DriverEvent,
  type Observation,
  type Step,
} from '#openflow';
import { type Snapshot } from '#protocol';
import { planOf, planSince, type Planned } from './plan.js';

/** What a pass works on: the documents held, and up to which revision they are known to be whole. */
export interface Wanted {
  readonly desired: Desired;
  readonly lineage: Lineage;
  readonly received: Revision;
  readonly faults: Snapshot['faults'];
}

export interface PassResult {
  readonly wanted: Wanted;
  readonly compiled: Compiled;
  readonly steps: readonly Step[];
  /** What the switch does not let us do: a bridge of ours that is somebody else's, say. */
  readonly conflicts: Planned['exceptions'];
  /** What stands on the switch after the pass. */
  readonly have: Observation;
}

/** What the reconciler asks of and tells the agent around it. */
export interface ReconcilerHooks {
  wanted(): Wanted | null;
  /** Local facts other than the interfaces; slots are allotted, and on disk when this resolves. */
  facts(wanted: Wanted, have: Observation): Promise<Omit<LocalFacts, 'interfaces'>>;
  compile(desired: Desired, facts: LocalFacts): Compiled;
  /** What is about to be carried out; it is when this resolves. */
  planned(compiled: Compiled, steps: readonly Step[]): Promise<void>;
  /** A full read-back was made: learned rows may hold news. */
  readBack(have: Observation): void;
  /** The switch was read and told of no restart since `installed` was carried out. `since`: monotonic ms. */
  compared(installed: DataplaneState, have: Observation, since: number): void;
  done(result: PassResult): Promise<void>;
  failed(problem: string, retry: boolean): void;
  /** 0 to 1: hosts that fail together do not retry together. */
  random(): number;
}

/** Passes until nothing is left to do: a new bridge brings new interfaces, which bring new flows. */
const LONGEST_CHASE = 4;

/** After these nobody knows what stands but the switch. */
const DOUBTS: ReadonlySet<DriverEvent['kind']> = new Set(['flows', 'groups', 'meters', 'up', 'down']);

/**
 * The one loop that changes the switch: compile → diff → order → apply, from current documents and facts only;
 * whatever changed meanwhile starts another pass. What stands on the switch is read once and then followed through
 * the steps applied; every doubt (an error, drift, a reconnect) reads it anew. Where it is known to be just what the
 * last pass wanted, only what is wanted otherwise now is looked at.
 */
export class Reconciler {
  #have: Observation | null = null;
  /** What the last plan brought about; null while that is not known. */
  #installed: DataplaneState | null = null;
  /** What is known to be all that stands on these bridges; null: there is more, or it is not known. */
  #alone: { readonly state: DataplaneState; readonly bridges: Observation['bridges'] } | null = null;
  /** Goes up with everything that the switch tells of its flows: a reading that it interrupts is not kept. */
  #doubts = 0;
  /** Monotonic ms of the first such word since the last reading. */
  #doubtedAt: number | null = null;
  #restarted = false;
  #interfacesStale = false;
  /** What plans that failed still owe: the flows may stand already, but are not effective before. */
  #owed: readonly Step[] = [];
  #first = true;
  #dirty = false;
  #running: Promise<void> | null = null;
  #closed = false;
  #retry: (() => void) | null = null;
  #failures = 0;

  constructor(
    private readonly driver: Driver,
    private readonly clock: Clock,
    private readonly hooks: ReconcilerHooks,
  ) {}

  /** Something that a pass depends on changed. */
  kick(): void {
    if (this.#closed) return;
    this.#dirty = true;
    this.#retry?.();
    this.#retry = null;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      if (this.#dirty && !this.#closed && this.#retry === null) this.kick();
    });
  }

  /** Something was told by the switch itself. */
  noticed(event: DriverEvent): void {
    if (event.kind === 'interfaces') this.#interfacesStale = true;
    else if (DOUBTS.has(event.kind)) this.#doubt();
    if (event.kind === 'down') this.#restarted = true;
    if (event.kind !== 'down' && event.kind !== 'packet-in' && event.kind !== 'ovsdb') this.kick();
  }

  /** Reads everything anew at the next pass. */
  distrust(): void {
    this.#have = null;
    this.kick();
  }

  #doubt(): void {
    this.#have = null;
    this.#doubts += 1;
    this.#doubtedAt ??= this.clock.monotonic();
  }

  get observation(): Observation | null {
    return this.#have;
  }

  /** Nothing runs, waits or is in doubt: what the last pass said still holds. */
  get idle(): boolean {
    return this.#running === null && !this.#dirty && this.#have !== null && !this.#interfacesStale;
  }

  /** A pass runs or will: what it works on is asked for when it begins, and it tells of its end. */
  get pending(): boolean {
    return this.#running !== null || this.#dirty || this.#retry !== null;
  }

  /** A plan may be on its way to the switch. */
  get busy(): boolean {
    return this.#running !== null;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.();
    this.#retry = null;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#dirty && !this.#closed) {
      this.#dirty = false;
      const wanted = this.hooks.wanted();
      if (wanted === null) return;
      try {
        await this.#chase(wanted);
        this.#failures = 0;
      } catch (cause) {
        this.#have = null;
        this.#installed = null;
        this.#alone = null;
        this.#dirty = true;
        this.#later(cause);
        return;
      }
    }
  }

  async #chase(wanted: Wanted): Promise<void> {
    const steps: Step[] = [];
    for (let pass = 0; pass < LONGEST_CHASE; pass += 1) {
      const have = await this.#observe();
      const facts = await this.hooks.facts(wanted, have);
      const compiled = this.hooks.compile(wanted.desired, { ...facts, interfaces: have.interfaces });
      const since = have === this.#have && have.bridges === this.#alone?.bridges ? this.#alone.state : null;
      const quick = since === null ? null : planSince(compiled, since, have.interfaces);
      const { steps: planned, exceptions: conflicts } = quick ?? planOf(compiled, facts, have);
      const now = [...planned, ...this.#stillOwed(planned, have)];
      await this.hooks.planned(compiled, now);
      await this.#apply(now, quick !== null);
      this.#installed = compiled.state;
      this.#noteAlone(compiled.state, quick !== null, conflicts.length > 0);
      steps.push(...now);
      const unsettled = now.some((s) => s.kind === 'ovsdb') || this.#have === null;
      if (pass < LONGEST_CHASE - 1 && (unsettled || this.#interfacesStale)) {
        this.#interfacesStale = true;
        continue;
      }
      // Nobody has seen yet what the last steps brought about: nothing may be claimed.
      if (unsettled)
        throw new ProblemError(
          problem('unavailable', 'the switch does not come to rest while it is changed'),
        );
      await this.hooks.done({ wanted, compiled, steps, conflicts, have: this.#have ?? have });
      return;
    }
  }

  async #observe(): Promise<Observation> {
    if (this.#have === null) {
      this.#interfacesStale = false;
      const doubts = this.#doubts;
      const since = this.#doubtedAt ?? this.clock.monotonic();
      this.#doubtedAt = null;
      const have = await this.driver.read();
      // What changed during the reading may or may not be in it: it serves this pass, and the next reads again.
      if (doubts === this.#doubts) this.#have = have;
      if (this.#first) this.#owed = have.bridges.flatMap(waits);
      this.#first = false;
      this.hooks.readBack(have);
      this.#compare(have, since);
      this.#restarted = false;
      return have;
    }
    if (this.#interfacesStale) {
      this.#interfacesStale = false;
      const before = this.#have;
      const now = { ...before, interfaces: await this.driver.interfaces() };
      if (lostBridge(before, now)) {
        this.#doubt();
        return this.#observe();
      }
      if (this.#have !== null) this.#have = now;
      this.#compare(now, this.clock.monotonic());
      return now;
    }
    return this.#have;
  }

  /** A switch that was away lost its flows by itself: that is no drift. */
  #compare(have: Observation, since: number): void {
    if (this.#installed !== null && !this.#restarted) this.hooks.compared(this.#installed, have, since);
  }

  /** A step that failed leaves no difference behind for the next plan to see. */
  #stillOwed(planned: readonly Step[], have: Observation): readonly Step[] {
    return this.#owed.filter(
      (owed) =>
        have.bridges.some((b) => b.name === bridgeOf(owed)) && !planned.some((p) => sameWait(p, owed)),
    );
  }

  /** `alone`: when all is done, just what is wanted stands, and what each step does to it need not be followed. */
  async #apply(steps: readonly Step[], alone: boolean): Promise<void> {
    this.#owed = steps.filter((step) => bridgeOf(step) !== null);
    for (const step of steps) {
      await this.driver.apply(step);
      this.#owed = this.#owed.filter((owed) => owed !== step);
      // Null: the switch told of something else meanwhile; the next pass reads it all.
      if (this.#have !== null && (!alone || step.kind === 'ovsdb')) this.#have = applyStep(this.#have, step);
    }
  }

  /** Whether the next plan needs to look only at what is wanted otherwise than in this one, which was carried out. */
  #noteAlone(state: DataplaneState, quick: boolean, conflicts: boolean): void {
    this.#alone = null;
    if (this.#have === null || conflicts) return;
    if (quick) this.#have = standing(state, this.#have);
    else if (!standsAlone(state, this.#have)) return;
    this.#alone = { state, bridges: this.#have.bridges };
  }

  #later(cause: unknown): void {
    this.#failures += 1;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const retry = !(cause instanceof ProblemError) || cause.problem.retry;
    this.hooks.failed(reason, retry);
    const delay = Math.min(2_000, 25 * 2 ** Math.min(this.#failures, 8)) * (0.5 + this.hooks.random() / 2);
    this.#retry = this.clock.after(delay, () => {
      this.#retry = null;
      this.kick();
    });
  }
}

/** A bridge went with all that was plugged into it: what is known of it holds no longer. */
function lostBridge(before: Observation, now: Observation): boolean {
  const has = (o: Observation, bridge: string): boolean => o.interfaces.some((i) => i.bridge === bridge);
  return before.bridges.some((b) => has(before, b.name) && !has(now, b.name));
}

/** The bridge whose earlier changes a step makes effective; null: it changes something itself. */
const bridgeOf = (step: Step): string | null =>
  step.kind === 'effective' || step.kind === 'purge' || step.kind === 'flush' ? step.bridge : null;

/** Two flushes are of different connections. */
const sameWait = (a: Step, b: Step): boolean =>
  a.kind !== 'flush' && a.kind === b.kind && bridgeOf(a) === bridgeOf(b);

/** An earlier run of the agent may have died between its bundle and what makes it effective. */
const waits = ({ name }: { readonly name: string }): readonly Step[] => [
  { kind: 'purge', bridge: name },
  { kind: 'effective', bridge: name },
];
