import { messageOf, problem, ProblemError, type Clock, type Lineage, type Revision } from '#kernel';
import { type Compiled, type Desired, type LocalFacts } from '#compiler';
import {
  applyStep,
  samePieces,
  standing,
  standsAlone,
  withRows,
  type DataplaneState,
  type Driver,
  type DriverEvent,
  type Observation,
  type ObservedRows,
  type PortBaseline,
  type Step,
} from '#openflow';
import { type Snapshot } from '#protocol';
import { Baseline } from '../drift/baseline.js';
import { Heard, isCache, withoutCache, type Told } from './heard.js';
import { Calm } from './calm.js';
import { planOf, planSince, type Planned } from './plan.js';
import { speechless } from './speechless.js';
import { Zones } from './zones.js';

/** What a pass works on: the documents held, and up to which revision they are known to be whole. */
export interface Wanted {
  readonly desired: Desired;
  readonly lineage: Lineage;
  readonly received: Revision;
  readonly faults: Snapshot['faults'];
  /** What the disk held since before the host was started, and the centre has not spoken of yet. */
  readonly unconfirmed?: true;
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
  /** What stands now, against what was carried out last; a restart in between is no difference. `since`: monotonic ms. */
  compared(installed: DataplaneState, have: Observation, since: number, baseline: PortBaseline): void;
  /** Flows changed by others' hands, or were read. */
  stands(have: Observation): void;
  done(result: PassResult): Promise<void>;
  failed(problem: string, retry: boolean): void;
  /** 0 to 1: hosts that fail together do not retry together. */
  random(): number;
}

/** Passes until nothing is left to do: a new bridge brings new interfaces, which bring new flows. */
const LONGEST_CHASE = 4;

