import { type Clock } from '#kernel';
import { COUNT_RATE, type Meter, type MeterMod, type MeterStats } from '#openflow';
import { refuse } from './bridge/problems.js';

/**
 * A meter as the switch's userspace has it: a bucket filled in whole milliseconds. What bites is kept: any
 * modification resets the counts while the duration runs on, and a burst under one millisecond of the rate makes a
 * bucket that never refills.
 */
export class MeterState {
  private readonly createdAt: number;
  private tokens = 0;
  private filledAt = 0;
  private packets = 0;
  private bytes = 0;
  private droppedPackets = 0;
  private droppedBytes = 0;

  constructor(
    public config: Meter,
    private readonly clock: Clock,
  ) {
    this.createdAt = clock.monotonic();
    this.reset();
  }

  modify(config: Meter): void {
    this.config = config;
    this.reset();
  }

  /** Counts the frame; false: the band drops it. */
  take(bytes: number): boolean {
    this.packets += 1;
    this.bytes += bytes;
    if (this.config.rate === COUNT_RATE) return true;
    this.fill();
    const cost = this.config.unit === 'kbps' ? bytes * 8 : 1000;
    if (this.tokens >= cost) {
      this.tokens -= cost;
      return true;
    }
    this.droppedPackets += 1;
    this.droppedBytes += bytes;
    return false;
  }

  get durationMs(): number {
    return Math.floor(this.clock.monotonic() - this.createdAt);
  }

  stats(): MeterStats {
    return {
      id: this.config.id,
      packetsIn: BigInt(this.packets),
      bytesIn: BigInt(this.bytes),
      durationMs: this.durationMs,
      dropped: { packets: BigInt(this.droppedPackets), bytes: BigInt(this.droppedBytes) },
    };
  }

  /** Thousandths of a packet, or bits. */
  private get room(): number {
    return (this.config.burst ?? this.config.rate) * 1000;
  }

  private fill(): void {
    const elapsed = Math.floor(this.clock.monotonic() - this.filledAt);
    if (elapsed < 1) return;
    this.filledAt += elapsed;
    if (this.room < this.config.rate) return;
    this.tokens = Math.min(this.room, this.tokens + elapsed * this.config.rate);
  }

  private reset(): void {
    this.packets = this.bytes = this.droppedPackets = this.droppedBytes = 0;
    this.filledAt = this.clock.monotonic();
    this.tokens = this.room;
  }
}

/** All or nothing, as far as what is asked can be seen to be wrong. Gives the meters that are gone. */
export function applyMeterMods(
  meters: Map<number, MeterState>,
  mods: readonly MeterMod[],
  most: number,
  clock: Clock,
): ReadonlySet<number> {
  const ids = new Set(meters.keys());
  for (const mod of mods) {
    const id = mod.op === 'delete' ? mod.id : mod.meter.id;
    if (!Number.isInteger(id) || id < 1) throw refuse('meter', id, 'is no meter id', 'invalid');
    if (mod.op === 'add' && ids.has(id)) throw refuse('meter', id, 'exists already');
    if (mod.op === 'modify' && !ids.has(id)) throw refuse('meter', id, 'is unknown');
    if (mod.op === 'delete') ids.delete(id);
    else ids.add(id);
  }
  if (ids.size > most) throw refuse('meters', ids.size, 'the meter table is full');
  const gone = new Set<number>();
  for (const mod of mods) {
    if (mod.op === 'add') meters.set(mod.meter.id, new MeterState(mod.meter, clock));
    else if (mod.op === 'modify') meters.get(mod.meter.id)?.modify(mod.meter);
    else if (mod.op === 'delete' && meters.delete(mod.id)) gone.add(mod.id);
  }
  return gone;
}
