import { type Clock, type Epoch, type IdGenerator, type PortId } from '#kernel';
import { type Fact, type RawCounters, ZERO_COUNTERS } from '#domain';
import { type CounterSample } from '#contracts';
import { type Driver, type MeterStats } from '#openflow';
import { bindingKey, type BindingKey, type Incarnation } from '../state/memory.js';
import { meterIds, observe, readingOf, type CountMeters, type Incarnations } from './counters.js';

/** A binding whose meters stand on the switch. */
export interface CountedBinding {
  readonly port: PortId;
  readonly epoch: Epoch;
  readonly role: 'active' | 'standby' | 'retired';
  readonly bridge: string;
  readonly meters: CountMeters;
}

/**
 * Turns count meters into ledger facts: a segment opens when its meters are made, closes at the exact final value
 * when the binding retires, and rolls over when the meters turn out to be other ones than before.
 */
export class CounterKeeper {
  #bindings = new Map<BindingKey, CountedBinding>();

  constructor(
    private readonly driver: Driver,
    private readonly clock: Clock,
    private readonly ids: IdGenerator,
    private readonly record: (fact: Fact) => void,
    private readonly incarnations: Incarnations,
    private readonly changed: () => void,
  ) {}

  /**
   * The meters that stand now. `made`: bindings whose meters this very plan added, so that whatever was counted on
   * earlier meters of theirs has ended.
   */
  async installed(bindings: readonly CountedBinding[], made: ReadonlySet<BindingKey>): Promise<void> {
    this.#bindings = new Map(bindings.map((b) => [bindingKey(b.port, b.epoch), b]));
    const before = new Map(this.incarnations);
    for (const [key, binding] of this.#bindings) {
      const known = this.incarnations.get(key);
      if (known !== undefined && !made.has(key)) continue;
      if (known !== undefined && !known.closed) this.#endAtLast(binding, known, 'the meters were made anew');
      // Retired bindings without a history here have nothing to count: their segment ended on an earlier boot.
      if (known !== undefined && known.closed) continue;
      this.#open(key, binding);
    }
    for (const key of this.incarnations.keys()) if (!this.#bindings.has(key)) this.incarnations.delete(key);
    await this.#closeRetired();
    // Most passes change policies, not bindings: those need no write to disk.
    const { incarnations } = this;
    if (before.size !== incarnations.size || [...incarnations].some(([key, it]) => before.get(key) !== it))
      this.changed();
  }

  /** Reads every meter once: samples for telemetry and checkpoints, and the check for meters made anew. */
  async sample(): Promise<readonly CounterSample[]> {
    const samples: CounterSample[] = [];
    for (const [bridge, bindings] of this.#byBridge()) {
      const stats = await this.#stats(bridge, bindings);
      for (const binding of bindings) {
        const key = bindingKey(binding.port, binding.epoch);
        const incarnation = this.#take(key, binding, stats);
        if (incarnation === undefined) continue;
        samples.push({
          port: binding.port,
          epoch: binding.epoch,
          incarnation: incarnation.id,
          raw: incarnation.last,
        });
      }
    }
    this.changed();
    return samples;
  }

  async #closeRetired(): Promise<void> {
    for (const [bridge, bindings] of this.#byBridge()) {
      const ending = bindings.filter((b) => b.role === 'retired' && this.#isOpen(b));
      if (ending.length === 0) continue;
      const stats = await this.#stats(bridge, ending);
      for (const binding of ending) {
        const key = bindingKey(binding.port, binding.epoch);
        const final = this.#take(key, binding, stats);
        if (final === undefined) continue;
        this.#close(binding, final, final.last);
        this.incarnations.set(key, { ...final, closed: true });
      }
    }
  }

  #take(
    key: BindingKey,
    binding: CountedBinding,
    stats: ReadonlyMap<number, MeterStats>,
  ): Incarnation | undefined {
    const reading = readingOf(binding.meters, stats);
    const known = this.incarnations.get(key);
    if (reading === undefined || known === undefined || known.closed) return undefined;
    const seen = observe(known, reading, this.clock.now(), this.ids);
    if (seen.kind === 'rolled') {
      this.#endAtLast(binding, seen.ended, 'the meters were made anew');
      this.#tellOpened(binding, seen.incarnation.id);
    }
    this.incarnations.set(key, seen.incarnation);
    return seen.incarnation;
  }

  #open(key: BindingKey, binding: CountedBinding): void {
    const id = this.ids.next();
    this.incarnations.set(key, {
      id,
      last: ZERO_COUNTERS,
      lastDurationMs: 0,
      lastAt: this.clock.now(),
      closed: false,
    });
    this.#tellOpened(binding, id);
  }

  #tellOpened(binding: CountedBinding, incarnation: string): void {
    const { port, epoch } = binding;
    this.record({ type: 'SegmentOpened', port, epoch, incarnation, raw: ZERO_COUNTERS });
  }

  #close(binding: CountedBinding, of: Incarnation, raw: RawCounters): void {
    const { port, epoch } = binding;
    this.record({ type: 'SegmentClosed', port, epoch, incarnation: of.id, raw });
  }

  #endAtLast(binding: CountedBinding, of: Incarnation, reason: string): void {
    const { port, epoch } = binding;
    const inexact = { checkpointAt: of.lastAt, reason };
    this.record({ type: 'SegmentClosed', port, epoch, incarnation: of.id, raw: of.last, inexact });
  }

  #isOpen(binding: CountedBinding): boolean {
    return this.incarnations.get(bindingKey(binding.port, binding.epoch))?.closed === false;
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

  async #stats(
    bridge: string,
    bindings: readonly CountedBinding[],
  ): Promise<ReadonlyMap<number, MeterStats>> {
    const stats = await this.driver.meterStats(
      bridge,
      bindings.flatMap((b) => meterIds(b.meters)),
    );
    return new Map(stats.map((s) => [s.id, s]));
  }
}
