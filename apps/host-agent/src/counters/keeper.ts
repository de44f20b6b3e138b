import { equalJson, type Clock, type Epoch, type IdGenerator, type PortId } from '#kernel';
import { type Fact, type RawCounters } from '#domain';
import { ZERO_COUNTERS } from '#domain/on-host';
import { type CounterSample } from '#contracts';
import { type Driver, type MeterStats } from '#openflow';
import { bindingKey, parseBindingKey, type BindingKey, type Incarnation } from '../state/memory.js';
import { droppedOf, meterIds, observe, readingOf, type CountMeters, type Incarnations } from './counters.js';

/** A binding whose meters stand on the switch. */
export interface CountedBinding {
  readonly port: PortId;
  readonly epoch: Epoch;
  readonly role: 'active' | 'standby' | 'retired';
  readonly bridge: string;
  readonly meters: CountMeters;
  /** What passed policy, and what there was before it. */
  readonly passing?: { readonly in: number; readonly out: number };
}

export interface KeeperParts {
  readonly driver: Pick<Driver, 'meterStats'>;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  readonly record: (fact: Fact) => void;
  readonly incarnations: Incarnations;
  /** Resolves when the incarnations are on disk. */
  readonly save: () => Promise<void>;
  /** When the token was noticed that turned a binding away. */
  readonly turnedAt?: (key: BindingKey) => number | undefined;
}

/**
 * Turns count meters into ledger facts: a segment opens when its meters are made, closes at the exact final value
 * when the binding retires, and rolls over when the meters turn out to be other ones than before.
 *
 * An incarnation is on disk before its opening is told: an agent that dies in between would count the same meters
 * as two segments. What it may not have told is told again by its next run; the log takes a repeat for what it is.
 */
export class CounterKeeper {
  #bindings = new Map<BindingKey, CountedBinding>();
  /** The same, as they were handed over. */
  #list: readonly CountedBinding[] = [];
  /** What policy dropped, as read last; of a binding whose meters do not tell, nothing. */
  readonly #dropped = new Map<BindingKey, Dropped>();
  /** Goes up with every plan carried out: a reading from before it is of other meters. */
  #installs = 0;

  /** Bindings with an incarnation for meters that a plan is making: it begins when the plan is carried out. */
  readonly #making = new Set<BindingKey>();

  /** What this run knows from before was told to the log that stands now. */
  #told = false;
  /** Openings that are not on disk yet. */
  #untold: CountedBinding[] = [];

  constructor(private readonly parts: KeeperParts) {}

  /** With the next plan every segment is told again, as by a new run. */
  tellAgain(): void {
    this.#told = false;
  }