/**
 * The one loop that changes the switch: compile → diff → order → apply, from current documents and facts only;
 * whatever changed meanwhile starts another pass. What stands on the switch is read once and then followed through
 * the steps applied and what the switch tells of others' changes; every doubt (an error, a reconnect, two hands on one
 * thing at a time) reads it anew. Where it is known to be just what the last pass wanted, only what is wanted otherwise
 * now is looked at.
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
  /** Others' changes are in what stands that were not compared yet. */
  #noted = false;
  /** What the steps that are being applied bring about: until all are, nobody knows what was carried out. */
  #changing: DataplaneState | null = null;
  #reading = false;
  readonly #heard = new Heard();
  readonly #baseline = new Baseline();
  readonly #calm: Calm;
  readonly zones = new Zones();
  /** What plans that failed still owe: the flows may stand already, but are not effective before. */
  #owed: readonly Step[] = [];
  /** Rows of bridges that could not be spoken with, as they were found: no reading has come by since. */
  #speechless: ObservedRows | null = null;
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
  ) {
    this.#calm = new Calm(clock, () => this.kick());
  }

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
    switch (event.kind) {
      case 'flows':
      case 'groups':
      case 'meters':
        return this.#drifted(event);
      case 'interfaces':
      case 'ovsdb':
        if (event.kind === 'ovsdb' && [...event.columns].every(isOfSwitch)) return;
        this.#interfacesStale = true;
        this.#doubtedAt ??= this.clock.monotonic();
        return this.kick();
      case 'up':
        this.#doubt();
        return this.kick();
      case 'down':
        this.#doubt();
        this.#restarted = true;
        return;
      case 'packet-in':
        return;
    }
  }

  /** What others changed is known in full: only where our own change may be before or after it the switch is read. */
  #drifted(told: Told): void {
    if (isCache(told)) return;
    this.#doubtedAt ??= this.clock.monotonic();
    if (this.#have === null || this.#reading) this.#doubt();
    else {
      this.#heard.add(told);
      if (this.#running === null) this.#absorb();
    }
    if (!this.#dirty) this.#calm.kick();
  }

  #absorb(): void {
    if (this.#heard.isEmpty) return;
    if (this.#have === null) return this.#heard.clear();
    const now = this.#heard.into(this.#have);
    if (now === null) this.#doubt();
    else this.#have = now;
    this.#noted = true;
  }

  /** Reads everything anew at the next pass. */
  distrust(): void {
    this.#have = null;
    this.kick();
  }

  #doubt(): void {
    this.#have = null;
    this.#heard.clear();
    this.#doubts += 1;
    this.#doubtedAt ??= this.clock.monotonic();
  }

  get observation(): Observation | null {
    return this.#have;
  }

  /** Nothing runs, waits or is in doubt: what the last pass said still holds. */
  get idle(): boolean {
    const known = this.#have !== null && !this.#interfacesStale && !this.#noted;
    return known && this.#running === null && !this.#dirty;
  }

  /** A pass runs or will: what it works on is asked for when it begins, and it tells of its end. */
  get pending(): boolean {
    return this.#running !== null || this.#dirty || this.#retry !== null || this.#calm.waits;
  }

  /** A plan may be on its way to the switch. */
  get busy(): boolean {
    return this.#running !== null;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#calm.close();
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
        this.#forgetInstalled();
        this.#alone = null;
        this.#dirty = true;
        this.#later(cause);
        return;
      }
    }
  }

  /** Where nothing was begun, or just what others changed was to be mended, what must stand is known as before. */
  #forgetInstalled(): void {
    const [wanted, installed] = [this.#changing, this.#installed];
    this.#changing = null;
    if (wanted !== null && installed !== null && !samePieces(wanted, installed)) this.#installed = null;
  }

  async #chase(wanted: Wanted): Promise<void> {
    const steps: Step[] = [];
    for (let pass = 0; pass < LONGEST_CHASE; pass += 1) {
      const have = await this.#observe();
      const facts = await this.hooks.facts(wanted, have);
      const compiled = this.hooks.compile(wanted.desired, { ...facts, interfaces: have.interfaces });
      const since = have === this.#have && have.bridges === this.#alone?.bridges ? this.#alone.state : null;
      const baseline = this.#baseline.follow(have.interfaces);
      const foreign = wanted.desired.host.foreignFlows === 'remove' ? 'remove' : 'leave';
      const forget = this.zones.left(compiled, have);
      const quick =
        since === null || forget.length > 0 ? null : planSince(compiled, since, have.interfaces, baseline);
      const { steps: planned, exceptions: conflicts } =
        quick ?? planOf(compiled, facts, have, { foreign, baseline, forget });
      const now = [...planned, ...this.#stillOwed(planned, have)];
      await this.hooks.planned(compiled, now);
      this.zones.planned(compiled);
      this.#changing = now.length > 0 ? compiled.state : null;
      await this.#apply(now, quick !== null);
      this.#changing = null;
      this.zones.carriedOut(compiled, now);
      this.#installed = compiled.state;
      this.#noteAlone(compiled.state, quick !== null, conflicts.length > 0);
      this.#absorb();
      this.#heard.clear();
      steps.push(...now);
      const unsettled = now.some((s) => s.kind === 'ovsdb') || this.#have === null || this.#noted;
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
    this.#absorb();
    const before = this.#have;
    if (before === null) return this.#read();
    if (!this.#interfacesStale && !this.#noted) return before;
    const since = this.#doubtedAt ?? this.clock.monotonic();
    const hasNews = this.#noted;
    this.#doubtedAt = null;
    this.#noted = false;
    let now = before;
    if (this.#interfacesStale) {
      this.#interfacesStale = false;
      const rows = await this.driver.rows();
      const with_ = withRows(before, rows);
      if (with_ === null) {
        this.#doubt();
        return this.#read();
      }
      now = with_;
      // Null: a doubt arose meanwhile, and this serves the pass only.
      if (this.#have !== null) this.#have = now;
    }
    if (hasNews) this.hooks.stands(now);
    this.#compare(now, since);
    return now;
  }

  async #read(): Promise<Observation> {
    this.#interfacesStale = false;
    this.#noted = false;
    const doubts = this.#doubts;
    const since = this.#doubtedAt ?? this.clock.monotonic();
    this.#reading = true;
    let have: Observation;
    try {
      // The reading may fail over the mending, as the switch hangs up for it: what was found is told by the next one.
      this.#speechless = (await this.#mendSpeechless()) ?? this.#speechless;
      have = withoutCache(await this.driver.read());
    } finally {
      this.#reading = false;
    }
    this.#doubtedAt = null;
    // What changed during the reading may or may not be in it: it serves this pass, and the next reads again.
    if (doubts === this.#doubts) this.#have = have;
    else this.#doubtedAt = this.clock.monotonic();
    if (this.#first) this.#owed = have.bridges.map(waitsFor);
    this.#first = false;
    this.hooks.readBack(have);
    this.hooks.stands(have);
    this.#compare((this.#speechless && withRows(have, this.#speechless)) ?? have, since);
    this.#speechless = null;
    this.#restarted = false;
    return have;
  }

  /** A bridge that was made to speak an older OpenFlow only can't be read before that is mended: its rows as found. */
  async #mendSpeechless(): Promise<ObservedRows | null> {
    const rows = await this.driver.rows();
    const changes = speechless(rows, this.#installed);
    if (changes.length === 0) return null;
    await this.driver.apply({ kind: 'ovsdb', changes });
    return rows;
  }

  /** A switch that was away lost its flows by itself: that is no drift; its rows are not lost by that. */
  #compare(have: Observation, since: number): void {
    if (this.#installed === null) return;
    const seen = this.#restarted ? standing(this.#installed, have) : have;
    this.hooks.compared(this.#installed, seen, since, this.#baseline.follow(have.interfaces));
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
      this.#heard.touched(step);
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
    const reason = messageOf(cause);
    const retry = !(cause instanceof ProblemError) || cause.problem.retry;
    this.hooks.failed(reason, retry);
    const delay = Math.min(2_000, 25 * 2 ** Math.min(this.#failures, 8)) * (0.5 + this.hooks.random() / 2);
    this.#retry = this.clock.after(delay, () => {
      this.#retry = null;
      this.kick();
    });
  }
}

/** Columns that say nothing of bridges. */
const isOfSwitch = (column: string): boolean => column.startsWith('Open_vSwitch.');

/** The bridge whose earlier changes a step makes effective; null: it changes something itself. */
const bridgeOf = (step: Step): string | null =>
  step.kind === 'effective' || step.kind === 'purge' || step.kind === 'flush' ? step.bridge : null;

/** Two flushes are of different connections. */
const sameWait = (a: Step, b: Step): boolean =>
  a.kind !== 'flush' && a.kind === b.kind && bridgeOf(a) === bridgeOf(b);

/**
 * An earlier run of the agent may have died between its bundle and what makes it effective. The cache is not emptied:
 * where it is large, every connection would ask anew at once, and a `learn` that was just armed fires at the next
 * statistics of its decision all the same.
 */
const waitsFor = ({ name }: { readonly name: string }): Step => ({ kind: 'effective', bridge: name });