  /**
   * A plan is about to add meters to these bindings: what was counted on earlier ones has ended. On disk when this
   * resolves: an agent that dies in the middle of the plan finds meters on its return, and could not tell that they
   * are not the ones that it knew.
   */
  async making(bindings: ReadonlySet<BindingKey>): Promise<void> {
    const { incarnations } = this.parts;
    let ended = false;
    for (const key of bindings) {
      const known = incarnations.get(key);
      if (known === undefined || known.closed || this.#making.has(key)) continue;
      this.#endAtLast(parseBindingKey(key), known, 'the meters were made anew');
      incarnations.set(key, this.#fresh());
      this.#making.add(key);
      ended = true;
    }
    if (ended) await this.parts.save();
  }

  /**
   * The meters that stand now. `made`: bindings whose meters this very plan added, so that whatever was counted on
   * earlier meters of theirs has ended.
   */
  async installed(bindings: readonly CountedBinding[], made: ReadonlySet<BindingKey>): Promise<void> {
    const { incarnations } = this.parts;
    const first = !this.#told;
    this.#installs += 1;
    if (!first && made.size === 0 && this.#isSettled(bindings)) return;
    this.#told = true;
    this.#list = bindings;
    this.#bindings = new Map(bindings.map((b) => [bindingKey(b.port, b.epoch), b]));
    const opened = this.#untold;
    for (const [key, binding] of this.#bindings) {
      const known = incarnations.get(key);
      if (known !== undefined && this.#making.delete(key)) {
        opened.push(binding);
        continue;
      }
      if (known !== undefined && !made.has(key)) {
        if (first) this.#tellAgain(binding, known);
        if (!known.closed || binding.role === 'retired') continue;
        // Held again after its final value: the log came back from before. Its meters go on from there.
        incarnations.set(key, { ...known, id: this.parts.ids.next(), open: known.last, closed: false });
        opened.push(binding);
        continue;
      }
      // Their segment ended on an earlier boot, and nothing more is counted: the log may be one that came back older.
      if (known?.closed === true && binding.role === 'retired') {
        if (first) this.#tellAgain(binding, known);
        continue;
      }
      if (known?.closed === false) this.#endAtLast(binding, known, 'the meters were made anew');
      incarnations.set(key, this.#fresh());
      opened.push(binding);
    }
    let gone = false;
    for (const [key, known] of incarnations) {
      if (this.#bindings.has(key)) continue;
      if (!known.closed) this.#endAtLast(parseBindingKey(key), known, 'its meters are gone');
      incarnations.delete(key);
      this.#making.delete(key);
      this.#dropped.delete(key);
      gone = true;
    }
    // Most plans change no incarnation, and whoever waits for the plan would wait for the disk.
    if (gone || opened.length > 0) await this.#save();
    if (await this.#closeRetired()) await this.parts.save();
  }

  /**
   * Reads every meter once: samples for telemetry and checkpoints, and the check for meters made anew. `busy`: a plan
   * is being carried out and may be making them; then what was read last is told.
   */
  async sample(busy = false): Promise<readonly CounterSample[]> {
    const read: { bindings: readonly CountedBinding[]; stats: Stats }[] = [];
    const before = this.#installs;
    if (!busy) {
      for (const [bridge, bindings] of this.#byBridge())
        read.push({ bindings, stats: await this.#stats(bridge, bindings) });
    }
    if (before === this.#installs) {
      for (const { bindings, stats } of read)
        for (const binding of bindings)
          if (this.#take(binding, stats) === 'rolled') this.#untold.push(binding);
      // A disk that takes nothing does not make what was read untrue; openings wait for it.
      await this.#save().catch(() => undefined);
    }
    return this.#samples();
  }

  /** They are counted already, with nothing to be told: most plans change no meter. */
  #isSettled(bindings: readonly CountedBinding[]): boolean {
    const before = this.#list;
    return (
      this.#untold.length === 0 &&
      this.#making.size === 0 &&
      bindings.length === before.length &&
      bindings.every((b, i) => b.role !== 'retired' && sameCount(b, before[i]))
    );
  }

  async #save(): Promise<void> {
    await this.parts.save();
    for (const binding of this.#untold.splice(0)) this.#tellOpened(binding);
  }

  #samples(): readonly CounterSample[] {
    const samples: CounterSample[] = [];
    for (const [key, { port, epoch }] of this.#bindings) {
      const known = this.parts.incarnations.get(key);
      if (known === undefined || known.closed) continue;
      const dropped = this.#dropped.get(key);
      samples.push({
        port,
        epoch,
        incarnation: known.id,
        raw: known.last,
        ...(dropped === undefined ? {} : { dropped }),
      });
    }
    return samples;
  }

  /** Whether there were any. */
  async #closeRetired(): Promise<boolean> {
    let any = false;
    for (const [bridge, bindings] of this.#byBridge()) {
      const ending = bindings.filter((b) => b.role === 'retired' && this.#isOpen(b));
      if (ending.length === 0) continue;
      any = true;
      const stats = await this.#stats(bridge, ending);
      for (const binding of ending) {
        const taken = this.#take(binding, stats);
        if (taken === 'none') continue;
        if (taken === 'rolled') this.#tellOpened(binding);
        const key = bindingKey(binding.port, binding.epoch);
        const final = this.parts.incarnations.get(key);
        if (final === undefined) continue;
        this.#close(binding, final, final.last);
        this.parts.incarnations.set(key, { ...final, closed: true });
      }
    }
    return any;
  }

  #take(binding: CountedBinding, stats: Stats): 'none' | 'continued' | 'rolled' {
    const { incarnations, clock, ids } = this.parts;
    const key = bindingKey(binding.port, binding.epoch);
    const reading = readingOf(binding.meters, stats);
    const known = incarnations.get(key);
    if (reading === undefined || known === undefined || known.closed) return 'none';
    const seen = observe(known, reading, clock.now(), ids);
    if (seen.kind === 'rolled') this.#endAtLast(binding, seen.ended, 'the meters were made anew');
    incarnations.set(key, seen.incarnation);
    const dropped = droppedOf(binding.passing, reading, stats);
    if (dropped === undefined) this.#dropped.delete(key);
    else this.#dropped.set(key, dropped);
    return seen.kind === 'rolled' ? 'rolled' : 'continued';
  }

  #fresh(): Incarnation {
    const { ids, clock } = this.parts;
    return { id: ids.next(), last: ZERO_COUNTERS, lastDurationMs: 0, lastAt: clock.now(), closed: false };
  }

  /** What an earlier run knew, and may have died before it told. */
  #tellAgain(binding: CountedBinding, known: Incarnation): void {
    this.#tellOpened(binding);
    if (known.closed) this.#close(binding, known, known.last);
  }

  #tellOpened(binding: CountedBinding): void {
    const { port, epoch } = binding;
    const known = this.parts.incarnations.get(bindingKey(port, epoch));
    if (known === undefined) return;
    const { id: incarnation, open: raw = ZERO_COUNTERS } = known;
    const owes = this.#owes(port, epoch);
    this.parts.record({ type: 'SegmentOpened', port, epoch, incarnation, raw, owes });
  }

  /**
   * Earlier epochs whose counters are still to be handed in. Of others the log expects nothing: it may have come back from
   * before they were closed, and no document speaks of them once the port has a newer binding here.
   */
  #owes(port: PortId, before: Epoch): readonly Epoch[] {
    const owed: Epoch[] = [];
    for (const [key, { closed }] of this.parts.incarnations) {
      if (closed || !key.startsWith(`${port}@`)) continue;
      const { epoch } = parseBindingKey(key);
      if (epoch < before) owed.push(epoch);
    }
    return owed;
  }

  #close(binding: CountedBinding, of: Incarnation, raw: RawCounters): void {
    const { port, epoch } = binding;
    const turnedAt = this.parts.turnedAt?.(bindingKey(port, epoch));
    const turned = turnedAt === undefined ? {} : { turnedAt };
    this.parts.record({ type: 'SegmentClosed', port, epoch, incarnation: of.id, raw, ...turned });
  }

  #endAtLast(binding: Pick<CountedBinding, 'port' | 'epoch'>, of: Incarnation, reason: string): void {
    const { port, epoch } = binding;
    const inexact = { checkpointAt: of.lastAt, reason };
    this.parts.record({ type: 'SegmentClosed', port, epoch, incarnation: of.id, raw: of.last, inexact });
  }

  #isOpen(binding: CountedBinding): boolean {
    return this.parts.incarnations.get(bindingKey(binding.port, binding.epoch))?.closed === false;
  }

  #byBridge(): Map<string, CountedBinding[]> {
    const result = new Map<string, CountedBinding[]>();
    for (const binding of this.#bindings.values()) {
      const list = result.get(binding.bridge);
      if (list === undefined) result.set(binding.bridge, [binding]);
      else list.push(binding);
    }
    return result;
  }

  async #stats(bridge: string, bindings: readonly CountedBinding[]): Promise<Stats> {
    const ids = bindings.flatMap((b) => [
      ...meterIds(b.meters),
      ...(b.passing === undefined ? [] : [b.passing.in, b.passing.out]),
    ]);
    const stats = await this.parts.driver.meterStats(bridge, ids);
    return new Map(stats.map((s) => [s.id, s]));
  }
}

const sameCount = (a: CountedBinding, b: CountedBinding | undefined): boolean =>
  a === b ||
  (a.port === b?.port &&
    a.epoch === b.epoch &&
    a.role === b.role &&
    a.bridge === b.bridge &&
    a.passing?.in === b.passing?.in &&
    equalJson(a.meters, b.meters));

type Dropped = NonNullable<CounterSample['dropped']>;
type Stats = ReadonlyMap<number, MeterStats>;
